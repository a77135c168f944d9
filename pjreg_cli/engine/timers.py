"""All due moments in their order, and one handle of the event loop for all of them."""

from __future__ import annotations

import asyncio
import heapq
import time
from collections import deque
from collections.abc import Callable, Iterable
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

    Most moments are armed the same time ahead (timer E of a request, a refresh), so that they come
    in order: they go into one of the runs, and only what fits into none goes into the heap.

    A sleeper that is armed anew leaves its old entry behind, where it is recognised as stale when
    it comes up: cheaper than finding it.  Where more than half of them are stale, all are gone
    through: what is cancelled again and again far ahead of its time takes no more room than it
    needs.
    A sleeper that raises is logged and counted in `failures`; the others are woken all the same.
    """

    #: sleepers woken in one go at most before the loop may look at its sockets again, how long
    #: that may take in seconds, and how many are woken between two looks at the clock
    BATCH = 200
    TURN_S = 0.005
    SLICE = 8
    #: stale entries that are not worth going through all
    FEW = 64
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
                self._compact()
        sleeper.timer_at = at
        if at is None:
            return
        self._count += 1
        self._size += 1
        entry = (at, self._count, sleeper)
        for run in self._runs:
            if not run or run[-1][0] <= at:
                run.append(entry)
                break
        else:
            heapq.heappush(self._heap, entry)
        if self._handle is None or at < self._handle_at:
            self._schedule(at)

    def disarm(self, sleeper: Sleeper) -> None:
        """Do not wake `sleeper`, which is armed."""
        self._stale += 1
        sleeper.timer_at = None
        if self._stale > self.FEW and 2 * self._stale > self._size:
            self._compact()

    def close(self) -> None:
        """Forget everything; nobody is woken any more."""
        for held in (self._heap, *self._runs):
            held.clear()
        self._size = self._stale = 0
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _compact(self) -> None:
        """Keep those entries only whose moment still holds, one for each sleeper."""
        kept = [_holding(held) for held in (self._heap, *self._runs)]
        self._size = sum(map(len, kept))
        if len({id(entry[2]) for held in kept for entry in held}) < self._size:
            # somebody was armed, not any more, and again for the same moment
            seen: set[int] = set()
            kept = [_first_of_each(held, seen) for held in kept]
            self._size = len(seen)
        self._heap, *runs = kept
        heapq.heapify(self._heap)
        self._runs = tuple(map(deque, runs))
        self._stale = 0

    def _first(self) -> _Entry | None:
        """The entry that is due first, the stale ones before it dropped; None when there is
        none."""
        first: _Entry | None = None
        heap = self._heap
        while heap and heap[0][2].timer_at != heap[0][0]:
            heapq.heappop(heap)
            self._stale -= 1
            self._size -= 1
        if heap:
            first = heap[0]
        for run in self._runs:
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
        if first is None or (self._handle is not None and self._handle_at <= first[0]):
            return False
        self._schedule(first[0])
        return True

    def _ring(self) -> None:
        self._handle = None
        now = self.clock()
        ends_at = now + HURRY.turn_s(self.TURN_S, now)
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


def _first_of_each(held: Iterable[_Entry], seen: set[int]) -> list[_Entry]:
    """The first entry of each sleeper, those that were `seen` left out."""
    found: list[_Entry] = []
    for entry in held:
        if id(entry[2]) not in seen:
            seen.add(id(entry[2]))
            found.append(entry)
    return found
