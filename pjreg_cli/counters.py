"""Counts of what an instance has met, by name: `pjreg show counters`.

Whoever counts declares the counter where it counts; nothing else has to know of it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class Count(NamedTuple):
    """A counter as it is shown."""

    name: str
    value: int
    meaning: str
    """What is counted, in one line."""


class Tally:
    """One count that only grows."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0

    def add(self, number: int = 1) -> None:
        """It has happened again."""
        self.value += number


class Counters:
    """All counters of one instance, in the order in which they were declared."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, Callable[[], int]]] = {}

    def declare(self, name: str, meaning: str) -> Tally:
        """A new counter at 0; `name` is of lower case letters and `_`."""
        counter = Tally()
        self.watch(name, meaning, lambda: counter.value)
        return counter

    def watch(self, name: str, meaning: str, read: Callable[[], int]) -> None:
        """Show what somebody else counts; `read` is called whenever counters are shown."""
        self._known[name] = meaning, read

    def counts(self) -> tuple[Count, ...]:
        """Where they stand."""
        return tuple(Count(name, read(), meaning) for name, (meaning, read) in self._known.items())
