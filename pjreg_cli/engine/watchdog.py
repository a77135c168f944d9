"""What must hold of every registration at every moment, and who looks after it.

A registration has a wake, a request under way, or a reason to rest; anything else would keep it
silent for good while every table shows what it was.  The rules that bring that about stand in the
machine and in the engine; this is the watchman, for the day that one of them is wrong.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from pjreg_cli.engine.contain import Contained
from pjreg_cli.registration.state import Status

if TYPE_CHECKING:
    from pjreg_cli.counters import Counters
    from pjreg_cli.engine.entry import Attempt, Entry
    from pjreg_cli.engine.timers import Timers
    from pjreg_cli.registration.state import State

_log = logging.getLogger("pjreg_cli.engine")

#: seconds between two rounds; what is wrong in two of them in a row is mended
EVERY_S = 20.0
#: registrations looked at in one turn of the loop, and the pause until the next turn, in seconds
SLICE = 200
PAUSE_S = 0.02
#: how late a timer may be, in seconds: a busy loop is no fault
LATE_S = 5.0
#: how long a look-up may take, and a request wait for its turn, in seconds
LONGEST_LOOKUP_S = 120.0
LONGEST_WAIT_S = 3600.0

#: statuses in which a registration may rest, unless it has begun and had no outcome yet
_RESTING = (Status.UNREGISTERED, Status.REJECTED_PERMANENT)


def fault(entry: Entry, now: float) -> str:
    """What keeps a registration from going on; empty when nothing does."""
    state = entry.state
    if state.in_flight is not None:
        return _stuck(entry.attempt, now)
    if state.leaving or state.status in (Status.STOPPING, Status.STOPPED):
        return "has ended, but was not taken away"
    if state.wake_at is None:
        begun = state.next_attempt_at is not None and entry.course is None
        rests = state.status in _RESTING and not begun
        return "" if rests else f"is {state.status.value} without a next attempt"
    if entry.timer_at != state.wake_at:
        return "has a next attempt that no timer stands for"
    return _late(entry.timer_at, now)


def _waiting(attempt: Attempt, now: float) -> str:
    return "waits for its turn without end" if _long(attempt, now, LONGEST_WAIT_S) else ""


def _stuck(attempt: Attempt | None, now: float) -> str:
    """What is wrong with the request that should be under way."""
    if attempt is None:
        return "waits for an attempt that does not exist"
    if attempt.locating:
        return "looks up its registrar without end" if _long(attempt, now, LONGEST_LOOKUP_S) else ""
    if attempt.parked:
        return _waiting(attempt, now)
    exchange = attempt.exchange
    if exchange is None:
        return "waits for a request that does not exist"
    if exchange.transaction is None:
        return _waiting(attempt, now)
    # (a datagram just sent shares a timer with others)
    at = exchange.transaction.wake_at if exchange.timer_at is None else exchange.timer_at
    return "waits for an answer without end" if at is None else _late(at, now)


def _long(attempt: Attempt, now: float, longest_s: float) -> bool:
    return now - attempt.since > longest_s


def _late(at: float, now: float) -> str:
    return f"has a timer that is {now - at:.0f} s late" if now - at > LATE_S else ""


class Watched(Protocol):
    """Who has the registrations."""

    def with_state(self) -> list[Entry]:
        """All of them, those that are leaving included."""
        ...

    def mend(self, entry: Entry) -> None:
        """Make a registration go on that does not."""
        ...


class Watchdog:
    """Looks at all registrations in turn, and has those mended that would never go on.

    `clock` and `call_later` are the loop's; it owes nothing to the timers it looks after.
    """

    def __init__(
        self,
        watched: Watched,
        timers: Timers,
        counters: Counters,
        call_later: Callable[[float, Callable[[], None]], asyncio.TimerHandle],
    ) -> None:
        self._watched = watched
        self._timers = timers
        self._call_later = call_later
        self._mended = counters.declare("healed", "registrations found without a deadline")
        self._faults = counters.declare("watch_failures", "rounds of the watch that failed")
        self._rearmed = counters.declare("timers_healed", "times the timers had to be set again")
        self._handle: asyncio.TimerHandle | None = None
        self._left: deque[Entry] = deque()
        self._suspects: dict[Entry, State] = {}

    def start(self) -> None:
        """Look for the first time in `EVERY_S` seconds."""
        self._handle = self._call_later(EVERY_S, self._look)

    def close(self) -> None:
        """Look no longer."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _look(self) -> None:
        with Contained(self._faults, "the watch over registrations") as fault:
            self._look_at_some()
        if fault.error is not None:
            self._left.clear()
        self._handle = self._call_later(PAUSE_S if self._left else EVERY_S, self._look)

    def _look_at_some(self) -> None:
        if not self._left:
            if self._timers.rearm():
                self._rearmed.add()
                _log.error("the timers had stopped and were set again")
            self._left.extend(self._watched.with_state())
        now = self._timers.clock()
        for _ in range(min(SLICE, len(self._left))):
            self._look_at(self._left.popleft(), now)

    def _look_at(self, entry: Entry, now: float) -> None:
        wrong = fault(entry, now)
        suspected = self._suspects.pop(entry, None)
        if not wrong:
            return
        if suspected != entry.state:
            # a stopped process finds everything late when it goes on: once is no proof
            self._suspects[entry] = entry.state
            return
        self._mended.add()
        _log.error("%s: %s; it is made to go on", entry.name, wrong)
        self._watched.mend(entry)
