"""Actions of coming and going: Login, Challenge, Logoff."""

from __future__ import annotations

import logging

from pjreg_cli.ami import auth, events
from pjreg_cli.ami.request import ActionContext, Request
from pjreg_cli.config import manager_classes as classes
from pjreg_cli.config.models import ManagerAccount

_log = logging.getLogger("pjreg_cli.ami")


async def login(request: Request) -> bool:
    """Let a user in, or end the session."""
    context, session = request.context, request.session
    if session.account is not None:
        return request.done("Already authenticated")
    delay_s = context.throttle.begin(session.peer)
    if delay_s:
        context.delayed.add()
        await context.sleep(delay_s)
    name = request.get("Username")
    account = auth.find(context.settings.users, name)
    if why := auth.refusal(account, request.message, session.challenge, session.peer):
        context.refused.add()
        _log.warning("manager login as %r from %s refused: %s", name[:80], session.peer, why)
        await context.sleep(auth.FAILURE_DELAY_S)
        request.refuse("Authentication failed")
        return False
    context.throttle.succeeded(session.peer)
    if account is None or _taken(context, account):
        await context.sleep(auth.FAILURE_DELAY_S)
        request.refuse("Login Already In Use")
        return False
    _admit(request, account)
    return True


def _taken(context: ActionContext, account: ManagerAccount) -> bool:
    several = account.allowmultiplelogin and context.settings.allowmultiplelogin
    return not several and context.in_use(account.name)


def _admit(request: Request, account: ManagerAccount) -> None:
    context, session = request.context, request.session
    context.broadcast.flush()  # what happened before is not for this user
    session.account = account
    session.started_at = context.wall_clock()
    session.filters = context.filters(account)
    session.read_mask = classes.mask_of(account.read)
    session.write_mask = classes.mask_of(account.write)
    mask = classes.event_mask(request.get("Events"))
    session.send_mask = classes.ALL if mask is None else mask
    context.logged_in(session)
    if account.displayconnects and context.settings.displayconnects:
        _log.info("manager '%s' logged on from %s", account.name, session.peer)
    request.done("Authentication accepted")
    if session.read_mask & session.send_mask & classes.SYSTEM:
        seen = context.port().instance.view()
        session.write(
            events.fully_booted(seen.now_at - seen.started_at, seen.now_at - seen.reloaded_at)
        )


def challenge(request: Request) -> bool:
    """Hand out what a Login by MD5 is computed from; the same as long as the session lasts."""
    if request.get("AuthType").lower() != "md5":
        return request.refuse("Must specify AuthType")
    session = request.session
    session.challenge = session.challenge or request.context.challenge()
    return request.respond("Success", ("Challenge", session.challenge))


def logoff(request: Request) -> bool:
    """Say goodbye."""
    request.respond("Goodbye", ("Message", "Thanks for all the fish."))
    return False
