"""One heap of due moments and one handle of the event loop for all of them."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from typing import Protocol

from pjreg_cli.counters import Tally
from pjreg_cli.engine.contain import Contained


class Sleeper(Protocol):
    """Something that wants to be called at a moment, at most one at a time."""

    timer_at: float | None
    """The moment it is armed for; kept by `Timers`."""

    def wake(self, now: float) -> None:
        """The moment has come; may arm again."""
        ...


class Timers:
    """Wakes sleepers at their moments, in seconds of the loop's clock.

    A sleeper that is armed anew leaves its old entry in the heap, where it is recognised as stale
    when it comes up: cheaper than finding it.  Where more than half of a heap is stale, it is made
    anew: what is cancelled again and again far ahead of its time takes no more room than it needs.
    A sleeper that raises is logged and counted in `failures`; the others are woken all the same.
    """

    #: sleepers woken in one go before the loop may look at its sockets again
    BATCH = 200
    #: stale entries that are not worth a new heap
    FEW = 64

    def __init__(
        self, loop: asyncio.AbstractEventLoop, clock: Callable[[], float] | None = None
    ) -> None:
        self._loop = loop
        self.clock = clock or loop.time
        self._heap: list[tuple[float, int, Sleeper]] = []
        self._count = 0
        self._stale = 0
        self.failures = Tally()
        """How often a sleeper raised."""
        self._handle: asyncio.TimerHandle | None = None
        self._handle_at = 0.0

    @property
    def size(self) -> int:
        """The entries of the heap, stale ones among them."""
        return len(self._heap)

    def arm(self, sleeper: Sleeper, at: float | None) -> None:
        """Wake `sleeper` at `at` instead of any moment armed before; None: not at all."""
        if sleeper.timer_at == at:
            return
        if sleeper.timer_at is not None:
            self._stale += 1
            if self._stale > self.FEW and 2 * self._stale > len(self._heap):
                sleeper.timer_at = None
                self._compact()
        sleeper.timer_at = at
        if at is None:
            return
        self._count += 1
        heapq.heappush(self._heap, (at, self._count, sleeper))
        if self._handle is None or at < self._handle_at:
            self._schedule(at)

    def close(self) -> None:
        """Forget everything; nobody is woken any more."""
        self._heap.clear()
        self._stale = 0
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _compact(self) -> None:
        """Keep those entries only whose moment still holds, one for each sleeper."""
        kept = {id(entry[2]): entry for entry in self._heap if entry[2].timer_at == entry[0]}
        self._heap = list(kept.values())
        heapq.heapify(self._heap)
        self._stale = 0

    def _pop(self) -> Sleeper | None:
        """Take the first entry; None when it was stale."""
        at, _number, sleeper = heapq.heappop(self._heap)
        if sleeper.timer_at == at:
            return sleeper
        self._stale -= 1
        return None

    def _schedule(self, at: float) -> None:
        if self._handle is not None:
            self._handle.cancel()
        self._handle_at = at
        self._handle = self._loop.call_at(at, self._ring)

    def rearm(self) -> bool:
        """Schedule again if the next moment were to pass unnoticed, which must not be; whether it
        was so."""
        self._drop_stale()
        if not self._heap or (self._handle is not None and self._handle_at <= self._heap[0][0]):
            return False
        self._schedule(self._heap[0][0])
        return True

    def _ring(self) -> None:
        self._handle = None
        now = self.clock()
        try:
            for _ in range(self.BATCH):
                if not self._heap or self._heap[0][0] > now:
                    break
                if (sleeper := self._pop()) is not None:
                    sleeper.timer_at = None
                    with Contained(self.failures, "the timer of %s", type(sleeper).__name__):
                        sleeper.wake(now)
        finally:
            # `wake` may have scheduled already, for an earlier moment at most
            self.rearm()

    def _drop_stale(self) -> None:
        while self._heap and self._heap[0][2].timer_at != self._heap[0][0]:
            self._pop()
