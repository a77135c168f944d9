"""Turns of work for streams: no peer holds the event loop, however much it sends.

A connection looks at what came at once, as long as all of them together have not used up what a
turn of the loop may take.  The rest waits in a queue and is worked off in slices, each connection
in its turn, with a look at all other sockets and timers in between.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Protocol

from pjreg_cli.hurry import HURRY

#: work on what has come in, in seconds, before others on the loop get their turn
TURN_S = 0.005
#: the time over which that is counted, in seconds
_PERIOD_S = 0.02


class Worker(Protocol):
    """Somebody with work that can be cut into slices."""

    def work(self) -> bool:
        """Do a slice; whether some is left."""
        ...


class Turns:
    """Who works when."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[Worker] = deque()
        self._began_at = 0.0
        self._spent_s = 0.0

    def ready(self, worker: Worker) -> None:
        """Let `worker` do all its work, beginning now if there is time."""
        if not self._waiting and self._has_time() and not self._slice(worker):
            return
        self._waiting.append(worker)
        if len(self._waiting) == 1:
            self._loop.call_soon(self._run)

    def _has_time(self) -> bool:
        now = self._loop.time()
        if now - self._began_at >= _PERIOD_S:
            self._began_at, self._spent_s = now, 0.0
        return self._spent_s < HURRY.turn_s(TURN_S, now)

    def _slice(self, worker: Worker) -> bool:
        began_at = self._loop.time()
        try:
            return worker.work()
        finally:
            self._spent_s += self._loop.time() - began_at

    def _run(self) -> None:
        """One turn: slices in rotation until the time is over."""
        began_at = self._loop.time()
        if HURRY.holds(began_at):
            self._loop.call_soon(self._run)
            return
        ends_at = began_at + HURRY.turn_s(TURN_S, began_at)
        waiting = self._waiting
        try:
            while waiting:
                worker = waiting.popleft()
                if worker.work():
                    waiting.append(worker)
                if self._loop.time() >= ends_at:
                    break
        finally:
            if waiting:
                self._loop.call_soon(self._run)
