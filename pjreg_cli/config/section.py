"""One section of a configuration file: its options with their places."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Any, cast

Entry = tuple[str, str, int, str]
"""One `key = value` of a section, its line and path (inherited ones: in the template).  A bare
tuple, as half a million of them are made while a large file is read."""


class Section:
    """`[name]` and all that belongs to it, in the order in which it counts."""

    __slots__ = ("_entries", "_packed", "line", "name", "path", "template", "wizard")

    def __init__(
        self,
        name: str,
        path: str,
        line: int,
        *,
        entries: list[Entry] | None = None,
        wizard: str = "",
    ) -> None:
        self.name = name
        self.path = path
        self.line = line
        self.template = False
        self.wizard = wizard
        """The wizard that made it up; empty for a section of a file."""
        self._entries: list[Entry] | None = [] if entries is None else entries
        self._packed: tuple[str | int, ...] = ()

    @property
    def entries(self) -> list[Entry]:
        """The options, to be added to; not the same list any more once it was packed."""
        entries = self._entries
        if entries is None:
            values = iter(cast(Any, self._packed))
            entries = self._entries = list(zip(values, values, values, values, strict=True))
            self._packed = ()
        return entries

    def options(self) -> Iterator[tuple[str, str]]:
        """The names and values of all entries in their order; what is packed stays so."""
        if self._entries is None:
            names, values = cast(Any, self._packed[::4]), cast(Any, self._packed[1::4])
            return zip(names, values, strict=True)
        return ((entry[0], entry[1]) for entry in self._entries)

    def pack(self) -> None:
        """Take a third of the room until somebody looks again: of fifty thousand sections nearly
        all are waiting to be looked at once."""
        if self._entries is not None:
            self._packed = tuple(chain.from_iterable(self._entries))
            self._entries = None

    def last(self, key: str) -> Entry | None:
        """The entry that counts for a key (in lower case; letter case does not matter)."""
        for entry in reversed(self.entries):
            if entry[0].lower() == key:
                return entry
        return None

    def all(self, key: str) -> list[Entry]:
        """Every entry of a key (in lower case; letter case does not matter)."""
        return [entry for entry in self.entries if entry[0].lower() == key]
