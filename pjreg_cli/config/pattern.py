"""POSIX extended regular expressions by the C library itself: `like`, history filters, AMI filters.

The library answers by an automaton, in time that grows with pattern and text and not with their
product of possibilities.  Back references (`\\1`) are the one thing that it cannot answer so: they
are refused, as is a pattern whose repetitions, written out, would be too long.  It works on bytes
in the locale `C`, as it does in Asterisk: `.` is one byte.
"""

from __future__ import annotations

import ctypes
import re
import weakref
from functools import lru_cache
from typing import Final

from pjreg_cli.errors import PjregError, excerpt

_LIBC: Final = ctypes.CDLL(None)
_EXTENDED: Final = 1
#: more than `regex_t` takes anywhere
_REGEX_T: Final = 256
_MESSAGE: Final = 256
_LC_ALL_MASK: Final = 0x1FBF
#: bytes of a pattern
_LONGEST: Final = 1_000
#: characters a pattern may stand for once its repetitions are written out
_MOST_ATOMS: Final = 1_000
#: bytes of a text that are looked at; names and events are far shorter
_MOST_TEXT: Final = 4_096
_INTERVAL = re.compile(rb"\{(\d*)(,?)(\d*)\}")
_BRACKET = re.compile(rb"\[\^?\]?(?:\[([:.=]).*?\1\]|[^\]])*\]", re.DOTALL)

_LIBC.newlocale.restype = ctypes.c_void_p
_LIBC.newlocale.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)
_LIBC.uselocale.restype = ctypes.c_void_p
_LIBC.uselocale.argtypes = (ctypes.c_void_p,)
_LIBC.regexec.argtypes = (
    ctypes.c_void_p,
    ctypes.c_char_p,
    ctypes.c_size_t,
    ctypes.c_void_p,
    ctypes.c_int,
)


class PatternError(PjregError):
    """A pattern that cannot be compiled."""


class RefusedPatternError(PatternError):
    """A pattern that the C library would take and that is not taken here."""


class Pattern:
    """A compiled pattern."""

    def __init__(self, expression: bytes) -> None:
        self._compiled = ctypes.create_string_buffer(_REGEX_T)
        plain = _LIBC.newlocale(_LC_ALL_MASK, b"C", None)
        before = _LIBC.uselocale(plain)
        try:
            error = _LIBC.regcomp(self._compiled, expression, _EXTENDED)
        finally:
            _LIBC.uselocale(before)
            _LIBC.freelocale(ctypes.c_void_p(plain))
        if error:
            message = ctypes.create_string_buffer(_MESSAGE)
            _LIBC.regerror(error, self._compiled, message, ctypes.c_size_t(_MESSAGE))
            raise PatternError(message.value.decode("ascii", "replace"))
        weakref.finalize(self, _LIBC.regfree, self._compiled)

    def search(self, text: str) -> bool:
        """Whether it is found anywhere in the text; letter case matters."""
        return self.search_bytes(text.encode("utf-8", "surrogateescape"))

    def search_bytes(self, text: bytes) -> bool:
        """The same of bytes."""
        found: int = _LIBC.regexec(self._compiled, text[:_MOST_TEXT], 0, None, 0)
        return found == 0


@lru_cache(maxsize=64)
def compile_pattern(pattern: str) -> Pattern:
    """Compile an extended regular expression; raises PatternError."""
    expression = pattern.encode("utf-8", "surrogateescape")
    if len(expression) > _LONGEST or b"\0" in expression:
        raise RefusedPatternError(f"a pattern has {_LONGEST} bytes at most, and none is zero")
    scan = _Scan(expression)
    plain = Pattern(expression)
    if not scan.balanced or scan.begins:
        return plain
    # Anchored, it is matched in one pass instead of once from every character of the text.
    return Pattern(b"^.*(" + expression + b")")


class _Scan:
    """One look over a pattern: what it would cost.  Raises RefusedPatternError.

    Whether it is a pattern at all is for the library to say.
    """

    def __init__(self, pattern: bytes) -> None:
        self._pattern = pattern
        self._at = 0
        self.balanced = True
        """No closing parenthesis without its opening one."""
        self.begins = False
        """It speaks of the beginning of the text; behind `.*` the GNU library finds that after
        every line feed."""
        self._sequence(0)

    def _sequence(self, depth: int) -> int:
        """The size of what stands up to the end of a group."""
        total, atom = 0, 0
        while self._at < len(self._pattern):
            char = self._pattern[self._at : self._at + 1]
            self._at += 1
            if char == b"(":
                atom = self._sequence(depth + 1)
            elif char == b")" and depth:
                break
            elif char == b"[":
                self._bracket()
                atom = 1
            elif char == b"{":
                atom *= self._times()
            elif char == b"\\":
                self._escape()
                atom = 1
            elif char in (b"*", b"+", b"?"):
                # a repeated atom may be written twice
                atom *= 2 if char == b"+" else 1
                continue
            else:
                self.balanced = self.balanced and char != b")"
                self.begins = self.begins or char == b"^"
                atom = 1
            total += atom
            if total > _MOST_ATOMS:
                raise RefusedPatternError(
                    f"'{excerpt(self._pattern.decode('utf-8', 'replace'))}' repeats too much"
                )
        return total

    def _bracket(self) -> None:
        found = _BRACKET.match(self._pattern, self._at - 1)
        self._at = found.end() if found else len(self._pattern)

    def _escape(self) -> None:
        if self._pattern[self._at : self._at + 1] in b"123456789" and self._at < len(self._pattern):
            raise RefusedPatternError("back references (\\1 to \\9) are not taken")
        self.begins = self.begins or self._pattern[self._at : self._at + 1] == b"`"
        self._at += 1

    def _times(self) -> int:
        """How often the atom before is written out."""
        found = _INTERVAL.match(self._pattern, self._at - 1)
        if not found:
            return 1
        self._at = found.end()
        least, _comma, most = found.groups()
        return max(int(least or 0), int(most or 0), 1) + 1
