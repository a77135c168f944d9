"""How long work may hold the event loop: less while somebody waits for an answer of the console.

A command takes seven turns of the loop from its connection to its answer.  While thousands
register, each of them would be as long as it may be.  So whoever has much to do leaves it for the
few turns that most commands take, and then makes short ones for a while.  Threads hand the
interpreter over sooner, too: each system call of the loop lets them have it, and it has to ask for
it back.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from math import inf
from typing import Final

#: for how long after a request turns are short, in seconds
_FOR_S: Final = 0.25
#: how long those are at most, in seconds
SHORT_S: Final = 0.001
#: for how long work is left for a request at most, in seconds, and for which part of the time: who
#: asks all the time must not keep registrations from what they need
HOLD_S: Final = 0.003
_ONE_IN: Final = 4
#: how long a thread may keep the interpreter while the loop wants it, in seconds: as a rule, and
#: where it is to step aside
_KEEP_S: Final = sys.getswitchinterval()
STEP_ASIDE_S: Final = 0.0002


class Hurry:
    """Instants are seconds of the loop's clock."""

    __slots__ = ("_aside", "_asked", "_held_at", "_held_until", "_next_at", "_until")

    def __init__(self) -> None:
        self._until = -inf
        self._asked = False
        """Somebody has asked lately, as far as anybody has looked at the clock."""
        self._held_at = self._held_until = self._next_at = -inf
        """When work was left last, until when, and when it may be again."""
        self._aside = 0
        """How many have threads step aside besides."""

    def asked(self, now: float) -> None:
        """Somebody has asked for something, or is about to."""
        self._until = now + _FOR_S
        if not self._asked:
            self._asked = True
            self._tell_threads()
        if now >= self._next_at:
            self._held_at, self._held_until = now, now + HOLD_S
            self._next_at = now + _ONE_IN * HOLD_S

    def answered(self, now: float) -> None:
        """Nobody waits any more."""
        if self.holds(now):
            self._held_until = now
            self._next_at = now + (_ONE_IN - 1) * (now - self._held_at)

    def holds(self, now: float) -> bool:
        """Whether whoever has much to do should leave it for a turn, and come back."""
        return self._held_at <= now < self._held_until

    def turn_s(self, usual_s: float, now: float) -> float:
        """How long a turn may be that usually may last for `usual_s`, in seconds."""
        if now < self._until:
            return min(usual_s, SHORT_S)
        if self._asked:
            self._asked = False
            self._tell_threads()
        return usual_s

    @contextmanager
    def threads_step_aside(self) -> Iterator[None]:
        """While a thread makes much, it hands the interpreter over as soon as the loop wants it."""
        self._aside += 1
        self._tell_threads()
        try:
            yield
        finally:
            self._aside -= 1
            self._tell_threads()

    def _tell_threads(self) -> None:
        sys.setswitchinterval(STEP_ASIDE_S if self._asked or self._aside else _KEEP_S)


HURRY: Final = Hurry()
"""That of this process."""
