"""Copies of final answers that come after the first one: no strangers, and of no use."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pjreg_cli.engine.timers import Timers

#: how often requests whose timer K has fired are cleared away, in seconds
_SWEEP_S = 0.5


class LateCopies:
    """What is left of requests that have their final answer: late copies of it belong to them
    until timer K fires (RFC 3261 section 17.1.2.2).

    Two of them for each registration of a large fleet outlive their use by seconds, so that they
    are kept and forgotten together, those of a tenth of a second in one go.
    """

    #: for how long those kept together are answered after one another, in seconds
    SPAN_S = 0.1

    __slots__ = ("_cseqs", "_kept", "_timers", "_until", "timer_at")

    def __init__(self, timers: Timers) -> None:
        self._timers = timers
        self._kept: deque[tuple[float, dict[str, int]]] = deque()
        self._until = 0.0
        self._cseqs: dict[str, int] = {}
        """Those kept together last, by branch."""
        self.timer_at: float | None = None

    def add(self, branch: str, cseq: int, until: float) -> None:
        """Keep a request until its timer K, or a moment longer."""
        if until > self._until:
            self._until, self._cseqs = until + self.SPAN_S, {}
            self._kept.append((self._until, self._cseqs))
            if self.timer_at is None:
                self._timers.arm(self, self._until)
        self._cseqs[branch] = cseq

    def owns(self, branch: str, cseq: int) -> bool:
        """Whether a response with this branch and number is one."""
        now = self._timers.clock()
        return any(at > now and cseqs.get(branch) == cseq for at, cseqs in self._kept)

    def wake(self, now: float) -> None:
        """Forget those whose time is over."""
        kept = self._kept
        while kept and kept[0][0] <= now:
            kept.popleft()
        if kept:
            self._timers.arm(self, kept[0][0] + _SWEEP_S)

    def clear(self) -> None:
        """Forget them all."""
        self._kept.clear()
        self._until = 0.0
