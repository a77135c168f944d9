"""Big jobs in small pieces: what concerns a whole fleet never holds the event loop for long."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator

from pjreg_cli.hurry import HURRY

#: time that a job may take before others on the loop get their turn, in seconds
TURN_S = 0.002
#: steps between two looks at the clock
_STEPS = 8

Job = Iterator[None]
"""A job does one step whenever it is asked for the next item."""


class Turn:
    """For what goes through many in a loop of its own, and lets others go first now and then."""

    def __init__(self) -> None:
        self._now = asyncio.get_running_loop().time
        self._ends_at = 0.0

    def is_over(self) -> bool:
        """Whether others should get their turn now; the next question begins another."""
        now = self._now()
        if not self._ends_at:
            self._ends_at = now + HURRY.turn_s(TURN_S, now)
        if now < self._ends_at:
            return False
        self._ends_at = 0.0
        return True


class Batches:
    """Does jobs in the order in which they came, a batch in each turn of the loop.

    A job begins at once when none is under way, and a small one has ended when `do` returns.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._jobs: deque[Job] = deque()
        self._running = False
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def idle(self) -> bool:
        """Whether every job has ended."""
        return not self._jobs

    def do(self, job: Job) -> None:
        """Do a job when those before it have ended; it may ask for others."""
        self._jobs.append(job)
        if len(self._jobs) == 1:
            self._idle.clear()
            self._turn()

    async def done(self) -> None:
        """Wait until every job has ended."""
        await self._idle.wait()

    def close(self) -> None:
        """Forget what is left."""
        self._jobs.clear()
        self._idle.set()

    def _go_on(self) -> None:
        if HURRY.holds(self._loop.time()):
            self._loop.call_soon(self._go_on)
        else:
            self._turn()

    def _turn(self) -> None:
        began_at = self._loop.time()
        ends_at = began_at + HURRY.turn_s(TURN_S, began_at)
        try:
            while self._jobs and self._loop.time() < ends_at:
                self._steps(self._jobs[0])
        finally:
            if self._jobs:
                self._loop.call_soon(self._go_on)
            else:
                self._idle.set()

    def _steps(self, job: Job) -> None:
        try:
            for _ in range(_STEPS):
                next(job)
        except StopIteration:
            self._end(job)
        except BaseException:
            self._end(job)
            raise

    def _end(self, job: Job) -> None:
        if self._jobs and self._jobs[0] is job:
            self._jobs.popleft()
