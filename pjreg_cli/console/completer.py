"""What Tab and `?` show: functions of what has been typed and of what may follow.

Nothing here asks anybody: the suggestions are passed in, and what to show comes back.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from prompt_toolkit.completion import Completion
from prompt_toolkit.utils import get_cwidth

from pjreg_cli.commands.command import Suggestions
from pjreg_cli.console.backend import Suggestion

NOTHING = "  (nothing more is known to follow)\n"

_FREE_TEXT = frozenset({"like", "where"})
"""Words after which anything may be typed, a question mark too."""


def further(suggestions: Sequence[Suggestion]) -> int:
    """How many words may follow besides those suggested."""
    return suggestions.more if isinstance(suggestions, Suggestions) else 0


def completions(suggestions: Sequence[Suggestion]) -> list[Completion]:
    """The lines of the menu, each with a word on it beside it."""
    return [
        Completion(one.text, one.start_position, display_meta=one.description)
        for one in suggestions
    ]


def explained(suggestions: Sequence[Suggestion], width: int, rows: int) -> str:
    """A line for each suggestion with its description, cut to `width`, in at most `rows` lines."""
    ordered = sorted({one.text: one for one in suggestions}.items())
    broadest = min(max((get_cwidth(text) for text, _ in ordered), default=0), width // 2)
    lines = [
        _cut(f"  {_padded(text, broadest)}  {one.description}".rstrip(), width)
        for text, one in ordered
    ]
    return _bounded(lines, rows, further(suggestions))


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


def _bounded(lines: Sequence[str], rows: int, more: int) -> str:
    shown = len(lines) if len(lines) + bool(more) <= max(rows, 1) else max(rows - 1, 1)
    more += len(lines) - shown
    text = "".join(f"{line}\n" for line in islice(lines, shown))
    return text + (f"... and {more:,} more: type another letter\n" if more else "")
