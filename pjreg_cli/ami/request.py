"""What an action is handed: the request, the session that asks, and the context around it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from pjreg_cli.ami import auth
from pjreg_cli.ami.broadcast import Broadcast
from pjreg_cli.ami.codec import Message
from pjreg_cli.ami.session import Session
from pjreg_cli.api.port import Api
from pjreg_cli.config.eventfilter import Filters
from pjreg_cli.config.models import ManagerAccount, ManagerSettings
from pjreg_cli.counters import Tally
from pjreg_cli.dialects import Dialect


@dataclass(slots=True)
class ActionContext:
    """What actions work with, besides the session that asks."""

    port: Callable[[], Api]
    settings: ManagerSettings
    dialect: Dialect
    wall_clock: Callable[[], float]
    throttle: auth.LoginThrottle
    broadcast: Broadcast
    in_use: Callable[[str], bool]
    """Whether a user of this name (in any letter case) is logged in."""
    challenge: Callable[[], str]
    filters: Callable[[ManagerAccount], Filters]
    logged_in: Callable[[Session], None]
    """Told after a login: the session no longer counts as unauthenticated."""
    sleep: Callable[[float], Awaitable[None]]
    """Waits some seconds; only wrong logins do."""
    refused: Tally
    """Logins that were refused."""
    delayed: Tally
    """Logins that were put off for wrong ones before them."""
    denied: Tally
    """Actions that a user's classes do not open, and those of nobody."""


@dataclass(frozen=True, slots=True)
class Request:
    """An action that was asked for."""

    context: ActionContext
    session: Session
    message: Message

    def get(self, key: str) -> str:
        """A header of the request; empty without it."""
        return self.message.get(key)

    @property
    def action_id(self) -> tuple[tuple[str, str], ...]:
        """The ActionID to send back, as a field; none if none was sent."""
        action_id = self.message.get("ActionID")
        return (("ActionID", action_id),) if action_id else ()

    def respond(self, response: str, *fields: tuple[str, str]) -> bool:
        """Answer; the session goes on."""
        self.session.send((("Response", response), *self.action_id, *fields))
        return True

    def done(self, message: str) -> bool:
        """Answer Success with a message."""
        return self.respond("Success", ("Message", message))

    def refuse(self, message: str) -> bool:
        """Answer Error with a message."""
        return self.respond("Error", ("Message", message))


Run = Callable[[Request], bool | Awaitable[bool]]
"""Answers a request, at once or later, and says whether the session goes on."""
