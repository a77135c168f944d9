"""Keep-alives over UDP: what holds open the way back through a NAT (RFC 5626 section 3.5)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pjreg_cli.engine.batches import Batches
    from pjreg_cli.engine.timers import Timers
    from pjreg_cli.net.flow import Flow


class KeepAlive:
    """Sends a line end every so often over each flow that `in_use` names."""

    def __init__(self, timers: Timers, jobs: Batches, in_use: Callable[[], Iterable[Flow]]) -> None:
        self._timers = timers
        self._jobs = jobs
        self._in_use = in_use
        self._every_s = 0.0
        self.timer_at: float | None = None

    def every(self, interval_s: float) -> None:
        """Seconds between two of them, 0 for none."""
        if interval_s == self._every_s:
            return
        self._every_s = interval_s
        self._timers.arm(self, self._timers.clock() + interval_s if interval_s > 0 else None)

    def wake(self, now: float) -> None:
        """It is time for the next ones."""
        self._timers.arm(self, now + self._every_s)
        self._jobs.do(self._all())

    def _all(self) -> Iterator[None]:
        for flow in [flow for flow in self._in_use() if not flow.reliable]:
            flow.keep_alive()
            yield
