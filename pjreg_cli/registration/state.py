"""The values the registration machine works on: status, state, events, outcomes, effects.

They are named tuples, for every step of a large fleet makes new ones, and a frozen dataclass takes
five times as long to make.  Two of different kinds may be equal: ask what they are first.
"""

from __future__ import annotations

import math
from enum import Enum
from typing import NamedTuple


class Status(Enum):
    """The six inner states; `word` gives the three that are shown."""

    UNREGISTERED = "unregistered"
    REGISTERED = "registered"
    REJECTED_TEMPORARY = "rejected temporarily"
    REJECTED_PERMANENT = "rejected permanently"
    STOPPING = "stopping"
    STOPPED = "stopped"

    __hash__ = object.__hash__  # each member is one of a kind, and Enum's own is slow

    @property
    def word(self) -> str:
        """`Registered`, `Rejected` or `Unregistered`."""
        return _WORDS[self]


_WORDS = {
    Status.UNREGISTERED: "Unregistered",
    Status.REGISTERED: "Registered",
    Status.REJECTED_TEMPORARY: "Rejected",
    Status.REJECTED_PERMANENT: "Rejected",
    Status.STOPPING: "Unregistered",
    Status.STOPPED: "Unregistered",
}


class Flight(Enum):
    """The request of a registration that has no final answer yet."""

    REGISTER = "register"
    UNREGISTER = "unregister"

    __hash__ = object.__hash__  # as for Status


class State(NamedTuple):
    """Where one registration stands.  Instants are seconds of the loop's clock."""

    status: Status = Status.UNREGISTERED
    retries: int = 0
    """Failed attempts in a row that count towards max_retries."""
    wake_at: float | None = None
    """When the machine wants a `Wake`; the engine keeps its timer equal to this."""
    next_attempt_at: float | None = None
    """For when the next attempt was last scheduled; outlives a cancelled wake (`exp.`)."""
    in_flight: Flight | None = None
    leaving: bool = False
    """Removed from the configuration; ends as soon as what is under way has ended."""
    requested_s: int | None = None
    """The expiry a registrar made us ask for (423); None: the configured one."""
    answers: int = 0
    """The challenges, stale nonces apart, that the request in flight answers."""
    renewals: int = 0
    """How often a stale nonce was replaced at this target (RFC 7616 section 3.3)."""
    briefs: int = 0
    """How often a 423 was followed in this attempt."""
    agreed: bool = False
    """A 494 was already answered in this attempt."""
    refused: bool = False
    """The last attempt was an unregister that failed; only `Start` leads to another one."""
    unregister_due: bool = False
    """An unregister was asked for while a request was in flight."""
    register_due: bool = False
    """A registration came due while a request was in flight."""
    young_losses: int = 0
    """Connections in a row that were lost young (RFC 5626 section 4.5)."""


# -- events -----------------------------------------------------------------------------------


class _Mere:
    """A value that says nothing but its kind; a named tuple without fields would be false."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self)

    def __hash__(self) -> int:
        return hash(type(self))

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class Start(NamedTuple):
    """Register after the initial delay: `jitter_s` (0 .. max_random_initial_delay - 1) plus 1 s,
    of which `waited_s` are over."""

    jitter_s: float
    waited_s: float = 0.0


class Wake(_Mere):
    """`State.wake_at` has come."""

    __slots__ = ()


class Unregister(NamedTuple):
    """The operator wants the binding gone."""

    unsent: bool = False
    """Of the attempt under way nothing was sent yet: it only waits, for DNS or somebody else."""


class TransportClosed(NamedTuple):
    """The connection of this registration was lost, `lived_s` seconds after it was made; wait
    `delay_s` before registering again (0: at once; more where many registrations shared the
    connection).  `jitter`, from 0 up to 1, shortens a longer wait."""

    delay_s: float = 0.0
    lived_s: float = math.inf
    jitter: float = 0.0


class Paced(NamedTuple):
    """Too many others are due at the moment this one has asked for: `at` instead."""

    at: float


class AuthReloaded(NamedTuple):
    """Auth sections were read anew; `jitter_s` as in `Start`."""

    jitter_s: float


class Remove(NamedTuple):
    """The registration is no longer configured."""

    unsent: bool = False
    """As for `Unregister`."""


class Resumed(NamedTuple):
    """What an earlier run, or another machine, left of this registration: it goes on from there,
    and its next attempt is due in `due_s` seconds (None: there is none)."""

    status: Status
    due_s: float | None
    retries: int = 0
    requested_s: int | None = None


class Cause(Enum):
    """What an outcome stands on."""

    ANSWERED = "answered"
    TIMED_OUT = "timed-out"
    SEND_FAILED = "send-failed"
    UNRESOLVED = "unresolved"

    __hash__ = object.__hash__  # as for Status


class Outcome(NamedTuple):
    """A final response to the request in flight, or its absence (408, or 503 for a failed send)."""

    code: int
    cause: Cause = Cause.ANSWERED
    granted_s: int | None = None
    """Of a 2xx to a REGISTER: the granted lifetime, by the rules of the request's contacts; 0: it
    grants nothing."""
    retry_after_s: int = 0
    min_expires_s: int | None = None
    credentials_fit: bool = False
    """The challenges of this 401 or 407 can be answered with what is configured."""
    repeated: bool = False
    """The request had credentials for a realm that is challenged."""
    stale: bool = False
    """The challenge says that it is only their nonce which is stale."""
    target_left: bool = False
    """There is another target to try (RFC 3263 section 4.3)."""
    mechanisms: bool = False
    """A 494 that offers security mechanisms and mediasec is configured."""
    no_network: bool = False
    """It could not be sent, as the host has no way to anywhere near the target."""


Event = (
    Start | Wake | Unregister | TransportClosed | Paced | AuthReloaded | Remove | Resumed | Outcome
)


# -- effects ----------------------------------------------------------------------------------


class Hop(Enum):
    """Where a REGISTER goes."""

    FIRST = "first"
    """A new attempt: look up the targets anew, begin with the first."""
    SAME = "same"
    """The target of the request before."""
    NEXT = "next"
    """The next target of the same attempt."""

    __hash__ = object.__hash__  # as for Status


class SendRegister(NamedTuple):
    """Send a REGISTER.  `expires_s` 0 unregisters.  With `credentials` it answers the challenges
    of the outcome just handled and keeps its From tag; otherwise it has none."""

    expires_s: int
    hop: Hop = Hop.FIRST
    credentials: bool = False
    agreement: bool = False
    """It answers a 494: Security-Verify without Security-Client."""
    rule: str = ""
    """The rule of the policy that goes on with the attempt; empty for a new one."""


class Publish(NamedTuple):
    """An attempt has settled, by the rule of this name; the new state tells how."""

    rule: str
    flight: Flight


class Drop(_Mere):
    """A leaving registration has ended: forget it."""

    __slots__ = ()


Effect = SendRegister | Publish | Drop


class Policy(NamedTuple):
    """The options of a registration that decide; seconds and counts as configured."""

    expiration_s: int = 3600
    retry_interval_s: int = 60
    forbidden_retry_interval_s: int = 0
    fatal_retry_interval_s: int = 0
    max_retries: int = 10
    auth_rejection_permanent: bool = True
    forever: bool = False
    """max_retries is `forever`."""
    backoff: bool = False
    """Every failure in a row doubles the wait."""
    refresh_margin_s: int = 10
    shared: bool = False
    """With other machines, one of which may have to take it over before a refresh is late."""
