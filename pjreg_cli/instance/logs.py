"""Where log records go: stderr, a file, the consoles that watch.

Levels carry Asterisk's names.  A line is `[DATE TIME] LEVEL[PID] package: text`; under systemd,
which knows date and process itself, stderr gets `<PRIORITY>LEVEL package: text`.
"""

from __future__ import annotations

import logging
import logging.handlers
import os
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TextIO

from pjreg_cli.api.instance import LogChannel
from pjreg_cli.errors import ConfigError

#: what an operator should know though nothing is wrong; INFO is for those who want to follow
NOTICE = 25

#: the verbosity from which on INFO is shown
_VERBOSITY = 1

#: Asterisk's names of the levels: the least of Python's, and syslog's priority
_LEVELS = {
    "ERROR": (logging.ERROR, 3),
    "WARNING": (logging.WARNING, 4),
    "NOTICE": (NOTICE, 5),
    "VERBOSE": (logging.INFO, 6),
    "DEBUG": (logging.DEBUG, 7),
}
_ROOT = "pjreg_cli"

Listener = Callable[[str, str, int], None]
"""Called with the level's name, the whole line, and the verbosity from which on it is shown."""


class FileSettings(Protocol):
    """What `pjreg.conf` says about the log file."""

    @property
    def log_file(self) -> str:
        """Path; empty for none."""
        ...

    @property
    def log_level(self) -> str:
        """`debug`, `info`, `warning` or `error`."""
        ...

    @property
    def log_max_bytes(self) -> int:
        """Size after which it is rotated; 0 for never."""
        ...

    @property
    def log_keep(self) -> int:
        """How many rotated files stay."""
        ...


def level_name(number: int) -> str:
    """Asterisk's name of a level of Python's."""
    return next((name for name, (least, _) in _LEVELS.items() if number >= least), "DEBUG")


class _Format(logging.Formatter):
    """One record as one line, continued by the traceback of an unexpected error."""

    def __init__(self, *, journal: bool = False) -> None:
        super().__init__()
        self._journal = journal

    def format(self, record: logging.LogRecord) -> str:
        """The line, without line feed."""
        name = level_name(record.levelno)
        package = record.name.removeprefix(f"{_ROOT}.")
        text = record.getMessage()
        if record.exc_info:
            text = f"{text}\n{self.formatException(record.exc_info)}"
        if self._journal:
            return f"<{_LEVELS[name][1]}>{name} {package}: {text}"
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(record.created))
        return f"[{when}] {name}[{record.process}] {package}: {text}"


class _ToConsoles(logging.Handler):
    """Hands every record to whoever subscribed."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(_Format())
        self.listeners: list[Listener] = []
        self.muted: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        """Tell all listeners."""
        name = level_name(record.levelno)
        if not self.listeners or name in self.muted:
            return
        line = self.format(record)
        verbosity = _VERBOSITY if name == "VERBOSE" else 0
        for listener in tuple(self.listeners):
            listener(name, line, verbosity)


class Logs:
    """The log of one instance, from `Logs(...)` to `close`."""

    def __init__(self, *, stderr: TextIO | None, verbose: int = 0, debug: int = 0) -> None:
        """`stderr` takes the log until `leave_stderr`; None for not at all.

        `verbose` 1 and more has successes shown there, too; `debug` more than anybody can read.
        """
        self._logger = logging.getLogger(_ROOT)
        self._verbose = verbose
        self._debug = debug
        self._consoles = _ToConsoles()
        self._stderr: logging.StreamHandler[TextIO] | None = None
        self._file: logging.handlers.RotatingFileHandler | None = None
        self._logger.addHandler(self._consoles)
        self._logger.propagate = False
        if stderr is not None:
            self._stderr = logging.StreamHandler(stderr)
            journal = bool(os.environ.get("JOURNAL_STREAM")) and not stderr.isatty()
            self._stderr.setFormatter(_Format(journal=journal))
            self._logger.addHandler(self._stderr)
        self._apply_levels()

    def leave_stderr(self) -> None:
        """Write nothing to stderr any more: a console is about to own the terminal."""
        if self._stderr is not None:
            self._logger.removeHandler(self._stderr)
            self._stderr = None

    def open_file(self, settings: FileSettings) -> None:
        """Log to the file `settings` names, if any; raises ConfigError when it cannot be opened."""
        self._close_file()
        if not settings.log_file:
            return
        try:
            self._file = logging.handlers.RotatingFileHandler(
                settings.log_file,
                maxBytes=settings.log_max_bytes,
                backupCount=settings.log_keep,
                encoding="utf-8",
                errors="backslashreplace",
            )
        except OSError as error:
            raise ConfigError(f"cannot log there: {error.strerror}", settings.log_file) from error
        self._file.setFormatter(_Format())
        self._file.setLevel(settings.log_level.upper())
        self._logger.addHandler(self._file)
        self._apply_levels()

    def close(self) -> None:
        """Let go of everything."""
        self._close_file()
        for handler in (self._consoles, self._stderr):
            if handler is not None:
                self._logger.removeHandler(handler)
                handler.close()
        self._logger.propagate = True
        self._logger.setLevel(logging.NOTSET)

    # -- consoles -----------------------------------------------------------------------------

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with every line from now on; the result ends that."""
        self._consoles.listeners.append(listener)
        self._apply_levels()

        def end() -> None:
            if listener in self._consoles.listeners:
                self._consoles.listeners.remove(listener)
                self._apply_levels()

        return end

    def trace(self, text: str) -> None:
        """Write a SIP message to stderr and the file, as it is."""
        for handler in (self._stderr, self._file):
            if handler is not None and handler.stream is not None:
                handler.stream.write(text if text.endswith("\n") else text + "\n")
                handler.flush()

    # -- what the console may change ----------------------------------------------------------

    @property
    def debug(self) -> int:
        """The debug level; 0 is off."""
        return self._debug

    def set_debug(self, level: int) -> None:
        """Change the debug level."""
        self._debug = level
        self._apply_levels()

    def set_level(self, name: str, on: bool) -> bool:
        """Switch a level of the consoles on or off; False for an unknown one."""
        level = name.upper()
        if level not in _LEVELS:
            return False
        if on:
            self._consoles.muted.discard(level)
        else:
            self._consoles.muted.add(level)
        return True

    def rotate(self) -> None:
        """Begin a new log file, or open it again where somebody has moved it away."""
        if self._file is not None:
            self._file.doRollover()

    def channels(self) -> Sequence[LogChannel]:
        """The rows of `logger show channels`."""
        return tuple(self._channels())

    def _channels(self) -> Iterator[LogChannel]:
        shown = tuple(name for name in _LEVELS if name not in self._consoles.muted)
        yield LogChannel("console", "Console", "default", True, shown)
        if self._stderr is not None:
            levels = _levels_from(self._stderr.level)
            yield LogChannel("stderr", "Stream", "default", True, levels)
        if self._file is not None:
            name = self._file.baseFilename
            yield LogChannel(name, "File", "default", True, _levels_from(self._file.level))

    # -- inside -------------------------------------------------------------------------------

    def _apply_levels(self) -> None:
        """Have only those records made that somebody wants."""
        loud = logging.INFO if self._verbose >= _VERBOSITY else NOTICE
        if self._stderr is not None:
            self._stderr.setLevel(logging.DEBUG if self._debug else loud)
        least = min(
            NOTICE,
            logging.DEBUG if self._debug else NOTICE,
            logging.INFO if self._consoles.listeners else NOTICE,
            self._stderr.level if self._stderr is not None else NOTICE,
            self._file.level if self._file is not None else NOTICE,
        )
        self._logger.setLevel(least)

    def _close_file(self) -> None:
        if self._file is not None:
            self._logger.removeHandler(self._file)
            self._file.close()
            self._file = None
            self._apply_levels()


def _levels_from(least: int) -> tuple[str, ...]:
    return tuple(name for name, (number, _) in _LEVELS.items() if number >= least)
