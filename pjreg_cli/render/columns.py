"""Columns of tables: padding and cutting counted in bytes, as Asterisk's C does.

For text of ASCII alone bytes and characters are the same and the fast way is taken.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

#: what is no character that can be seen, but tab and line feed: controls, what turns the direction
#: of writing, line and paragraph ends, and bytes that are no UTF-8
_CONTROL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff]"
)


def harmless(text: str) -> str:
    """Text from the network, fit for a terminal: control characters become `\\x1b` and the like."""
    return text if text.isascii() and text.isprintable() else _CONTROL.sub(_escaped, text)


def _escaped(found: re.Match[str]) -> str:
    number = ord(found[0])
    if 0xDC80 <= number <= 0xDCFF:
        number -= 0xDC00  # a byte, as surrogateescape has it
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"


def width(text: str) -> int:
    """The length of a text in bytes."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogateescape"))


def pad(text: str, columns: int) -> str:
    """Pad on the right to `columns` bytes; longer text stays as it is."""
    if text.isascii():
        return text.ljust(columns)
    return text + " " * (columns - width(text))


def cut(text: str, columns: int) -> str:
    """The first `columns` bytes; a character that does not fit as a whole is left out."""
    if text.isascii():
        return text[:columns]
    return text.encode("utf-8", "surrogateescape")[:columns].decode("utf-8", "ignore")


def grid(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """A plain table of our own: columns as wide as their widest cell, two blanks between them.

    The last column is not padded.  Lines end with a line feed.
    """
    table = [head, *rows]
    widths = [max(len(row[column]) for row in table) for column in range(len(head))]
    for row in table:
        cells = [cell.ljust(size) for cell, size in zip(row, widths, strict=True)]
        yield "  ".join(cells).rstrip() + "\n"


def cells(text: str) -> int:
    """How many columns of a terminal a text takes: two for the broad signs of East Asia."""
    if text.isascii():
        return len(text)
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)


def fit(text: str, columns: int) -> str:
    """Exactly so many columns of a terminal; what is cut off ends in a dot line."""
    size = cells(text)
    if size <= columns:
        return text + " " * (columns - size)
    kept: list[str] = []
    room = columns - 1
    for sign in text:
        room -= cells(sign)
        if room < 0:
            break
        kept.append(sign)
    short = "".join(kept) + "…"
    return short + " " * (columns - cells(short))
