"""What Tab and `?` do: functions of what has been typed and of what may follow.

Nothing here asks anybody: the suggestions are passed in, and the texts to show come back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from prompt_toolkit.utils import get_cwidth

from pjreg_cli.console.backend import Suggestion

NOTHING = "  (nothing more is known to follow)\n"
FULL = 1_000
"""As many suggestions may be only the first of more: what they agree on says nothing then."""

_GAP = 2
"""Blanks between two columns, as in Asterisk."""
_FREE_TEXT = frozenset({"like", "where"})
"""Words after which anything may be typed, a question mark too."""


@dataclass(frozen=True, slots=True)
class Completed:
    """What Tab makes of a line."""

    text: str
    """All that now stands before the cursor."""
    choices: tuple[str, ...]
    """To be listed under the line, sorted; empty when there is no choice to make."""


def complete(text: str, suggestions: Sequence[Suggestion]) -> Completed:
    """Go on as far as all suggestions agree: one is put in with a blank, several are listed too.

    `text` is what stands before the cursor.
    """
    if not suggestions:
        return Completed(text, ())
    start = suggestions[0].start_position
    words = sorted({one.text for one in suggestions if one.start_position == start})
    head, typed = _split(text, start)
    if len(words) == 1:
        return Completed(f"{head}{words[0]} ", ())
    common = _agreed(words) if len(suggestions) < FULL else ""
    return Completed(head + (common if len(common) >= len(typed) else typed), tuple(words))


def in_columns(words: Sequence[str], width: int, rows: int) -> str:
    """Words side by side, as many as `width` takes, in at most `rows` lines.

    What does not fit is counted in a last line.  Cells are those of the terminal: a Chinese sign
    takes two.
    """
    broadest = max(map(get_cwidth, words), default=0)
    across = max(1, width // (broadest + _GAP))
    lines = [
        "".join(_padded(word, broadest + _GAP) for word in words[at : at + across]).rstrip()
        for at in range(0, len(words), across)
    ]
    return _bounded(lines, rows, len(words), across)


def explained(suggestions: Sequence[Suggestion], width: int, rows: int) -> str:
    """A line for each suggestion with its description, cut to `width`, in at most `rows` lines."""
    ordered = sorted({one.text: one for one in suggestions}.items())
    broadest = min(max((get_cwidth(text) for text, _ in ordered), default=0), width // 2)
    lines = [
        _cut(f"  {_padded(text, broadest)}  {one.description}".rstrip(), width)
        for text, one in ordered
    ]
    return _bounded(lines, rows, len(lines), 1)


def asks(text: str) -> bool:
    """Whether a question mark typed after `text` asks what can follow.

    It does not where it may be meant literally: in quotes, after a backslash, in a pattern, in a
    line for the shell.
    """
    if text.lstrip().startswith("!") or text.endswith("\\") or text.count('"') % 2:
        return False
    return _FREE_TEXT.isdisjoint(text.lower().split())


def question(line: str) -> str | None:
    """What an entered line such as `pjsip show ?` asks about; None when it is no question.

    For terminals that cannot tell a key from a line.  A lone `?` is a command of its own.
    """
    stripped = line.rstrip()
    if not stripped.endswith(" ?") or not asks(before := stripped[:-1]):
        return None
    return before


def _agreed(words: Sequence[str]) -> str:
    """How all words begin; of sorted ones the first and the last differ soonest."""
    same = 0
    for one, other in zip(words[0], words[-1], strict=False):
        if one != other:
            break
        same += 1
    return words[0][:same]


def _split(text: str, start_position: int) -> tuple[str, str]:
    at = max(0, len(text) + start_position)
    return text[:at], text[at:]


def _padded(text: str, width: int) -> str:
    return text + " " * (width - get_cwidth(text))


def _cut(text: str, width: int) -> str:
    if get_cwidth(text) <= width:
        return text
    kept: list[str] = []
    room = width - 3
    for sign in text:
        room -= get_cwidth(sign)
        if room < 0:
            break
        kept.append(sign)
    return "".join(kept) + "..."


def _bounded(lines: Sequence[str], rows: int, count: int, across: int) -> str:
    if len(lines) <= max(rows, 1):
        return "".join(f"{line}\n" for line in lines)
    shown = max(rows - 1, 1)
    more = count - shown * across
    return "".join(f"{line}\n" for line in islice(lines, shown)) + (
        f"... and {more} more: type another letter\n"
    )
