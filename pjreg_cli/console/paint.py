"""Colour for what is shown: the same characters, with the terminal's colour codes around some.

Painted are the status word of a row of registrations, the level of a log line and the frame lines
of a SIP trace.
"""

from __future__ import annotations

import re

from rich.color import ColorSystem
from rich.style import Style

from pjreg_cli.render.colour import spans

STATUS = {
    "Registered": Style.parse("bold green"),
    "Unregistered": Style.parse("yellow"),
    "Rejected": Style.parse("bold red"),
    "Stopped": Style.parse("magenta"),
}
LEVEL = {
    "ERROR": Style.parse("bold red"),
    "WARNING": Style.parse("bold yellow"),
    "NOTICE": Style.parse("bold cyan"),
    "SECURITY": Style.parse("bold magenta"),
    "VERBOSE": Style.parse("green"),
    "DEBUG": Style.parse("bright_black"),
}
TRACE = {
    "Transmitting": Style.parse("cyan"),
    "Received": Style.parse("green"),
    "==>": Style.parse("bold cyan"),
    "<==": Style.parse("bold green"),
}

_LOG = re.compile(r"^\[[^\]]*\]\s*(?P<word>ERROR|WARNING|NOTICE|SECURITY|VERBOSE|DEBUG)\b")
_TRACE = re.compile(
    r"^(?P<word><--- (?P<way>Transmitting|Received)\b.*--->)\s*$"
    r"|^(?P<stamp>\d\d:\d\d:\d\d\.\d\d\d (?P<arrow>==>|<==) \S+)\s*$"
)


def painted(line: str) -> str:
    """One line, with or without its line feed, in colour."""
    if match := _LOG.match(line):
        return _around(line, match, LEVEL[match["word"]])
    if match := _TRACE.match(line):
        group = "word" if match["word"] else "stamp"
        return _around(line, match, TRACE[match["way"] or match["arrow"]], group)
    done, at = "", 0
    for start, end, word in spans(line):
        done += line[at:start] + _styled(word, STATUS[word])
        at = end
    return done + line[at:]


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


def _around(line: str, match: re.Match[str], style: Style, group: str = "word") -> str:
    start, end = match.span(group)
    return line[:start] + _styled(line[start:end], style) + line[end:]


def _styled(word: str, style: Style) -> str:
    return style.render(word, color_system=ColorSystem.STANDARD)
