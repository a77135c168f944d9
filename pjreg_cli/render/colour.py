"""Colour for the words that tell how a registration stands; never other text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

#: select graphic rendition, by status word
_CODES = {
    "Registered": "32",
    "Unregistered": "33",
    "Rejected": "31",
    "Stopped": "35",
}
#: A status stands in a column of its own: two blanks before it, two or the end of the line behind.
_WORD = re.compile(rf"(?<=  )(?:{'|'.join(_CODES)})(?=  |$)", re.MULTILINE)


class Span(NamedTuple):
    """A status word within a text."""

    start: int
    end: int
    word: str


def spans(text: str) -> Iterator[Span]:
    """The status words of a text of whole lines, in order."""
    return (Span(found.start(), found.end(), found[0]) for found in _WORD.finditer(text))


def paint(text: str, enabled: bool) -> str:
    """The same text, its status words coloured by ANSI escapes if `enabled`.

    `text` is whole lines; a long output may be painted chunk by chunk.
    """
    if not enabled:
        return text
    return _WORD.sub(lambda found: f"\x1b[{_CODES[found[0]]}m{found[0]}\x1b[0m", text)
