"""Time that tests own: a clock moved by hand, and an event loop whose hours pass at once."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")

#: real seconds in which a datagram on loopback is certain to have arrived
_GRACE_S = 0.002


class ManualClock:
    """Seconds that pass only when told to; call it for the time."""

    def __init__(self, now: float = 0.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> float:
        """Let `seconds` pass; the new time."""
        if seconds < 0:
            raise ValueError("time does not run backwards")
        self.now += seconds
        return self.now


class _JumpingSelector(selectors.DefaultSelector):
    """Looks at the sockets, and where nothing moves lets the time pass that it should wait."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__()
        self._clock = clock
        self.held = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        idle = timeout is not None and timeout <= 0
        events = super().select(0 if idle else _GRACE_S)
        if events or idle:
            return events
        if timeout is None or self.held:
            return super().select(timeout)
        self._clock.advance(timeout)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop with real sockets and virtual time: when all sockets are quiet, the clock jumps
    to the next timer.

    Work in threads is not seen: `hold` keeps the clock from jumping meanwhile.
    """

    def __init__(self) -> None:
        self.clock = ManualClock()
        self._jumping = _JumpingSelector(self.clock)
        super().__init__(self._jumping)

    def time(self) -> float:
        return self.clock.now

    def hold(self) -> Callable[[], None]:
        """Let time pass no faster than it really does until the result is called."""
        self._jumping.held += 1

        def release() -> None:
            self._jumping.held -= 1

        return release

    # Any: from Python 3.12 on it is told how long it may take
    async def shutdown_default_executor(self, *patience: Any) -> None:
        release = self.hold()
        try:
            await super().shutdown_default_executor(*patience)
        finally:
            release()


def run_virtually(main: Coroutine[Any, Any, Result]) -> Result:  # Any: what it yields is asyncio's
    """Run `main` to its end on a `VirtualLoop`; sleeping for a day costs nothing."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)
