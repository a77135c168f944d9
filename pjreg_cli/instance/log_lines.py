"""A record of the log as a line, of text or JSON: inert, of bounded length, losses told in it."""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache, lru_cache, partial
from typing import Any

from pjreg_cli.errors import ConfigError
from pjreg_cli.instance.sinks import FileSettings, LogFile
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
#: how lines of the engine begin that are about a registration, whose name comes first; and how
#: those end that tell the cause of a failure, a code and a sentence
_NAMED = "%s: "
_CAUSED = "; %s: %s"


@cache
def level_name(number: int) -> str:
    """Asterisk's name of a level of Python's."""
    return next((name for name, (least, _) in LEVELS.items() if number >= least), "DEBUG")


class LineFormat(logging.Formatter):
    """One record as one line, continued by the traceback of an unexpected error.

    For the `journal` every line begins with its priority.  As JSON there is one object a line, in
    ASCII: what was text is in it as it would be without.
    """

    def __init__(self, *, journal: bool = False, as_json: bool = False) -> None:
        super().__init__()
        self._journal = journal
        self.as_json = as_json

    def format(self, record: logging.LogRecord) -> str:
        """The line, without line feed."""
        name = level_name(record.levelno)
        package = _package(record.name)
        text = record.getMessage()
        if not text.isprintable() or not text.isascii() or len(text) > _LONGEST:
            text = _cut(harmless(text).replace("\n", "\\n"), _LONGEST)
        traceback = _inert(self.formatException(record.exc_info)) if record.exc_info else ""
        if self.as_json:
            found = {"part": package, "text": text, **_about(record, package)}
            if traceback:
                found["traceback"] = traceback
            return self._object(name, record.created, found)
        if traceback:
            text = f"{text}\n{traceback}"
        if self._journal:
            priority = f"<{LEVELS[name][1]}>"
            return f"{priority}{name} {package}: {text}".replace("\n", f"\n{priority}")
        return f"{_head(int(record.created), name)}{package}: {text}"

    def trace(self, text: str, at: float) -> str:
        """A SIP message that is shown, as it is or as a line of JSON, with its line feed.

        `at` is in seconds since 1970.
        """
        if self.as_json:
            found = {"part": "trace", "text": harmless(text)}
            return self._object("VERBOSE", at, found) + "\n"
        return text if text.endswith("\n") else text + "\n"

    def _object(self, level: str, at: float, more: Mapping[str, str]) -> str:
        when = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
        priority = LEVELS[level][1]
        found = {"at": when, "level": level, "priority": priority, "pid": os.getpid(), **more}
        return f"{f'<{priority}>' if self._journal else ''}{json.dumps(found)}"


def _about(record: logging.LogRecord, package: str) -> dict[str, str]:
    """Whom a line is about, and the cause it tells: found where it is shown, so that lines for
    people cost nothing."""
    found = {}
    arguments = record.args
    if (name := record.__dict__.get("registration")) is not None:
        found["registration"] = str(name)
    elif package == "engine" and isinstance(arguments, tuple) and record.msg.startswith(_NAMED):
        found["registration"] = str(arguments[0])
        if record.msg.endswith(_CAUSED) and len(arguments) > 3:
            found["cause"] = str(arguments[-2])
    return {key: value for key, value in found.items() if value}


@cache
def _package(logger: str) -> str:
    return logger.removeprefix(f"{ROOT}.").partition(".")[0]


# many lines have their second in common
@lru_cache(maxsize=8)
def _head(second: int, level: str) -> str:
    stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(second))
    return f"[{stamp}] {level}[{os.getpid()}] "


class _Record(logging.LogRecord):
    """A record of no more than a line shows."""

    def __init__(
        self,
        name: str,
        level: int,
        _path: str,
        _line: int,
        msg: object,
        args: Any,  # as `logging` has it: a tuple, or what is in it
        exc_info: Any,
        *_more: object,
    ) -> None:
        self.name = name
        self.levelno = level
        self.levelname = level_name(level)
        self.msg = msg
        if args and len(args) == 1 and isinstance(args[0], Mapping):
            args = args[0] or args
        self.args = args
        self.exc_info = exc_info
        self.created = time.time()  # noqa: TID251 -- as `logging` has it


def keep_records_small() -> None:
    """Have `logging` note of a record only what a line shows: nobody is told by which function or
    thread it was made, and to find out takes longer than to write the line."""
    logging._srcfile = None
    logging.setLogRecordFactory(_Record)


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

    def __init__(self, form: LineFormat) -> None:
        self._format = form

    def __call__(self, lost: int, why: str) -> str:
        lines = "1 line was" if lost == 1 else f"{lost} lines were"
        text = f"{lines} lost: {why}"
        record = logging.LogRecord(f"{ROOT}.instance", WARNING, "", 0, text, None, None)
        return self._format.format(record)


def log_file(settings: FileSettings, complain: Callable[[str, str], None]) -> LogFile:
    """The file that `settings` name, open; `complain` is told its path and why it cannot be begun
    anew.  Raises ConfigError."""
    path, gap = settings.log_file, Gap(LineFormat(as_json=settings.log_format == "json"))
    try:
        return LogFile(
            path, settings.log_max_bytes, settings.log_keep, gap, partial(complain, path)
        )
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise ConfigError(f"cannot log there: {why}", harmless(path)) from error


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
