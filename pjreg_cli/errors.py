"""The exception family of the package; parsers and edges raise nothing else."""

from __future__ import annotations

from _collections_abc import Iterable

# a one-shot command loads this module, and need not load `typing`
TYPE_CHECKING = False
if TYPE_CHECKING:
    from pjreg_cli.api.findings import Trouble

#: the longest piece of somebody's input that an error text repeats, in characters
_EXCERPT = 80
#: words that differ by more letters are not taken for each other
_FARTHEST = 3


def excerpt(text: str) -> str:
    """The offending piece of an input, cut to 80 characters, control characters escaped."""
    shown = text.encode("unicode_escape", "backslashreplace").decode("ascii")
    shown = shown if not text.isprintable() else text
    return shown if len(shown) <= _EXCERPT else shown[: _EXCERPT - 1] + "…"


def hint(word: str, known: Iterable[str]) -> str:
    """`, did you mean 'X'?` where one of the `known` words is close enough, else nothing."""
    best = nearest(word, known)
    return f", did you mean '{best}'?" if best else ""


def nearest(word: str, known: Iterable[str]) -> str:
    """The one of the `known` words that was most likely meant; empty if none is close enough."""
    small = word.casefold()
    best = min(known, key=lambda other: _distance(small, other.casefold()), default="")
    return best if _distance(small, best.casefold()) <= max(1, len(small) // 3) else ""


def _distance(one: str, other: str) -> int:
    """How many letters must be put in, left out, changed or swapped to make one the other."""
    if abs(len(one) - len(other)) > _FARTHEST or max(len(one), len(other)) > _EXCERPT:
        return _EXCERPT
    older: list[int] = []
    row = list(range(len(other) + 1))
    for at, letter in enumerate(one, 1):
        older, old, row = row, older, [at]
        for there, opposite in enumerate(other, 1):
            least = min(older[there] + 1, row[-1] + 1, older[there - 1] + (letter != opposite))
            swapped = at > 1 and there > 1 and letter == other[there - 2]
            if swapped and one[at - 2] == opposite:
                least = min(least, old[there - 2] + 1)
            row.append(least)
    return row[-1]


class PjregError(Exception):
    """Anything this package complains about; the text is for the operator."""


class ConfigError(PjregError):
    """A configuration that cannot be used; `path` and `line` (from 1; 0: all of it) say where."""

    def __init__(self, message: str, path: str, line: int = 0) -> None:
        where = f"{path}:{line}" if line else path
        super().__init__(f"{where}: {message}")
        self.message = message
        self.path = path
        self.line = line


class SipParseError(PjregError):
    """Bytes that are no SIP; `offset` is where in the input reading stopped, in bytes."""

    def __init__(self, message: str, offset: int = 0) -> None:
        super().__init__(f"{message} (at byte {offset})")
        self.offset = offset


class AmiError(PjregError):
    """A manager message that cannot be read."""


class TransportError(PjregError):
    """A socket or connection that cannot be opened, or a message that cannot be sent; `trouble` is
    the same as values, where somebody may want to explain it."""

    def __init__(self, message: str, trouble: Trouble | None = None) -> None:
        super().__init__(message)
        self.trouble = trouble


class ResolveError(PjregError):
    """A name that leads nowhere (RFC 3263); `trouble` says what was asked and answered.

    Of a single question `result` is what became of it: `silent`, `SERVFAIL`, `REFUSED`, ...
    """

    def __init__(self, message: str, trouble: Trouble | None = None, result: str = "") -> None:
        super().__init__(message)
        self.trouble = trouble
        self.result = result


class UsageError(PjregError):
    """A command line of `pjreg-cli` itself that cannot be understood (exit status 2)."""


class StoreError(PjregError):
    """A database that does not answer, or not as it must.

    `state` is its SQLSTATE, if any; a `fatal` one does not get better by itself.
    """

    def __init__(self, message: str, state: str = "", *, fatal: bool = False) -> None:
        super().__init__(message)
        self.state = state
        self.fatal = fatal
