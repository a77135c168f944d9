"""A record of the log as a line: its level, what it says made inert, and what is missing told."""

from __future__ import annotations

import logging
import os
import time

from pjreg_cli.levels import DEBUG, ERROR, HIGHEST, NOTICE, VERBOSE, WARNING, debug, verbose
from pjreg_cli.render.columns import harmless

ROOT = "pjreg_cli"
#: Asterisk's names of the levels: the least of Python's, and syslog's priority
LEVELS = {
    "ERROR": (ERROR, 3),
    "WARNING": (WARNING, 4),
    "NOTICE": (NOTICE, 5),
    "VERBOSE": (verbose(HIGHEST), 6),
    "DEBUG": (debug(HIGHEST), 7),
}
#: `log_level` of pjreg.conf
FILE_LEVELS = {
    "debug": DEBUG,
    "info": VERBOSE,
    "notice": NOTICE,
    "warning": WARNING,
    "error": ERROR,
}
#: characters of a line, of a traceback's lines, and how many of these
_LONGEST = 2_000
_LONGEST_OF_TRACEBACK = 300
_MOST_LINES = 200


def level_name(number: int) -> str:
    """Asterisk's name of a level of Python's."""
    return next((name for name, (least, _) in LEVELS.items() if number >= least), "DEBUG")


class LineFormat(logging.Formatter):
    """One record as one line, continued by the traceback of an unexpected error."""

    def __init__(self, *, journal: bool = False) -> None:
        super().__init__()
        self._journal = journal

    def format(self, record: logging.LogRecord) -> str:
        """The line, without line feed."""
        name = level_name(record.levelno)
        package = record.name.removeprefix(f"{ROOT}.").partition(".")[0]
        text = _cut(harmless(record.getMessage()).replace("\n", "\\n"), _LONGEST)
        if record.exc_info:
            text = f"{text}\n{_inert(self.formatException(record.exc_info))}"
        if self._journal:
            return f"<{LEVELS[name][1]}>{name} {package}: {text}"
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(record.created))
        return f"[{when}] {name}[{record.process}] {package}: {text}"


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[:longest]}... ({len(text) - longest} more)"


def _inert(traceback: str) -> str:
    """A traceback of bounded size; its last lines are those that matter."""
    lines = harmless(traceback).split("\n")
    if len(lines) > _MOST_LINES:
        lines = ["...", *lines[-_MOST_LINES:]]
    return "\n".join(_cut(line, _LONGEST_OF_TRACEBACK) for line in lines)


class Gap:
    """The line that tells of lost ones."""

    def __init__(self, journal: bool) -> None:
        self._format = LineFormat(journal=journal)

    def __call__(self, lost: int, why: str) -> str:
        lines = "1 line was" if lost == 1 else f"{lost} lines were"
        text = f"{lines} lost: {why}"
        record = logging.LogRecord(f"{ROOT}.instance", WARNING, "", 0, text, None, None)
        return self._format.format(record)


def is_journal(number: int) -> bool:
    """Whether a descriptor is the connection to the journal that systemd made for us."""
    stream = os.environ.get("JOURNAL_STREAM", "")
    if not stream:
        return False
    try:
        status = os.fstat(number)
    except OSError:
        return False
    return stream == f"{status.st_dev}:{status.st_ino}"
