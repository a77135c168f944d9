"""POSIX extended regular expressions, as `like` takes them, in terms of Python's.

The two languages differ where Python has extensions: `(?...)`, `\\d`, lazy and possessive
quantifiers, escapes inside brackets.  Here they mean what POSIX and the C library say.
"""

from __future__ import annotations

import re

_CLASSES = {
    "alpha": "a-zA-Z",
    "digit": "0-9",
    "alnum": "a-zA-Z0-9",
    "upper": "A-Z",
    "lower": "a-z",
    "space": r" \t\n\r\f\v",
    "blank": r" \t",
    "punct": r"!-/:-@\[-`{-~",
    "print": " -~",
    "graph": "!-~",
    "cntrl": r"\x00-\x1f\x7f",
    "xdigit": "0-9A-Fa-f",
}
#: what a backslash means before these, an extension of the C library
_ESCAPES = {"w": r"\w", "W": r"\W", "s": r"\s", "S": r"\S"}
#: what matches a place and no character; nothing of it can be repeated
_PLACES = {
    "^": r"\A",
    "$": r"\Z",
    r"\`": r"\A",
    r"\'": r"\Z",
    r"\b": r"\b",
    r"\B": r"\B",
    r"\<": r"\b(?=\w)",
    r"\>": r"\b(?<=\w)",
}
_BOUNDS = re.compile(r"\{(\d*)(,?)(\d*)\}")
#: the C library's limit on the numbers of `{n,m}`
_MOST = 32767


class PatternError(ValueError):
    """A pattern that cannot be compiled."""


def compile_pattern(pattern: str) -> re.Pattern[str]:
    """Compile an extended regular expression; `search` finds it anywhere, letter case matters.

    Raises PatternError.
    """
    try:
        return re.compile(_Translation(pattern).whole())
    except (re.error, OverflowError, RecursionError) as error:
        raise PatternError(str(error)) from error


class _Translation:
    """One pass over a pattern, left to right."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.at = 0
        self.groups = 0
        self.closed: set[int] = set()

    def whole(self) -> str:
        """The whole pattern."""
        return self._alternatives(depth=0)

    def _next(self) -> str:
        char = self.pattern[self.at]
        self.at += 1
        return char

    def _peek(self) -> str:
        return self.pattern[self.at : self.at + 1]

    def _alternatives(self, depth: int) -> str:
        # A branch may refer back to groups before the alternatives, not to those of other branches.
        before = frozenset(self.closed)
        branches = [self._branch(depth)]
        after = set(self.closed)
        while self._peek() == "|":
            self.at += 1
            self.closed = set(before)
            branches.append(self._branch(depth))
            after |= self.closed
        self.closed = after
        return "|".join(branches)

    def _branch(self, depth: int) -> str:
        pieces: list[str] = []
        while (char := self._peek()) and char != "|" and not (char == ")" and depth):
            place = self._place()
            pieces.append(place or self._quantified(self._atom(depth)))
            if place and self._peek() and self._peek() in "*+?{":
                raise PatternError("nothing to repeat")
        return "".join(pieces)

    def _place(self) -> str:
        for length in (1, 2):
            found = _PLACES.get(self.pattern[self.at : self.at + length])
            if found:
                self.at += length
                return found
        return ""

    def _atom(self, depth: int) -> str:
        char = self._next()
        if char in "*+?{":
            raise PatternError("nothing to repeat")
        if char == "(":
            return self._group(depth)
        if char == "[":
            return self._bracket()
        if char == "\\":
            return self._escape()
        if char == ".":
            return r"[\s\S]"
        return re.escape(char)

    def _group(self, depth: int) -> str:
        self.groups += 1
        number = self.groups
        inner = self._alternatives(depth + 1)
        if self._peek() != ")":
            raise PatternError("unmatched (")
        self.at += 1
        self.closed.add(number)
        return f"({inner})"

    def _escape(self) -> str:
        if not self._peek():
            raise PatternError("trailing backslash")
        char = self._next()
        if char in "123456789":
            if int(char) not in self.closed:
                raise PatternError(f"no group {char}")
            return f"(?:\\{char})"
        return _ESCAPES.get(char) or re.escape(char)

    def _quantified(self, atom: str) -> str:
        while quantifier := self._quantifier():
            atom = f"(?:{atom}){quantifier}"
        return atom

    def _quantifier(self) -> str:
        if self._peek() and self._peek() in "*+?":
            return self._next()
        if self._peek() != "{":
            return ""
        bounds = _BOUNDS.match(self.pattern, self.at)
        if not bounds or not any(bounds.groups()):
            raise PatternError("bad bounds")
        least, comma, most = bounds.groups()
        low, high = int(least or 0), int(most) if most else None
        if max(low, high or 0) > _MOST or (high is not None and high < low):
            raise PatternError("bad bounds")
        self.at = bounds.end()
        return f"{{{low}{comma}{'' if high is None else high}}}"

    def _bracket(self) -> str:
        negated = self._peek() == "^"
        self.at += negated
        items: list[str] = []
        first = True
        while first or self._peek() != "]":
            if not self._peek():
                raise PatternError("unmatched [")
            items.append(self._item())
            first = False
        self.at += 1
        return f"[{'^' if negated else ''}{''.join(items)}]"

    def _item(self) -> str:
        if self.pattern.startswith("[:", self.at):
            end = self.pattern.find(":]", self.at)
            name = self.pattern[self.at + 2 : end]
            if end < 0 or name not in _CLASSES:
                raise PatternError("unknown class")
            self.at = end + 2
            self._no_range()
            return _CLASSES[name]
        low = self._element()
        if not self._dash():
            return re.escape(low)
        self.at += 1
        if self.pattern.startswith("[:", self.at):
            raise PatternError("range without an end")
        high = self._element()
        if high < low:
            raise PatternError("range out of order")
        self._no_range()
        return f"{re.escape(low)}-{re.escape(high)}"

    def _dash(self) -> bool:
        """Whether a range goes on here; a `-` at the end of the brackets is an ordinary one."""
        return self._peek() == "-" and self.pattern[self.at + 1 : self.at + 2] not in ("]", "")

    def _no_range(self) -> None:
        """A class, and a range, begin no range."""
        if self._dash():
            raise PatternError("range without a beginning")

    def _element(self) -> str:
        """One character, perhaps written as `[.x.]` or `[=x=]`."""
        for mark in ".=":
            if self.pattern.startswith("[" + mark, self.at):
                if self.pattern[self.at + 3 : self.at + 5] != mark + "]":
                    raise PatternError("unknown collating element")
                self.at += 5
                return self.pattern[self.at - 3]
        if not self._peek():
            raise PatternError("unmatched [")
        return self._next()
