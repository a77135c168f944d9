"""The non-INVITE client transaction as a table over values (RFC 3261 section 17.1.2).

Whoever holds a `Transaction` sends the request when it begins, copies `wake_at` to a timer after
every step, and carries out the effects.  The timers have the names of the RFC: E resends, F ends
the waiting, K ends the listening for late copies of the response.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import NamedTuple

#: T1, the estimate of a round trip, in seconds (RFC 3261 section 17.1.1.1)
T1_S = 0.5
#: T2, the longest wait between two resends, in seconds
T2_S = 4.0
#: T4, how long a message may linger in the network, in seconds
T4_S = 5.0
#: timer F in units of T1 (RFC 3261 section 17.1.2.2)
TIMEOUT_T1 = 64


class Phase(Enum):
    """The states of the transaction."""

    TRYING = "trying"
    PROCEEDING = "proceeding"
    COMPLETED = "completed"
    TERMINATED = "terminated"

    __hash__ = object.__hash__  # each member is one of a kind, and Enum's own is slow


class Event(Enum):
    """What can happen to a transaction."""

    PROVISIONAL = "provisional"
    FINAL = "final"
    WAKE = "wake"
    SEND_FAILED = "send failed"

    __hash__ = object.__hash__  # as above


class Effect(Enum):
    """What its holder has to do."""

    RESEND = "resend"
    """Send the very bytes of the request again."""
    DELIVER = "deliver"
    """Hand the response that just came to the user of the transaction: it is final."""
    TIME_OUT = "time out"
    """Tell the user that no final response came: as good as a 408."""
    FAIL = "fail"
    """Tell the user that the request could not be sent: as good as a 503."""


class Transaction(NamedTuple):
    """Where one request stands.  Instants (`_at`) are seconds of the caller's clock."""

    phase: Phase
    wake_at: float | None
    """When it wants an `Event.WAKE`; None once terminated."""
    ends_at: float
    """When timer F fires."""
    resend_at: float | None
    """When timer E fires; None on a reliable transport and after a final response."""
    interval_s: float
    """The wait that leads to `resend_at`."""
    reliable: bool
    rule: str = "begin"
    """Name of the rule that led here, for the log."""

    @property
    def over(self) -> bool:
        """Nothing can happen any more; the holder may forget it."""
        return self.phase is Phase.TERMINATED


Step = tuple[Transaction, tuple[Effect, ...]]


def heard(code: int) -> Event:
    """The event that a response with this code is."""
    return Event.PROVISIONAL if code < 200 else Event.FINAL


def begin(
    now: float, reliable: bool, t1_s: float = T1_S, timeout_s: float | None = None
) -> Transaction:
    """A transaction whose request is sent now; without `timeout_s` it waits for 64 times T1."""
    ends_at = now + (TIMEOUT_T1 * t1_s if timeout_s is None else timeout_s)
    resend_at = None if reliable else now + min(t1_s, T2_S)
    wake_at = _earlier(ends_at, resend_at)
    return Transaction(Phase.TRYING, wake_at, ends_at, resend_at, t1_s, reliable)


def react(transaction: Transaction, event: Event, now: float) -> Step:
    """The transaction after `event`, and what is to be done; the first rule that fits decides."""
    for name, applies, follow, effects in _BY_PHASE_AND_EVENT[transaction.phase][event]:
        if applies(transaction, now):
            return follow(transaction, now, name), effects
    return transaction._replace(rule="ignored"), ()


def _earlier(ends_at: float, resend_at: float | None) -> float:
    """When timer E or F fires next."""
    return ends_at if resend_at is None or ends_at < resend_at else resend_at


# -- conditions -------------------------------------------------------------------------------


def _always(transaction: Transaction, now: float) -> bool:
    return True


def _ended(transaction: Transaction, now: float) -> bool:
    return now >= transaction.ends_at


def _resend_due(transaction: Transaction, now: float) -> bool:
    return transaction.resend_at is not None and now >= transaction.resend_at


def _reliable(transaction: Transaction, now: float) -> bool:
    return transaction.reliable


def _listened(transaction: Transaction, now: float) -> bool:
    return transaction.wake_at is None or now >= transaction.wake_at


# -- what follows -----------------------------------------------------------------------------


def _proceed(transaction: Transaction, now: float, rule: str) -> Transaction:
    # the RFC lets timer E run on; like the origin we start it anew, which spares a resend
    ends_at, reliable = transaction.ends_at, transaction.reliable
    resend_at = None if reliable else now + T2_S
    wake_at = _earlier(ends_at, resend_at)
    return Transaction(Phase.PROCEEDING, wake_at, ends_at, resend_at, T2_S, reliable, rule)


def _stay(transaction: Transaction, now: float, rule: str) -> Transaction:
    return transaction._replace(rule=rule)


def _resend(transaction: Transaction, now: float, rule: str) -> Transaction:
    phase, _, ends_at, due_at, interval_s, reliable, _ = transaction
    interval_s = T2_S if phase is Phase.PROCEEDING else min(2 * interval_s, T2_S)
    resend_at = (now if due_at is None else due_at) + interval_s
    if resend_at <= now:
        # woken very late: one resend makes up for all that were missed
        resend_at = now + interval_s
    wake_at = _earlier(ends_at, resend_at)
    return Transaction(phase, wake_at, ends_at, resend_at, interval_s, reliable, rule)


def _complete(transaction: Transaction, now: float, rule: str) -> Transaction:
    _, _, ends_at, _, interval_s, reliable, _ = transaction
    return Transaction(Phase.COMPLETED, now + T4_S, ends_at, None, interval_s, reliable, rule)


def _terminate(transaction: Transaction, now: float, rule: str) -> Transaction:
    _, _, ends_at, _, interval_s, reliable, _ = transaction
    return Transaction(Phase.TERMINATED, None, ends_at, None, interval_s, reliable, rule)


# -- the table --------------------------------------------------------------------------------

_Condition = Callable[[Transaction, float], bool]
_Follow = Callable[[Transaction, float, str], Transaction]


class Move(NamedTuple):
    """One row: in these phases, on this event, if this holds, it goes on so."""

    name: str
    phases: tuple[Phase, ...]
    event: Event
    applies: _Condition
    follow: _Follow
    effects: tuple[Effect, ...] = ()


_OPEN = (Phase.TRYING, Phase.PROCEEDING)
_DONE = (Phase.COMPLETED,)
_DELIVER, _RESEND = (Effect.DELIVER,), (Effect.RESEND,)
_TIME_OUT, _FAIL = (Effect.TIME_OUT,), (Effect.FAIL,)

# fmt: off
RULES = (
    Move("provisional", (Phase.TRYING,),     Event.PROVISIONAL, _always,     _proceed),
    Move("again",       (Phase.PROCEEDING,), Event.PROVISIONAL, _always,     _stay),
    Move("final",       _OPEN,               Event.FINAL,       _reliable,   _terminate, _DELIVER),
    Move("final",       _OPEN,               Event.FINAL,       _always,     _complete,  _DELIVER),
    Move("timer F",     _OPEN,               Event.WAKE,        _ended,      _terminate, _TIME_OUT),
    Move("timer E",     _OPEN,               Event.WAKE,        _resend_due, _resend,    _RESEND),
    Move("early",       _OPEN,               Event.WAKE,        _always,     _stay),
    Move("send failed", _OPEN,               Event.SEND_FAILED, _always,     _terminate, _FAIL),
    Move("absorbed",    _DONE,               Event.FINAL,       _always,     _stay),
    Move("timer K",     _DONE,               Event.WAKE,        _listened,   _terminate),
)
"""RFC 3261 section 17.1.2.2, figure 6; what no row tells is ignored."""
# fmt: on

_Row = tuple[str, _Condition, _Follow, tuple[Effect, ...]]
_BY_PHASE_AND_EVENT: dict[Phase, dict[Event, tuple[_Row, ...]]] = {
    phase: {
        event: tuple(
            (rule.name, rule.applies, rule.follow, rule.effects)
            for rule in RULES
            if phase in rule.phases and rule.event is event
        )
        for event in Event
    }
    for phase in Phase
}
