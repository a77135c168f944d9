"""Colour for what is shown: the same characters, with the terminal's colour codes around some.

Painted are the status word of a row of registrations, the level of a log line and the frame lines
of a SIP trace.
"""

from __future__ import annotations

import re

from rich.color import ColorSystem
from rich.style import Style

STATUS = {
    "Registered": Style.parse("bold green"),
    "Unregistered": Style.parse("yellow"),
    "Rejected": Style.parse("bold red"),
    "Stopped": Style.parse("dim"),
}
LEVEL = {
    "ERROR": Style.parse("bold red"),
    "WARNING": Style.parse("bold yellow"),
    "NOTICE": Style.parse("bold cyan"),
    "SECURITY": Style.parse("bold magenta"),
    "VERBOSE": Style.parse("green"),
    "DEBUG": Style.parse("bright_black"),
}
TRACE = Style.parse("cyan")

_ROW = re.compile(
    r"^ \S.*?  ?(?P<word>Registered|Unregistered|Rejected|Stopped) +"
    r"(?:\(exp\. \d+s(?: ago)?\)|0)?\s*$"
)
_LOG = re.compile(r"^\[[^\]]*\]\s*(?P<word>ERROR|WARNING|NOTICE|SECURITY|VERBOSE|DEBUG)\b")
_TRACE = re.compile(r"^(?P<word><---.*--->)\s*$")


def painted(line: str) -> str:
    """One line, with or without its line feed, in colour."""
    if match := _LOG.match(line):
        return _around(line, match, LEVEL[match["word"]])
    if match := _TRACE.match(line):
        return _around(line, match, TRACE)
    if match := _ROW.match(line):
        return _around(line, match, STATUS[match["word"]])
    return line


class Painter:
    """Paints a stream that comes in pieces of any size; only whole lines can be judged."""

    def __init__(self, colour: bool) -> None:
        self._colour = colour
        self._open = ""

    def feed(self, text: str) -> str:
        """What can be shown now: all lines that are whole."""
        if not self._colour:
            return text
        whole, feed, self._open = (self._open + text).rpartition("\n")
        if not feed:
            return ""
        return "".join(f"{painted(line)}\n" for line in whole.split("\n"))

    def rest(self) -> str:
        """What is left of a last line without its line feed."""
        rest, self._open = self._open, ""
        return painted(rest) if rest else ""


def paint(text: str, colour: bool) -> str:
    """A whole text at once."""
    painter = Painter(colour)
    return painter.feed(text) + painter.rest()


def _around(line: str, match: re.Match[str], style: Style) -> str:
    start, end = match.span("word")
    word = style.render(line[start:end], color_system=ColorSystem.STANDARD)
    return line[:start] + word + line[end:]
