"""One heap of due moments and one handle of the event loop for all of them."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from typing import Protocol


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
    when it comes up: cheaper than finding it, and the moments of one sleeper are few.
    """

    #: sleepers woken in one go before the loop may look at its sockets again
    BATCH = 200

    def __init__(
        self, loop: asyncio.AbstractEventLoop, clock: Callable[[], float] | None = None
    ) -> None:
        self._loop = loop
        self.clock = clock or loop.time
        self._heap: list[tuple[float, int, Sleeper]] = []
        self._count = 0
        self._handle: asyncio.TimerHandle | None = None
        self._handle_at = 0.0

    def arm(self, sleeper: Sleeper, at: float | None) -> None:
        """Wake `sleeper` at `at` instead of any moment armed before; None: not at all."""
        if sleeper.timer_at == at:
            return
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
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _schedule(self, at: float) -> None:
        if self._handle is not None:
            self._handle.cancel()
        self._handle_at = at
        self._handle = self._loop.call_at(at, self._ring)

    def _ring(self) -> None:
        self._handle = None
        now = self.clock()
        for _ in range(self.BATCH):
            if not self._heap or self._heap[0][0] > now:
                break
            at, _number, sleeper = heapq.heappop(self._heap)
            if sleeper.timer_at == at:
                sleeper.timer_at = None
                sleeper.wake(now)
        while self._heap and self._heap[0][2].timer_at != self._heap[0][0]:
            heapq.heappop(self._heap)  # stale
        if self._heap:
            at = self._heap[0][0]
            # `wake` may have scheduled already, for an earlier moment at most
            if self._handle is None or at < self._handle_at:
                self._schedule(at)
