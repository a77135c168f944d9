"""Where log records go: stderr, a file, the consoles that watch.

Levels carry Asterisk's names.  A line is `[DATE TIME] LEVEL[PID] package: text`; under systemd,
which knows date and process itself, stderr gets `<PRIORITY>LEVEL package: text`; with
`log_format = json` stderr and the file get objects.  Text is inert: what could steer a terminal or
feign a line is escaped, and no line is longer than anybody reads.
Nothing here waits: stderr and the file are written by threads of their own.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TextIO

from pjreg_cli import levels
from pjreg_cli.api.instance import LogChannel
from pjreg_cli.counters import Counters
from pjreg_cli.engine.contain import Contained
from pjreg_cli.engine.tasks import beside
from pjreg_cli.instance.log_lines import (
    FILE_LEVELS,
    LEVELS,
    ROOT,
    Gap,
    LineFormat,
    is_journal,
    level_name,
    log_file,
)
from pjreg_cli.instance.modules import PACKAGES, packages, plain
from pjreg_cli.instance.sinks import Descriptor, FileSettings, LogFile
from pjreg_cli.levels import DEBUG, HIGHEST, NOTICE, VERBOSE, WARNING, debug, verbose
from pjreg_cli.outlet import Outlet, Sink

#: whose records are logged besides our own
_OTHERS = ("asyncio",)
#: seconds for which lines are gathered before they are written together
GATHER_S = 0.1
#: seconds that what waits may take to be written at the end; a file to be opened, or rotated
FLUSH_S = 2.0
OPEN_S = ROTATE_S = 5.0

Listener = Callable[[str, str, int], None]
"""Called with the level's name, the whole line, and the verbosity from which on it is shown."""


class _Channel(logging.Handler):
    """Records on their way to a sink, those that are wanted there."""

    def __init__(
        self,
        name: str,
        sink: Sink,
        logs: Logs,
        *,
        threshold: int,
        form: LineFormat,
        follows: bool = True,
    ) -> None:
        super().__init__()
        self.setFormatter(form)
        self.form = form
        self.threshold = threshold
        self.follows = follows
        self.channel = name
        self._logs = logs
        self.outlet = Outlet(f"log {name}"[:15], sink, self._troubled, gather_s=GATHER_S)

    def handle(self, record: logging.LogRecord) -> bool:
        """Have the line written, without a lock, as the outlet has its own; never waits, never
        raises."""
        try:
            if record.levelno >= self.threshold or self._logs.wants(
                record, self.threshold, self.follows
            ):
                line = self.form.format(record) + "\n"
                self.outlet.put(line.encode("utf-8", "backslashreplace"))
        except Exception:  # noqa: BLE001 -- whatever it is, it ends here
            self._logs.failures.add()
        return True

    def trace(self, text: str, at: float) -> None:
        """Have a SIP message written."""
        self.outlet.put(self.form.trace(text, at).encode("utf-8", "backslashreplace"))

    def _troubled(self, why: str) -> None:
        self._logs.complain("lines of the log to %s are lost: %s", self.channel, why)


class _ToConsoles(logging.Handler):
    """Hands every record to whoever subscribed, on the loop where this was made."""

    def __init__(self, logs: Logs) -> None:
        super().__init__()
        self.setFormatter(LineFormat())
        self.listeners: dict[Listener, int] = {}
        """Each with the verbosity from which on it wants no more."""
        self.muted: set[str] = set()
        self._logs = logs
        self._thread = threading.get_ident()
        try:
            self._loop: asyncio.AbstractEventLoop | None = asyncio.get_running_loop()
        except RuntimeError:
            self._loop = None

    def least(self) -> int:
        """The number of the least level that anybody wants."""
        most = max(self.listeners.values(), default=0)
        return verbose(most) if most > 0 else NOTICE

    def emit(self, record: logging.LogRecord) -> None:
        """Tell all listeners; one that raises is told nothing more."""
        if threading.get_ident() != self._thread:
            if self._loop is not None and not self._loop.is_closed():
                self._loop.call_soon_threadsafe(self.emit, record)
            return
        name = level_name(record.levelno)
        if not self.listeners or name in self.muted or not self._logs.wants(record, DEBUG + 1):
            return
        told = max(0, VERBOSE + 1 - record.levelno) if name == "VERBOSE" else 0
        wanting = [listener for listener, most in self.listeners.items() if told <= most]
        if not wanting:
            return
        with self._logs.contained():
            line = self.format(record)
            for listener in wanting:
                with self._logs.contained() as step:
                    listener(name, line, told)
                if step.error is not None:
                    self.listeners.pop(listener, None)
                    self._logs.complain("a console gets no more lines: %s", repr(step.error))


class Logs:
    """The log of one instance, from `Logs(...)` to `close`."""

    def __init__(
        self,
        *,
        stderr: TextIO | None,
        verbose: int = 0,
        debug: int = 0,
        least: int = NOTICE,
        as_json: bool = False,
        counters: Counters | None = None,
    ) -> None:
        """`stderr` takes the log, from level `least` on, until `leave_stderr`; None for not at all.

        `verbose` 1 and more has successes shown there, too; `debug` more than anybody can read.
        `as_json` is how lines look until `open_file` says otherwise.
        """
        self.counters = counters or Counters()
        self._loggers = tuple(logging.getLogger(name) for name in (ROOT, *_OTHERS))
        self._debug = debug
        self._modules: dict[str, int] = {}
        self.failures = self.counters.declare("log_failures", "records that could not be logged")
        self.counters.watch("log_lines_lost", "lines that could not be written", self._lost)
        self._gone = 0
        self._cannot = partial(self.complain, "the log %s cannot be begun anew: %s")
        self._consoles = _ToConsoles(self)
        self._stderr: _Channel | None = None
        self._file: _Channel | None = None
        self._log_file: LogFile | None = None
        for logger in self._loggers:
            logger.propagate = False
        self._nobody = logging.NullHandler()  # else `logging` writes to stderr what nobody takes
        self._add(self._nobody)
        if stderr is not None:
            number = stderr.fileno()
            form = LineFormat(journal=is_journal(number), as_json=as_json)
            sink = Descriptor(number, Gap(form))
            threshold = levels.verbose(verbose) if verbose else least
            self._stderr = _Channel("stderr", sink, self, threshold=threshold, form=form)
            self._add(self._stderr)
        self._apply_levels()

    def leave_stderr(self) -> None:
        """Write nothing to stderr any more: a console is about to own the terminal."""
        if self._stderr is not None:
            self._end(self._stderr)
            self._stderr = None
            self._apply_levels()

    async def reopen_file(self, settings: FileSettings) -> None:
        """As `open_file`; a file that does not answer holds up nobody and is given up."""
        file, work = None, partial(log_file, settings, self._cannot)
        if settings.log_file:
            file = await beside(work, OPEN_S, LogFile.close, settings.log_file)
        self.open_file(settings, file)

    def open_file(self, settings: FileSettings, file: LogFile | None = None) -> None:
        """Log to the file `settings` names, if any, in the form it says, `file` where it is open
        already; raises ConfigError when it cannot be opened, and what was before goes on."""
        old, old_file = self._file, self._log_file
        as_json = settings.log_format == "json"
        if self._stderr is not None:
            self._stderr.form.as_json = as_json
        if not settings.log_file:
            self._file = self._log_file = None
        else:
            form = LineFormat(as_json=as_json)
            file = file or log_file(settings, self._cannot)
            level = FILE_LEVELS.get(settings.log_level.lower(), VERBOSE)
            self._log_file = file
            self._file = _Channel(
                file.path, file, self, threshold=level, form=form, follows=level <= DEBUG
            )
            self._add(self._file)
        self._apply_levels()
        if old is not None and old_file is not None:
            self._end(old)

    def close(self, within_s: float = FLUSH_S) -> None:
        """Write what waits, for at most `within_s` seconds, and let go of everything."""
        channels = [one for one in (self._stderr, self._file) if one is not None]
        self._stderr = self._file = self._log_file = None
        for handler in (self._consoles, self._nobody, *channels):
            self._remove(handler)
        for channel in channels:
            channel.outlet.close(within_s / len(channels))
        for logger in self._loggers:
            logger.propagate = True
            logger.setLevel(logging.NOTSET)
        self._modules.clear()
        self._set_module_levels(logging.NOTSET)

    def flush(self, within_s: float = FLUSH_S) -> bool:
        """Wait until all that was logged is written, for at most `within_s` seconds; whether."""
        channels = [one for one in (self._stderr, self._file) if one is not None]
        drained = [channel.outlet.drain(within_s) for channel in channels]
        return all(drained)

    # -- consoles -----------------------------------------------------------------------------

    def subscribe(self, listener: Listener, most: int = HIGHEST) -> Callable[[], None]:
        """Call `listener` with every line from now on but those above verbosity `most`; the result
        ends that.  What nobody wants is not made."""
        if not self._consoles.listeners:
            self._add(self._consoles)
        self._consoles.listeners[listener] = most
        self._apply_levels()

        def end() -> None:
            if self._consoles.listeners.pop(listener, None) is not None:
                self._apply_levels()
            if not self._consoles.listeners:
                self._remove(self._consoles)

        return end

    def trace(self, text: str, at: float) -> None:
        """Write a SIP message to stderr and the file, as it is; `at` seconds since 1970."""
        for channel in (self._stderr, self._file):
            if channel is not None:
                channel.trace(text, at)

    # -- what the console may change ----------------------------------------------------------

    @property
    def debug(self) -> int:
        """The debug level; 0 is off."""
        return self._debug

    def set_debug(self, level: int) -> None:
        """Change the debug level."""
        self._debug = level
        self._apply_levels()

    def module_debug(self, module: str) -> int:
        """The debug level of one module, 0 unless it was set."""
        return self._modules.get(plain(module), 0)

    def set_module_debug(self, module: str, level: int) -> None:
        """Change the debug level of a module of Asterisk's, or of a package of ours; 0 is off."""
        self._modules[plain(module)] = level
        self._apply_levels()

    def set_level(self, name: str, on: bool) -> bool:
        """Switch a level of the consoles on or off; False for an unknown one."""
        level = name.upper()
        if level not in LEVELS:
            return False
        if on:
            self._consoles.muted.discard(level)
        else:
            self._consoles.muted.add(level)
        return True

    async def rotate(self) -> str:
        """Begin a new log file and keep the old one; why that failed, empty when it did not."""
        return await self._in_turn(LogFile.rotate)

    async def reopen(self) -> str:
        """Open the log file again where somebody has moved it away; why that failed, or empty."""
        return await self._in_turn(LogFile.reopen)

    async def _in_turn(self, step: Callable[[LogFile], None]) -> str:
        channel, file = self._file, self._log_file
        if channel is None or file is None:
            return ""
        done = asyncio.wrap_future(channel.outlet.call(lambda: step(file)))
        try:
            await asyncio.wait_for(done, ROTATE_S)
        except TimeoutError:
            return f"{file.path}: the disk does not answer"
        except OSError as error:
            return f"{file.path}: {error.strerror or error}"
        return ""

    def channels(self) -> Sequence[LogChannel]:
        """The rows of `logger show channels`."""
        return tuple(self._channels())

    def _channels(self) -> Iterator[LogChannel]:
        shown = tuple(name for name in LEVELS if name not in self._consoles.muted)
        yield LogChannel("console", "Console", "default", True, shown)
        for channel, kind in ((self._stderr, "Stream"), (self._file, "File")):
            if channel is not None:
                levels = _levels_from(channel.threshold, channel.follows and self._debug > 0)
                yield LogChannel(channel.channel, kind, "default", True, levels)

    # -- for the channels ---------------------------------------------------------------------

    def wants(self, record: logging.LogRecord, threshold: int, follows: bool = True) -> bool:
        """Whether a channel takes a record; one that `follows` takes what debugging is on for."""
        if record.levelno >= threshold or not follows:
            return record.levelno >= threshold
        asked = max(self._debug, self._debug_of(record.name))
        return bool(asked) and record.levelno >= debug(asked)

    def contained(self) -> Contained:
        """What keeps a fault of the log from whoever logs; it can only be counted."""
        return Contained(self.failures, "", known=True)

    def complain(self, text: str, *names: str) -> None:
        """Say that something is wrong with the log itself, wherever it can be read."""
        logging.getLogger(f"{ROOT}.instance").error(text, *names)

    # -- inside -------------------------------------------------------------------------------

    def _debug_of(self, logger: str) -> int:
        if not self._modules:
            return 0
        package = logger.removeprefix(f"{ROOT}.").partition(".")[0]
        levels = (level for name, level in self._modules.items() if package in packages(name))
        return max(levels, default=0)

    def _apply_levels(self) -> None:
        """Have only those records made that somebody wants."""
        least = min(
            NOTICE,
            debug(self._debug) if self._debug else NOTICE,
            self._consoles.least(),
            self._stderr.threshold if self._stderr is not None else NOTICE,
            self._file.threshold if self._file is not None else NOTICE,
        )
        self._loggers[0].setLevel(least)
        for logger in self._loggers[1:]:
            logger.setLevel(WARNING)
        self._set_module_levels(least)

    def _set_module_levels(self, least: int) -> None:
        """A package that has a debug level of its own makes more records than the others."""
        for package in {name for names in map(packages, (*PACKAGES, *self._modules))
                        for name in names}:  # fmt: skip
            own = self._debug_of(package)
            level = min(least, debug(own)) if own else logging.NOTSET
            logging.getLogger(f"{ROOT}.{package}").setLevel(level)

    def _add(self, handler: logging.Handler) -> None:
        for logger in self._loggers:
            logger.addHandler(handler)

    def _remove(self, handler: logging.Handler) -> None:
        for logger in self._loggers:
            logger.removeHandler(handler)
        handler.close()

    def _end(self, channel: _Channel) -> None:
        self._remove(channel)
        channel.outlet.close(FLUSH_S / 4)
        self._gone += channel.outlet.lost

    def _lost(self) -> int:
        channels = (one for one in (self._stderr, self._file) if one is not None)
        return self._gone + sum(channel.outlet.lost for channel in channels)


def _levels_from(least: int, debugging: bool) -> tuple[str, ...]:
    """The names of the levels of which anything is taken."""
    tops = {"VERBOSE": VERBOSE, "DEBUG": DEBUG}
    least = min(least, DEBUG) if debugging else least
    return tuple(name for name, (number, _) in LEVELS.items() if tops.get(name, number) >= least)
