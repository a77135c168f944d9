"""Rows of a table as sections, which the same rules make objects of as of those in files (pure).

What is wrong with one is told as `TABLE[ID].COLUMN` instead of `file:line`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from typing import Final, Protocol

from pjreg_cli.config.section import Section

ESSENTIAL: Final = {
    "registration": ("id", "client_uri", "server_uri"),
    "auth": ("id", "username"),
}
"""Columns without which a table cannot be what it is said to be."""

_ESCAPE: Final = re.compile(r"\^([0-9A-Fa-f]{2})")


class Record(Protocol):
    """One row: its id and the columns that are not null, as text."""

    @property
    def id(self) -> str: ...
    @property
    def columns(self) -> Iterable[tuple[str, str]]: ...


def sections(table: str, records: Iterable[Record], options: Collection[str]) -> Iterator[Section]:
    """A section for each row.  Columns that are empty are options not set; those that are no
    option belong to another version or to somebody else and are passed over."""
    for record in records:
        path = f"{table}[{record.id}]"
        section = Section(record.id, path, 0)
        for column, value in record.columns:
            if column not in options or value == "":
                continue
            for part in values(value):
                section.entries.append((column, part, 0, path))
        yield section


def values(text: str) -> list[str]:
    """The values of a column: separated by semicolons; `^3B` is a semicolon, `^5E` a `^`."""
    if ";" not in text and "^" not in text:
        return [text]
    return [_ESCAPE.sub(_decoded, part) for part in text.split(";") if part.strip()]


def _decoded(found: re.Match[str]) -> str:
    return chr(int(found[1], 16))


def of_table(source: str) -> bool:
    """Whether an object with this `source` came from a table."""
    return source.endswith("]")
