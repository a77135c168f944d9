"""Which registrations are shown, in which order, and how many with which word."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from pjreg_cli.config.words import in_order
from pjreg_cli.engine.views import word_of
from pjreg_cli.registration.state import Status

if TYPE_CHECKING:
    from pjreg_cli.config.models import Registration
    from pjreg_cli.engine.entry import Entry


class Shown:
    """Those of the configuration in force, with a state or without, and those that were removed
    and have not ended yet.  `entries` are those with a state."""

    def __init__(self, entries: Mapping[str, Entry]) -> None:
        self._entries = entries
        self._configured: Mapping[str, Registration] = {}
        self._stopped: dict[str, Entry] = {}
        self._order: list[str] | None = None
        self._words: Counter[str] = Counter()

    def configure(self, registrations: Mapping[str, Registration]) -> None:
        """Show these from now on."""
        before, self._configured = self._configured, registrations
        if registrations is not before and registrations.keys() != before.keys():
            self._order = None

    def stop(self, entry: Entry) -> None:
        """Go on showing one that is configured no longer, until it has ended."""
        self._stopped[entry.name] = entry
        self._order = None

    def drop(self, entry: Entry) -> None:
        """It has ended."""
        if self._stopped.get(entry.name) is entry:
            del self._stopped[entry.name]
            self._order = None

    def recount(self, entry: Entry) -> None:
        """Keep `words` true after anything that may have changed what is shown of an entry."""
        name = entry.name
        shown = self._entries.get(name) is entry or self._stopped.get(name) is entry
        word = word_of(entry) if shown else None
        if word != entry.counted:
            if entry.counted:
                self._words[entry.counted] -= 1
            if word:
                self._words[word] += 1
            entry.counted = word

    def standing(self) -> tuple[frozenset[str], frozenset[str]]:
        """Names of permanently rejected registrations, and of those configured without a state; a
        thread may ask."""
        entries = dict(self._entries)  # in one go, as the loop may change it meanwhile
        rejected = (
            name
            for name, entry in entries.items()
            if entry.state.status is Status.REJECTED_PERMANENT
        )
        forgotten = (name for name in self._configured if name not in entries)
        return frozenset(rejected), frozenset(forgotten)

    def held(self) -> Iterator[tuple[Registration, Entry | None]]:
        """See views.Held; valid while it is read slowly."""
        if self._order is None:
            configured = self._configured
            stopped = (name for name in self._stopped if name not in configured)
            self._order = in_order((*configured, *stopped))
        return self._held(self._order)

    def _held(self, order: list[str]) -> Iterator[tuple[Registration, Entry | None]]:
        for name in order:
            if (found := self.find(name)) is not None:
                yield found

    def find(self, name: str) -> tuple[Registration, Entry | None] | None:
        """A registration's settings and its state, if it has any."""
        entry = self._entries.get(name)
        if entry is not None:
            return entry.settings, entry
        settings = self._configured.get(name)
        if settings is not None:
            return settings, None
        stopped = self._stopped.get(name)
        return None if stopped is None else (stopped.settings, stopped)

    def words(self) -> Mapping[str, int]:
        """How many registrations are shown with each word."""
        shown = self._words.copy()
        shown["Unregistered"] += max(0, len(self._configured) - len(self._entries))
        return {word: number for word, number in shown.items() if number}
