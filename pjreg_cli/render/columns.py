"""Columns of tables: padding and cutting counted in bytes, as Asterisk's C does.

For text of ASCII alone bytes and characters are the same and the fast way is taken.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container, Iterable, Iterator, Sequence

#: between two columns of a table of our own
GAP = 2
#: no column is made narrower
_NARROWEST = 5
#: what the last column of a table needs to be read, where that is a sentence
_SENTENCE = 24

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


def grid(
    head: tuple[str, ...], rows: Iterable[tuple[str, ...]], terminal: int = 0
) -> Iterator[str]:
    """A plain table of our own: columns as wide as their widest cell, two blanks between them.

    The last column is a sentence: it is not padded, and on a `terminal` of so many columns (0:
    there is none) it goes on below itself.  Lines end with a line feed.
    """
    table = [head, *rows]
    front = [row[:-1] for row in table]
    longest = max(cells(row[-1]) for row in table)
    left = terminal - min(longest, _SENTENCE) - GAP if terminal else 0
    sizes = fitted(front, left)
    room = terminal - sum(sizes) - GAP * len(sizes) if terminal else 0
    for row in table:
        yield from wrapped(f"{line(row[:-1], sizes)}{' ' * GAP}", row[-1], room and terminal)


def fitted(rows: Sequence[Sequence[str]], width: int, kept: Container[int] = ()) -> tuple[int, ...]:
    """How broad the columns are so that a row has `width` cells at most (0: as many as it takes).

    The broadest give way, the `kept` ones only where nothing else helps.
    """
    sizes = [max(map(cells, column)) for column in zip(*rows, strict=True)]
    room = width - GAP * (len(sizes) - 1)
    giving = {at: size for at, size in enumerate(sizes) if at not in kept} if width else {}
    while (over := sum(sizes) - room) > 0 and giving and max(giving.values()) > _NARROWEST:
        broadest = max(giving.values())
        # all that are as broad give way together, down to the next
        equal = [at for at, size in giving.items() if size == broadest]
        below = max((size for size in giving.values() if size < broadest), default=_NARROWEST)
        most = broadest - max(below, _NARROWEST)
        each, rest = divmod(min(over, most * len(equal)), len(equal))
        for number, at in enumerate(equal):
            sizes[at] = giving[at] = broadest - each - (number < rest)
    if width and kept and sum(sizes) > room:
        return fitted(rows, width)
    return tuple(sizes)


def line(row: Sequence[str], sizes: Sequence[int]) -> str:
    """A row of a table, each cell exactly as broad as its column; without a line end."""
    return (" " * GAP).join(fit(cell, size) for cell, size in zip(row, sizes, strict=True))


def wrapped(front: str, text: str, width: int) -> Iterator[str]:
    """Lines of `width` cells at most (0: one line), `text` behind `front` and below itself.

    Broken at blanks; a word alone that is too long is broken where it must be.
    """
    indent = cells(front)
    room = max(width - indent, _NARROWEST) if width else 0
    if not room or (cells(text) <= room and text.isprintable()):
        yield f"{front}{text}".rstrip() + "\n"
        return
    now = ""
    for word in text.split():
        if now and cells(now) + 1 + cells(word) > room:
            yield f"{front}{now}\n"
            front, now = " " * indent, ""
        now = f"{now} {word}" if now else word
        while cells(now) > room:
            piece = _beginning(now, room)
            yield f"{front}{piece}\n"
            front, now = " " * indent, now[len(piece) :]
    # a text of blanks alone leaves what is in front of it
    yield f"{front}{now}".rstrip() + "\n"


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
    short = _beginning(text, columns - 1) + "…"
    return short + " " * (columns - cells(short))


def _beginning(text: str, columns: int) -> str:
    """As many signs as so many columns of a terminal hold."""
    room = columns
    for at, sign in enumerate(text):
        room -= cells(sign)
        if room < 0:
            return text[:at]
    return text
