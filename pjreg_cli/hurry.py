"""How long work may hold the event loop: less while somebody waits for an answer of the console.

A command takes a dozen turns of the loop from its connection to its answer.  While thousands
register, each of them would be as long as it may be.
"""

from __future__ import annotations

from typing import Final

#: for how long after a request turns are short, in seconds
_FOR_S: Final = 0.25
#: how long those are at most, in seconds
SHORT_S: Final = 0.001


class Hurry:
    """Instants are seconds of the loop's clock."""

    __slots__ = ("_until",)

    def __init__(self) -> None:
        self._until = 0.0

    def asked(self, now: float) -> None:
        """Somebody has asked for something, or is about to."""
        self._until = now + _FOR_S

    def turn_s(self, usual_s: float, now: float) -> float:
        """How long a turn may be that usually may last for `usual_s`, in seconds."""
        return min(usual_s, SHORT_S) if now < self._until else usual_s


HURRY: Final = Hurry()
"""That of this process."""
