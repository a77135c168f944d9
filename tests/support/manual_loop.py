"""As much of an event loop as timers need, with a clock that is moved by hand."""

from __future__ import annotations

import heapq
from asyncio import AbstractEventLoop
from collections.abc import Callable
from typing import cast


class Handle:
    """What `call_at` gives back."""

    def __init__(self) -> None:
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class ManualLoop:
    """Calls what is due, in order, when the clock is moved past it."""

    def __init__(self) -> None:
        self.now = 0.0
        self.calls = 0
        """How many callbacks were called."""
        self._heap: list[tuple[float, int, Callable[[], None], Handle]] = []
        self._count = 0

    def as_loop(self) -> AbstractEventLoop:
        """Itself, as the type that is asked for: timers use nothing but these methods."""
        return cast(AbstractEventLoop, self)

    def time(self) -> float:
        return self.now

    def call_at(self, at: float, callback: Callable[[], None]) -> Handle:
        handle = Handle()
        self._count += 1
        heapq.heappush(self._heap, (at, self._count, callback, handle))
        return handle

    def run_until(self, at: float) -> None:
        """Move the clock to `at`, calling everything that becomes due on the way."""
        while self._heap and self._heap[0][0] <= at:
            due, _number, callback, handle = heapq.heappop(self._heap)
            if not handle.cancelled:
                self.now = max(self.now, due)
                self.calls += 1
                callback()
        self.now = at
