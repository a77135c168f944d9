"""What a console is told of outcomes: of each registration it has asked for, of all in one line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from pjreg_cli.api.notices import Settled
from pjreg_cli.render import columns, evidence


@dataclass(slots=True)
class _Every:
    """A command for all registrations that is not done."""

    verb: str
    begun_at: float
    waiting: int
    """How many outcomes are still to come."""
    words: dict[str, str] = field(default_factory=dict)
    """How those stand that have come, by name."""


class Outcomes:
    """What one console has asked for and not been told of."""

    def __init__(self) -> None:
        self._asked: dict[str, str] = {}
        """`register` or `unregister`, by name."""
        self._every: _Every | None = None

    def ask(self, name: str, verb: str) -> None:
        """It asks this of one registration."""
        self._asked[name] = verb

    def forget(self, name: str) -> None:
        """There is no such registration."""
        self._asked.pop(name, None)

    def ask_all(self, verb: str, counts: Mapping[str, int], at: float) -> None:
        """It asks this of all of them, which stand like `counts`, at `at` seconds since 1970."""
        waiting = counts.get("Registered", 0) if verb == "unregister" else sum(counts.values())
        self._every = _Every(verb, at, waiting) if waiting else None

    @property
    def awaited(self) -> str:
        """What is still to come: `register *all: 4,208 Registered, 3 Rejected of 10,000`; empty
        when nothing is."""
        if (every := self._every) is not None:
            counts = sorted(Counter(every.words.values()).items())
            so_far = ", ".join(f"{count:,} {word}" for word, count in counts) or "0"
            return f"{every.verb} *all: {so_far} of {every.waiting:,}"
        return ", ".join(f"{verb} {columns.harmless(name)}" for name, verb in self._asked.items())

    def give_up(self) -> None:
        """Nothing more is wanted."""
        self._asked.clear()
        self._every = None

    def told(self, notice: Settled) -> str:
        """What to say of an outcome, empty when it is none of what was asked for; the last one is
        told once."""
        wanted = self._asked.get(notice.name)
        if wanted is not None:
            if wanted == notice.evidence.method:
                del self._asked[notice.name]
            return evidence.settled(notice)
        every = self._every
        if every is None or every.verb != notice.evidence.method or notice.name in every.words:
            return ""
        if every.verb == "register" and _on_its_way_out(notice):
            return ""
        every.words[notice.name] = notice.word
        if len(every.words) < every.waiting:
            return ""
        self._every = None
        took_s = notice.evidence.at - every.begun_at
        return evidence.all_settled(Counter(every.words.values()), took_s)


def _on_its_way_out(notice: Settled) -> bool:
    """Whether the outcome is that of a request which was under way when everything was taken off:
    the one asked for comes after it."""
    return notice.word in ("Unregistered", "Stopped") and not notice.next_attempt_s
