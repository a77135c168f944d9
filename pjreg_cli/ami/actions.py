"""The actions of the manager interface: one row each, in `ACTIONS`."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass

from pjreg_cli.ami import changes, cluster, codec, compatible, core, login, registrations
from pjreg_cli.ami.codec import Malformed, Message
from pjreg_cli.ami.events import Event
from pjreg_cli.ami.request import ActionContext, Request, Run
from pjreg_cli.ami.session import Session
from pjreg_cli.api.asker import asked_by
from pjreg_cli.api.manager import ManagerAction
from pjreg_cli.commands import tree
from pjreg_cli.commands.command import Console, Kind, pieces
from pjreg_cli.config import manager_classes as classes
from pjreg_cli.errors import PjregError
from pjreg_cli.levels import MESSAGES

_log = logging.getLogger("pjreg_cli.ami")

#: commands that the Command action refuses, as the origin does
_REFUSED = (("module", "load"), ("module", "unload"), ("restart", "gracefully"))


@dataclass(frozen=True, slots=True)
class Action:
    """An action: what it is called, who may use it (0: everybody), what it does."""

    name: str
    mask: int
    summary: str
    description: str
    run: Run
    before_login: bool = False

    @property
    def privilege(self) -> str:
        """Its classes as messages show them."""
        return classes.privilege(self.mask)


async def handle(context: ActionContext, session: Session, item: Message | Malformed) -> bool:
    """Answer one message; whether the session goes on."""
    if isinstance(item, Malformed):
        return Request(context, session, item.message).refuse(item.reason)
    request = Request(context, session, item)
    name = item.filled("Action")
    if not name:
        return request.refuse("Missing action in request")
    action = _BY_NAME.get(name.lower())
    if session.account is None and (action is None or not action.before_login):
        context.denied.add()
        return request.refuse("Permission denied")
    if action is None:
        return request.refuse(
            f"Invalid/unknown command: {name}. Use Action: ListCommands to show available commands."
        )
    if action.mask and not action.mask & session.write_mask:
        context.denied.add()
        return request.refuse("Permission denied")
    _log.log(MESSAGES, "manager session from %s: %s", session.peer, name)
    user = session.account.name if session.account is not None else ""
    with asked_by(f"manager user '{user}' from {session.peer}"):
        answered = action.run(request)
        goes_on = answered if isinstance(answered, bool) else await answered
    if goes_on and item.get("SuppressEvents"):
        session.keep_held()
    return goes_on


# -- the session ------------------------------------------------------------------------------


def _ping(request: Request) -> bool:
    now = f"{request.context.wall_clock():.6f}"
    return request.respond("Success", ("Ping", "Pong"), ("Timestamp", now))


def _list_commands(request: Request) -> bool:
    allowed = (row for row in ACTIONS if not row.mask or row.mask & request.session.write_mask)
    return request.respond(
        "Success", *((row.name, f"{row.summary}  (Priv: {row.privilege})") for row in allowed)
    )


# -- events -----------------------------------------------------------------------------------


def _events(request: Request) -> bool:
    mask = classes.event_mask(request.get("EventMask"))
    if mask is None:
        return request.refuse("Invalid event mask")
    request.context.broadcast.flush()  # what happened before goes by the old mask
    request.session.send_mask = mask
    return request.respond("Success", ("Events", "On" if mask else "Off"))


async def _wait_event(request: Request) -> bool:
    text = request.get("Timeout").strip()
    # origin: no number and numbers below 0 wait without end
    endless = not (text.isascii() and text.isdecimal())
    await request.session.wait_event(None if endless else float(text[:9]))
    request.context.broadcast.flush()
    request.done("Waiting for Event completed.")
    request.session.write(request.session.take_held())
    request.session.send((("Event", "WaitEventComplete"), *request.action_id))
    return True


# -- the instance -----------------------------------------------------------------------------


async def _command(request: Request) -> bool:
    line = request.get("Command")
    if not line:
        return request.refuse("No command provided")
    words = tuple(line.lower().split())
    if any(words[: len(refused)] == refused for refused in _REFUSED):
        return request.refuse("Command blacklisted")
    context = request.context
    reply = await tree.execute(line, Console(context.port(), Kind.MANAGER, context.dialect))

    try:
        # its length is of no interest where it is waited for, and its end decides what is said
        output = reply.output if reply.rest is None else [one async for one in pieces(reply)]
    except PjregError as error:
        return request.refuse(str(error))

    def lines() -> Iterator[str]:
        yield codec.line("Response", "Error" if reply.failed else "Success")
        for key, value in request.action_id:
            yield codec.line(key, value)
        yield codec.line("Message", "Command output follows")
        for one in codec.output_lines(output):
            yield codec.line("Output", one)
        yield "\r\n"

    await request.session.stream(lines())
    return True


async def _reload(request: Request) -> bool:
    module = request.get("Module")
    (report,) = await request.context.port().instance.reload((module,) if module else ())
    if not report.known:
        return request.refuse("No such module")
    if report.failures:
        return request.refuse(f"Not everything was reloaded: {'; '.join(report.failures)}")
    return request.done("Module Reloaded")


async def _module_load(request: Request) -> bool:
    module, kind = request.get("Module"), request.get("LoadType").lower()
    if kind not in {"load", "unload", "reload"}:
        return request.refuse("Incomplete ModuleLoad action.")
    if kind != "reload":
        # all there is is loaded and stays so
        missing = "Need module name" if not module else f"Could not {kind} module."
        return request.refuse(missing)
    (report,) = await request.context.port().instance.reload((module,) if module else ())
    if not report.known:
        context = request.context
        # origin: tells of it all the same, with the number for what was not found
        fields = (("Module", module), ("Status", "2"))
        context.broadcast.send(Event("Reload", classes.SYSTEM, fields))
        return request.refuse("Module not found.")
    if report.failures:
        return request.refuse(f"Not everything was reloaded: {'; '.join(report.failures)}")
    return request.done("Module reloaded." if module else "All modules reloaded")


def _module_check(request: Request) -> bool:
    module = request.get("Module").partition(".")[0] + ".so"
    if all(
        module != name for name, _description, _uses in request.context.port().instance.modules()
    ):
        return request.refuse("Module not loaded")
    return request.respond("Success", ("Version", ""))


# -- the table --------------------------------------------------------------------------------

_REPORTING = classes.SYSTEM | classes.REPORTING

#: sorted by name without regard to letter case, as ListCommands shows them
ACTIONS: tuple[Action, ...] = (
    Action(
        "Challenge",
        0,
        "Generate Challenge for MD5 Auth.",
        "AuthType MD5 asks for a challenge.  A Login with AuthType MD5 then gives, as Key, the"
        " hexadecimal MD5 of the challenge followed by the secret.",
        login.challenge,
        before_login=True,
    ),
    Action(
        "Command",
        classes.COMMAND,
        "Execute Asterisk CLI Command.",
        "Runs the console command given as Command; each line it prints comes as an Output line.",
        _command,
    ),
    Action(
        "CoreSettings",
        _REPORTING,
        "Show PBX core settings (version etc).",
        "Versions; what concerns calls is empty or 0.",
        core.settings,
    ),
    Action(
        "CoreShowChannels",
        _REPORTING,
        "List currently active channels.",
        "There are no channels: the list is empty.",
        compatible.core_show_channels,
    ),
    Action(
        "CoreStatus",
        _REPORTING,
        "Show PBX core status variables.",
        "When the program was started and when it last reloaded its configuration.",
        core.status,
    ),
    Action(
        "Events",
        0,
        "Control Event Flow.",
        "EventMask is on, off, or the classes of events wanted, separated by commas.",
        _events,
    ),
    Action(
        "Filter",
        classes.SYSTEM,
        "Dynamically add filters for the current manager session.",
        "With Operation Add: events have to pass the filter given as Filter, too; MatchCriteria are"
        " those of eventfilter in manager.conf.",
        compatible.add_filter,
    ),
    Action(
        "ListCommands",
        0,
        "List available manager commands.",
        "Names every action that this user may use, with the classes it needs.",
        _list_commands,
    ),
    Action(
        "LoggerRotate",
        _REPORTING,
        "Reload and rotate the Asterisk logger.",
        "Begins new log files and keeps the old under other names.",
        compatible.logger_rotate,
    ),
    Action(
        "Login",
        0,
        "Login Manager.",
        "Username and Secret, or Username, AuthType MD5 and Key (see Challenge).  Events works as"
        " EventMask does in Events.",
        login.login,
        before_login=True,
    ),
    Action(
        "Logoff",
        0,
        "Logoff Manager.",
        "Ends the session.",
        login.logoff,
        before_login=True,
    ),
    Action(
        "ModuleCheck",
        classes.SYSTEM,
        "Check if module is loaded.",
        "Succeeds if the module named as Module, with or without `.so`, is loaded.",
        _module_check,
    ),
    Action(
        "ModuleLoad",
        classes.SYSTEM,
        "Module management.",
        "LoadType reload reloads Module, or everything without one.  Nothing can be loaded or"
        " unloaded.",
        _module_load,
    ),
    Action(
        "Ping",
        0,
        "Keepalive command.",
        "Answered with Pong and the time.",
        _ping,
    ),
    Action(
        "PJSIPRegister",
        _REPORTING,
        "Register an outbound registration.",
        "Unregisters the registration named as Registration and registers it anew; `*all` does so"
        " with every one.",
        registrations.register,
    ),
    Action(
        "PJSIPShowAuths",
        classes.SYSTEM,
        "Lists PJSIP Auths.",
        "An AuthList event for each auth section, then AuthListComplete.",
        registrations.show_auths,
    ),
    Action(
        "PJSIPShowRegistrationsOutbound",
        _REPORTING,
        "Lists PJSIP outbound registrations.",
        "An OutboundRegistrationDetail event for each registration, an AuthDetail event for each of"
        " its auth sections, then OutboundRegistrationDetailComplete.",
        registrations.show_registrations,
    ),
    Action(
        "PJSIPUnregister",
        _REPORTING,
        "Unregister an outbound registration.",
        "Unregisters the registration named as Registration and stops its attempts; `*all` does so"
        " with every one.",
        registrations.unregister,
    ),
    Action(
        "PjregAdd",
        classes.CONFIG,
        "Add a registration.",
        "Adds the registration named as Registration with an option key=value in each Variable,"
        " as `pjreg add` does.",
        changes.add,
    ),
    Action(
        "PjregClusterShow",
        _REPORTING,
        "Lists the machines of a fleet.",
        "A PjregInstance event for each machine that shares the accounts of the database, then"
        " PjregClusterShowComplete.",
        cluster.show,
    ),
    Action(
        "PjregRemove",
        classes.CONFIG,
        "Remove a registration that was added.",
        "Unregisters the registration named as Registration and forgets it.",
        changes.remove,
    ),
    Action(
        "PjregSet",
        classes.CONFIG,
        "Change a registration that was added.",
        "Changes the registration named as Registration: an option key=value in each Variable.",
        changes.change,
    ),
    Action(
        "Reload",
        classes.SYSTEM | classes.CONFIG,
        "Send a reload event.",
        "Reloads the module named as Module, or everything without one.",
        _reload,
    ),
    Action(
        "Status",
        classes.SYSTEM | 1 << 1 | classes.REPORTING,
        "List channel status.",
        "There are no channels: the list is empty.",
        compatible.status,
    ),
    Action(
        "UserEvent",
        classes.CLASSES["user"],
        "Send an arbitrary event.",
        "Sends an event UserEvent with this name and the other headers to all who may see it.",
        compatible.user_event,
    ),
    Action(
        "WaitEvent",
        0,
        "Wait for an event to occur.",
        "Answers when an event is there or after Timeout seconds (without it: never), followed by"
        " the events and by WaitEventComplete.",
        _wait_event,
    ),
)

_BY_NAME = {row.name.lower(): row for row in ACTIONS}


def explained() -> tuple[ManagerAction, ...]:
    """Every action as the console explains it."""
    return tuple(
        ManagerAction(row.name, row.privilege, row.summary, row.description) for row in ACTIONS
    )
