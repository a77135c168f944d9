"""A line of the console taken apart into words, as Asterisk does it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

_BLANKS = " \t"
_SPECIAL = '"\\'


class Token(NamedTuple):
    """One word of a line."""

    text: str
    """Without quotes and backslashes."""
    start: int
    end: int
    """Where it stands in the line, quotes and backslashes included."""


class Tokens(NamedTuple):
    """A line's words, and what its end means to completion."""

    words: tuple[Token, ...]
    open: bool
    """The last word is still being typed: nothing separates it from the end of the line."""
    quoted: bool
    """A double quote has no partner yet."""


def tokenise(line: str) -> Tokens:
    """Take a line apart.

    Blanks and tabs separate words.  Double quotes keep them together and may begin and end within
    a word; a backslash takes the special meaning from the character behind it, inside quotes too.
    Single quotes are ordinary.  A missing closing quote and a backslash at the very end are
    forgiven.
    """
    words: list[Token] = []
    piece: list[str] = []
    start = -1
    quoted = escaped = False
    for at, char in enumerate(line):
        if char in _BLANKS and not quoted and not escaped:
            if start >= 0:
                words.append(Token("".join(piece), start, at))
                piece.clear()
                start = -1
            continue
        if start < 0:
            start = at
        if escaped or char not in _SPECIAL:
            piece.append(char)
            escaped = False
        elif char == "\\":
            escaped = True
        else:
            quoted = not quoted
    if start >= 0 and (piece or line[start:] != "\\"):
        words.append(Token("".join(piece), start, len(line)))
    return Tokens(tuple(words), start >= 0, quoted)


def quote(word: str, opened: bool = False) -> str:
    """The word as it must be typed to be read back; `opened`: behind a double quote."""
    if opened:
        return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return "".join("\\" + char if char in _SPECIAL + _BLANKS else char for char in word) or '""'


def joined(words: Iterable[str]) -> str:
    """Words with a blank between them, without quotes, as error lines repeat them."""
    return " ".join(words)
