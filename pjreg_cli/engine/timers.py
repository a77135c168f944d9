"""All due moments in their order, and one handle of the event loop for all of them."""

from __future__ import annotations

import asyncio
import heapq
import time
from collections import deque
from collections.abc import Callable, Iterable
from math import inf
from typing import Protocol

from pjreg_cli.counters import Tally
from pjreg_cli.engine.contain import report
from pjreg_cli.hurry import HURRY


class Sleeper(Protocol):
    """Something that wants to be called at a moment, at most one at a time."""

    timer_at: float | None
    """The moment it is armed for; kept by `Timers`."""

    def wake(self, now: float) -> None:
        """The moment has come; may arm again."""
        ...


_Entry = tuple[float, int, Sleeper]


class Timers:
    """Wakes sleepers at their moments, in seconds of the loop's clock.

    Many moments are armed the same time ahead (timer E of a request), so that they come in order:
    they go into one of the runs.  What is farther away, or fits into none, waits in no order with
    those of the same few seconds, as a bare sleeper that knows its moment: nearly all of a fleet
    does nothing but wait.  When these seconds begin they are put into order, into a run of their
    own.  What comes still later for them goes into a heap, which so is small.

    A sleeper that is armed anew leaves its old entry behind, where it is recognised as stale when
    it comes up: cheaper than finding it.  Where more than half of them are stale, all are gone
    through, a part at a time: what is cancelled again and again far ahead of its time takes no more
    room than it needs.
    A sleeper that raises is logged and counted in `failures`; the others are woken all the same.
    """

    #: sleepers woken in one go at most before the loop may look at its sockets again, how long
    #: that may take in seconds, and how many are woken between two looks at the clock
    BATCH = 200
    TURN_S = 0.005
    SLICE = 8
    #: stale entries that are not worth going through all
    FEW = 64
    #: how many moments are gone through in one go
    PART = 2_000
    #: how many seconds wait together in no order
    SPAN_S = 4.0
    #: how far ahead a moment may be to go into a run, in seconds: a resend, not a refresh
    NEAR_S = 4.5
    #: runs: one that a moment far ahead has closed to others should not be the only one
    RUNS = 3

    def __init__(
        self, loop: asyncio.AbstractEventLoop, clock: Callable[[], float] | None = None
    ) -> None:
        self._loop = loop
        if clock is None:
            # a loop's clock is that of the system, unless it has been given another one
            own = type(loop).time is asyncio.BaseEventLoop.time
            clock = time.monotonic if own else loop.time  # noqa: TID251 -- it is the loop's
        self.clock = clock
        self._heap: list[_Entry] = []
        self._runs: tuple[deque[_Entry], ...] = tuple(deque() for _ in range(self.RUNS))
        self._begun: deque[_Entry] = deque()
        """What had waited in spans that have begun, in order."""
        self._ordered = (self._begun, *self._runs)
        self._later: dict[int, list[Sleeper]] = {}
        """What waits in no order, by number of its span."""
        self._spans: list[int] = []
        """Their numbers, a heap; those that are not there any more may be among them."""
        self._opened = -1
        """Number of the last span that has begun."""
        self._unseen: list[int] | None = None
        """Spans that are still to be gone through for stale entries; None while nobody does."""
        self._seen = 0
        """How many of those in the last of these have been."""
        self._doubles = 0
        """Stale entries that cannot be told from others, as of the last time all were gone through:
        a sleeper was armed, not any more, and again for the same moment."""
        self._count = 0
        self._size = 0
        self._stale = 0
        self.failures = Tally()
        """How often a sleeper raised."""
        self._handle: asyncio.TimerHandle | None = None
        self._handle_at = 0.0

    @property
    def size(self) -> int:
        """The moments that are kept, stale ones among them."""
        return self._size

    def arm(self, sleeper: Sleeper, at: float | None) -> None:
        """Wake `sleeper` at `at` instead of any moment armed before; None: not at all."""
        if sleeper.timer_at == at:
            return
        if sleeper.timer_at is not None:
            self._stale += 1
            if self._stale > self.FEW and 2 * self._stale > self._size:
                sleeper.timer_at = None
                self._tidy()
        sleeper.timer_at = at
        if at is None:
            return
        self._size += 1
        for run in self._runs if at - self.clock() < self.NEAR_S else ():
            if not run or run[-1][0] <= at:
                run.append(self._entry(at, sleeper))
                break
        else:
            at = self._wait(at, sleeper)
        if self._handle is None or at < self._handle_at:
            self._schedule(at)

    def disarm(self, sleeper: Sleeper) -> None:
        """Do not wake `sleeper`, which is armed."""
        self._stale += 1
        sleeper.timer_at = None
        if self._stale > self.FEW and 2 * self._stale > self._size:
            self._tidy()

    def close(self) -> None:
        """Forget everything; nobody is woken any more."""
        self._spans.clear()
        self._later.clear()
        for held in (self._heap, *self._ordered):
            held.clear()
        self._unseen = None
        self._seen = self._size = self._stale = 0
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _entry(self, at: float, sleeper: Sleeper) -> _Entry:
        """Of those of one moment the first one comes first."""
        self._count += 1
        return at, self._count, sleeper

    def _wait(self, at: float, sleeper: Sleeper) -> float:
        """Put a sleeper to those of its span, or into the heap where that has begun; when somebody
        has to look at it."""
        span = int(at // self.SPAN_S)
        if span <= self._opened:
            heapq.heappush(self._heap, self._entry(at, sleeper))
            return at
        waiting = self._later.get(span)
        if waiting is None:
            self._later[span] = [sleeper]
            heapq.heappush(self._spans, span)
        else:
            waiting.append(sleeper)
        return span * self.SPAN_S

    def _open(self) -> None:
        """The first span has begun: put it into order."""
        self._opened = heapq.heappop(self._spans)
        waiting = self._later.pop(self._opened, [])
        live = self._live(self._opened, waiting)
        self._gone(len(waiting) - len(live))
        self._begun += sorted(self._entry(one.timer_at or 0.0, one) for one in live)

    def _live(self, span: int, waiting: list[Sleeper]) -> list[Sleeper]:
        """Those who still wait in a span for a moment of it, each once."""
        span_s = self.SPAN_S
        found = {
            id(one): one
            for one in waiting
            if one.timer_at is not None and one.timer_at // span_s == span
        }
        return list(found.values())

    def _gone(self, number: int) -> None:
        """So many stale entries are not there any more."""
        self._stale -= number
        self._size -= number

    def _tidy(self) -> None:
        """Drop stale entries, from a part of all."""
        if self._unseen is None:
            if self._stale <= 2 * self._doubles:
                return
            self._unseen = list(self._later)
        left = self.PART
        while self._unseen and left > 0:
            left -= self._tidy_first(self._unseen, left)
        if not self._unseen:
            self._unseen = None
            self._compact()
            self._doubles = self._stale

    def _tidy_first(self, unseen: list[int], most: int) -> int:
        """Drop stale entries of the span that is next to be gone through, of so many at most of
        those that wait in it; how many were looked at."""
        span = unseen[-1]
        waiting = self._later.get(span, [])
        part = waiting[self._seen : self._seen + most]
        live = self._live(span, part)
        waiting[self._seen : self._seen + most] = live
        self._gone(len(part) - len(live))
        self._seen += len(live)
        if self._seen >= len(waiting):  # it may have begun meanwhile
            unseen.pop()
            self._seen = 0
            if not waiting:
                self._later.pop(span, None)
        return len(part)

    def _compact(self) -> None:
        """Keep those entries of runs and heap only whose moment still holds, one for each
        sleeper."""
        before = len(self._heap) + sum(map(len, self._ordered))
        kept = [_holding(held) for held in (self._heap, *self._ordered)]
        left = sum(map(len, kept))
        if len({id(entry[2]) for held in kept for entry in held}) < left:
            # somebody was armed, not any more, and again for the same moment
            seen: set[int] = set()
            kept = [_first_of_each(held, seen) for held in kept]
            left = len(seen)
        self._gone(before - left)
        self._heap, *ordered = kept
        heapq.heapify(self._heap)
        for run, left_of_it in zip(self._ordered, ordered, strict=True):
            run.clear()
            run.extend(left_of_it)

    def _first(self) -> _Entry | None:
        """The first entry of those in order, the stale ones before it dropped; None when there is
        none."""
        first: _Entry | None = None
        heap = self._heap
        while heap and heap[0][2].timer_at != heap[0][0]:
            heapq.heappop(heap)
            self._stale -= 1
            self._size -= 1
        if heap:
            first = heap[0]
        for run in self._ordered:
            while run and run[0][2].timer_at != run[0][0]:
                run.popleft()
                self._stale -= 1
                self._size -= 1
            if run and (first is None or run[0] < first):
                first = run[0]
        return first

    def _schedule(self, at: float) -> None:
        if self._handle is not None:
            self._handle.cancel()
        self._handle_at = at
        self._handle = self._loop.call_at(at, self._ring)

    def rearm(self) -> bool:
        """Schedule again if the next moment were to pass unnoticed, which must not be; whether it
        was so."""
        first = self._first()
        at = inf if first is None else first[0]
        if self._spans:
            at = min(at, self._spans[0] * self.SPAN_S)
        if at == inf or (self._handle is not None and self._handle_at <= at):
            return False
        self._schedule(at)
        return True

    def _ring(self) -> None:
        self._handle = None
        now = self.clock()
        if HURRY.holds(now):
            self._schedule(now)
            return
        ends_at = now + HURRY.turn_s(self.TURN_S, now)
        while self._spans and self._spans[0] * self.SPAN_S <= now:
            self._open()
        try:
            for number in range(1, self.BATCH + 1):
                first = self._first()
                if first is None or first[0] > now:
                    break
                if number % self.SLICE == 0 and self.clock() >= ends_at:
                    break
                # it is left behind as a stale one, and is dropped as such in a moment
                sleeper = first[2]
                sleeper.timer_at = None
                self._stale += 1
                try:
                    sleeper.wake(now)
                except Exception as error:  # noqa: BLE001 -- whatever it is, it ends here
                    report(self.failures, error, "the timer of %s", type(sleeper).__name__)
        finally:
            # `wake` may have scheduled already, for an earlier moment at most
            self.rearm()


def _holding(held: Iterable[_Entry]) -> list[_Entry]:
    """The entries whose moment still holds."""
    return [entry for entry in held if entry[2].timer_at == entry[0]]


def _first_of_each(held: Iterable[_Entry], seen: set[int] | None = None) -> list[_Entry]:
    """The first entry of each sleeper, those that were `seen` left out."""
    found: list[_Entry] = []
    seen = set() if seen is None else seen
    for entry in held:
        if id(entry[2]) not in seen:
            seen.add(id(entry[2]))
            found.append(entry)
    return found
