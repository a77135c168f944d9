"""What has happened, told to whoever subscribed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple, Protocol

from pjreg_cli.api.findings import Brief
from pjreg_cli.api.registrations import Evidence


def _unknown() -> Brief:
    """Nobody has looked."""
    return Brief("", "")


class Settled(NamedTuple):
    """An attempt (a refresh, a failed retry, an unregister) has come to its outcome."""

    name: str
    client_uri: str
    server_uri: str
    word: str
    old_word: str
    evidence: Evidence
    attempts: int
    next_attempt_s: int
    why: Callable[[], Brief] = _unknown
    """Finds out why it stands so; to be asked at once."""


class StateMade(NamedTuple):
    """A registration got a state and counts from now on.  Its `word` is `Unregistered` unless it
    goes on where an earlier run stopped."""

    name: str
    word: str = "Unregistered"


class StateLeaving(NamedTuple):
    """A registration is about to lose its state: what is shown of it has changed already."""

    name: str


class Doing(NamedTuple):
    """What the instance is doing while everybody waits, in a few words; empty when it has ended."""

    text: str


class StateDropped(NamedTuple):
    """A registration lost its state, whose word was `word`."""

    name: str
    word: str


class Reloaded(NamedTuple):
    """A reload has ended; `ok` is False when a file was given up and everything stayed."""

    module: str
    ok: bool


class Stopping(NamedTuple):
    """The instance ends; `restart` when another one follows."""

    restart: bool


class Ownership(NamedTuple):
    """What this machine of a fleet may send for has changed."""

    change: str
    """`Claimed`: shards were taken up; `Released`: they were given to others; `Fenced`: they were
    taken; `Held`: nothing is sent, for the lease is not trusted; `Resumed`: it is again."""
    shards: int
    registrations: int


class Traced(NamedTuple):
    """A SIP message as the logger shows it; it never holds a password."""

    sent: bool
    address: str
    transport: str
    text: str


Notice = (
    Settled
    | StateMade
    | StateLeaving
    | StateDropped
    | Reloaded
    | Stopping
    | Doing
    | Ownership
    | Traced
)
Listener = Callable[[Notice], None]


class Notices(Protocol):
    """Who wants to be told."""

    def subscribe(self, listener: Listener, *kinds: type[Notice]) -> Callable[[], None]:
        """Call `listener` with every notice from now on, or with those of some kinds only; the
        result ends that.  Listeners are called on the event loop, must not block and must not
        raise."""
        ...

    def until(self, condition: Callable[[], bool], within_s: float) -> Awaitable[bool]:
        """Wait until `condition` holds, which is looked at after notices, for at most `within_s`
        seconds; whether it does."""
        ...
