"""pjreg_cli/logs.py"""

from __future__ import annotations

import ast
import asyncio
import json
import logging
import os
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from pjreg_cli import engine
from pjreg_cli.errors import ConfigError
from pjreg_cli.instance import logs as logs_module
from pjreg_cli.instance import sinks
from pjreg_cli.instance.log_lines import Gap, LineFormat, keep_records_small, level_name
from pjreg_cli.instance.logs import Logs
from pjreg_cli.levels import NOTICE, debug, verbose
from tests.support.waiting import until

_log = logging.getLogger("pjreg_cli.engine")


@dataclass(frozen=True)
class File:
    """What pjreg.conf may say."""

    log_file: str = ""
    log_level: str = "info"
    log_format: str = "text"
    log_max_bytes: int = 0
    log_keep: int = 2


class Stderr:
    """A log and the file that stands for stderr."""

    def __init__(self, path: Path, verbose: int = 0, debug: int = 0) -> None:
        self._path = path
        with path.open("w") as stream:
            kept = os.dup(stream.fileno())
        self._stream = os.fdopen(kept, "w")
        self.logs = Logs(stderr=self._stream, verbose=verbose, debug=debug)

    def getvalue(self) -> str:
        """What was written up to now."""
        assert self.logs.flush()
        return self._path.read_text()

    def close(self) -> None:
        """Let go of it."""
        self.logs.close()
        self._stream.close()


class Opened:
    """Makes logs that are closed at the end."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.made: list[Stderr] = []

    def __call__(self, verbose: int = 0, debug: int = 0) -> tuple[Logs, Stderr]:
        stderr = self.at(self._folder / f"stderr{len(self.made)}", verbose, debug)
        return stderr.logs, stderr

    def at(self, path: Path, verbose: int = 0, debug: int = 0) -> Stderr:
        """One whose stderr is this file."""
        self.made.append(Stderr(path, verbose, debug))
        return self.made[-1]


@pytest.fixture
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    opened = Opened(tmp_path_factory.mktemp("stderr"))
    yield opened
    for one in opened.made:
        one.close()


def say_everything() -> None:
    _log.debug("of level debug")
    _log.info("of level info")
    _log.log(NOTICE, "of level notice")
    _log.warning("of level warning")
    _log.error("of level error")


def written(logs: Logs, path: Path) -> str:
    """What a log file holds, once everything is written."""
    assert logs.flush()
    return path.read_text()


def moved(path: Path, where: Path) -> None:
    """Move a file, as logrotate does."""
    path.rename(where)


def occupied(path: Path) -> None:
    """Put a folder that is not empty where a file should go."""
    path.mkdir()
    (path / "kept").touch()


def names(folder: Path) -> list[str]:
    """What lies in a folder."""
    return sorted(path.name for path in folder.iterdir())


def said(text: str) -> list[str]:
    return re.findall(r"of level (\w+)", text)


@pytest.mark.parametrize(
    ("number", "name"),
    [
        (logging.CRITICAL, "ERROR"),
        (logging.ERROR, "ERROR"),
        (logging.WARNING, "WARNING"),
        (NOTICE, "NOTICE"),
        (logging.INFO, "VERBOSE"),
        (logging.DEBUG, "DEBUG"),
        (1, "DEBUG"),
    ],
)
def test_levels_have_asterisks_names(number: int, name: str) -> None:
    assert level_name(number) == name


@pytest.mark.parametrize(
    ("verbose", "debug", "expected"),
    [
        (0, 0, ["notice", "warning", "error"]),
        (1, 0, ["info", "notice", "warning", "error"]),
        (0, 1, ["debug", "info", "notice", "warning", "error"]),
    ],
)
def test_stderr_gets_what_was_asked_for(
    opened: Opened, verbose: int, debug: int, expected: list[str]
) -> None:
    _, stderr = opened(verbose, debug)
    say_everything()
    assert said(stderr.getvalue()) == expected


def test_line_names_level_process_and_package(opened: Opened) -> None:
    _, stderr = opened()
    _log.warning("%s: gone", "alice")
    assert re.fullmatch(
        r"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\] WARNING\[\d+\] engine: alice: gone\n",
        stderr.getvalue(),
    )


def test_under_systemd_the_priority_leads(
    opened: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "journal").touch()
    status = (tmp_path / "journal").stat()
    monkeypatch.setenv("JOURNAL_STREAM", f"{status.st_dev}:{status.st_ino}")
    _, other = opened()
    stderr = opened.at(tmp_path / "journal")
    _log.error("gone")
    assert other.getvalue().startswith("[")
    assert stderr.getvalue() == "<3>ERROR engine: gone\n"
    try:
        raise RuntimeError("of ours")
    except RuntimeError:
        _log.exception("task failed")
    # the journal makes an entry of each line: those of a traceback are errors too
    lines = stderr.getvalue().splitlines()
    assert len(lines) > 4
    assert all(line.startswith("<3>") for line in lines)


def test_as_json_there_is_one_object_a_line(opened: Opened, tmp_path: Path) -> None:
    logs, stderr = opened()
    path = tmp_path / "x.log"
    logs.open_file(File(str(path), log_format="json"))
    _log.warning("%s", "503 \x1b]0;OWNED\r\n[2026] ERROR \udcff\u202e \u00fc")
    try:
        raise RuntimeError("of ours")
    except RuntimeError:
        _log.exception("task failed")
    logs.trace("<--- Transmitting --->\nREGISTER sip:a\r\n", 0.0)
    text = stderr.getvalue()
    assert written(logs, path) == text
    assert text.isascii()
    one, failed, trace = (json.loads(line) for line in text.splitlines())
    assert (one["level"], one["priority"], one["part"]) == ("WARNING", 4, "engine")
    assert one["pid"] == os.getpid()
    assert datetime.fromisoformat(one["at"]).utcoffset() == timedelta(0)
    assert one["text"] == r"503 \x1b]0;OWNED\x0d\n[2026] ERROR \xff\u202e " + "\u00fc"
    assert "RuntimeError: of ours" in failed["traceback"]
    assert trace["part"] == "trace"
    assert trace["text"].startswith("<--- Transmitting --->\nREGISTER")
    logs.open_file(File())
    _log.warning("text again")
    assert stderr.getvalue().endswith("engine: text again\n")


async def test_a_file_that_does_not_answer_holds_up_nobody(
    opened: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    logs, stderr = opened()
    logs.open_file(File(str(tmp_path / "old")))
    answers, there = threading.Event(), sinks.LogFile._opened

    def hangs(file: sinks.LogFile) -> int:
        assert answers.wait(20)  # as on a mount whose server is gone
        return there(file)

    monkeypatch.setattr(sinks.LogFile, "_opened", hangs)
    monkeypatch.setattr(logs_module, "OPEN_S", 0.05)
    with pytest.raises(ConfigError, match=r"new: has not answered for 0\.05 s"):
        await logs.reopen_file(File(str(tmp_path / "new")))
    _log.warning("goes on where it was")
    answers.set()
    logs.close()
    assert "goes on where it was" in (tmp_path / "old").read_text()
    await asyncio.to_thread(until, lambda: (tmp_path / "new").exists(), "it answers")
    assert (tmp_path / "new").read_text() == ""
    assert "goes on" in stderr.getvalue()


async def test_a_file_that_answers_is_opened_beside(opened: Opened, tmp_path: Path) -> None:
    logs, _ = opened()
    await logs.reopen_file(File(str(tmp_path / "new")))
    _log.warning("here")
    assert "here" in written(logs, tmp_path / "new")
    with pytest.raises(ConfigError, match="cannot log there: Is a directory"):
        await logs.reopen_file(File(str(tmp_path)))
    await logs.reopen_file(File())
    _log.warning("not here")
    assert "not here" not in (tmp_path / "new").read_text()


@pytest.mark.exhaustive
def test_what_begins_like_a_line_about_a_registration_is_one() -> None:
    """JSON knows them by how they begin."""
    first: list[str] = []
    for path in sorted(Path(engine.__path__[0]).rglob("*.py")):
        for call in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(call, ast.Call):
                first += _first_of_named(call)
    assert len(first) > 8
    assert set(first) <= {"entry.name", "name", "exchange.entry.name"}


def _first_of_named(call: ast.Call) -> Iterator[str]:
    """What is filled in first where a text begins as those about a registration do."""
    for at, argument in enumerate(call.args[:-1]):
        if isinstance(argument, ast.Constant) and str(argument.value).startswith("%s: "):
            yield ast.unparse(call.args[at + 1])


def test_the_journal_gets_the_priority_before_json(
    opened: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "journal").touch()
    status = (tmp_path / "journal").stat()
    monkeypatch.setenv("JOURNAL_STREAM", f"{status.st_dev}:{status.st_ino}")
    stderr = opened.at(tmp_path / "journal")
    stderr.logs.open_file(File(log_format="json"))
    _log.error("gone")
    priority, _, line = stderr.getvalue().partition(">")
    assert priority == "<3"
    assert json.loads(line)["text"] == "gone"


def test_lines_that_are_lost_are_told_as_json() -> None:
    told = Gap(LineFormat(as_json=True))(17, "No space left on device")
    assert json.loads(told)["text"] == "17 lines were lost: No space left on device"


def test_unexpected_error_keeps_its_traceback(opened: Opened) -> None:
    _, stderr = opened()
    try:
        raise RuntimeError("of ours")
    except RuntimeError:
        _log.exception("task failed")
    assert "Traceback" in stderr.getvalue()
    assert "RuntimeError: of ours" in stderr.getvalue()


def test_where_nobody_takes_the_log_warnings_do_not_end_on_stderr(
    capfd: pytest.CaptureFixture[str],
) -> None:
    logs = Logs(stderr=None)
    try:
        _log.warning("a registration was rejected")
    finally:
        logs.close()
    assert capfd.readouterr() == ("", "")


def test_debug_can_be_switched_while_it_runs(opened: Opened) -> None:
    logs, stderr = opened()
    logs.set_debug(3)
    _log.debug("of level first")
    logs.set_debug(0)
    _log.debug("of level second")
    assert said(stderr.getvalue()) == ["first"]
    assert logs.debug == 0


def test_records_nobody_wants_are_not_even_made(opened: Opened) -> None:
    logs, _ = opened()
    assert not _log.isEnabledFor(logging.INFO)
    end = logs.subscribe(lambda *_: None)
    assert _log.isEnabledFor(logging.INFO)
    end()
    assert not _log.isEnabledFor(logging.INFO)
    quiet = logs.subscribe(lambda *_: None, 0)
    assert not _log.isEnabledFor(logging.INFO)
    curious = logs.subscribe(lambda *_line: None, 2)
    assert _log.isEnabledFor(verbose(2))
    assert not _log.isEnabledFor(verbose(3))
    curious()
    quiet()


def test_a_console_is_told_no_more_than_it_wants(opened: Opened) -> None:
    logs, _ = opened()
    told: list[str] = []
    logs.subscribe(lambda _level, line, _verbosity: told.append(line), 1)
    logs.subscribe(lambda *_: None, 3)
    _log.log(verbose(2), "of two")
    _log.log(verbose(1), "of one")
    assert [line.rpartition(": ")[2] for line in told] == ["of one"]


# -- consoles ---------------------------------------------------------------------------------


def test_consoles_are_told_level_line_and_verbosity(opened: Opened) -> None:
    logs, _ = opened()
    told: list[tuple[str, str, int]] = []
    end = logs.subscribe(lambda *line: told.append(line))
    say_everything()
    assert [(level, said(line)[0], verbosity) for level, line, verbosity in told] == [
        ("VERBOSE", "info", 1),
        ("NOTICE", "notice", 0),
        ("WARNING", "warning", 0),
        ("ERROR", "error", 0),
    ]
    end()
    end()
    say_everything()
    assert len(told) == 4


def test_level_can_be_muted_on_consoles_but_not_on_stderr(opened: Opened) -> None:
    logs, stderr = opened()
    told: list[str] = []
    logs.subscribe(lambda level, _line, _verbosity: told.append(level))
    assert logs.set_level("warning", on=False)
    _log.warning("of level warning")
    assert told == []
    assert said(stderr.getvalue()) == ["warning"]
    assert logs.set_level("WARNING", on=True)
    _log.warning("of level warning")
    assert told == ["WARNING"]


def test_unknown_level_is_refused(opened: Opened) -> None:
    logs, _ = opened()
    assert not logs.set_level("loud", on=True)


# -- the file ---------------------------------------------------------------------------------


def test_file_has_a_level_of_its_own(opened: Opened, tmp_path: Path) -> None:
    logs, stderr = opened()
    logs.open_file(File(str(tmp_path / "log"), "info"))
    say_everything()
    assert said(written(logs, tmp_path / "log")) == ["info", "notice", "warning", "error"]
    assert said(stderr.getvalue()) == ["notice", "warning", "error"]


async def test_rotation_keeps_as_many_files_as_configured(opened: Opened, tmp_path: Path) -> None:
    logs, _ = opened()
    logs.open_file(File(str(tmp_path / "log")))
    for _ in range(4):
        _log.warning("of level warning")
        assert await logs.rotate() == ""
    assert names(tmp_path) == ["log", "log.1", "log.2"]


def test_file_that_cannot_be_opened_is_named(opened: Opened, tmp_path: Path) -> None:
    logs, _ = opened()
    with pytest.raises(ConfigError, match=str(tmp_path / "nowhere" / "log")):
        logs.open_file(File(str(tmp_path / "nowhere" / "log")))


def test_trace_goes_to_stderr_and_file_as_it_is(opened: Opened, tmp_path: Path) -> None:
    logs, stderr = opened()
    logs.open_file(File(str(tmp_path / "log")))
    logs.trace("<--- Transmitting --->\nREGISTER", 0.0)
    assert stderr.getvalue() == "<--- Transmitting --->\nREGISTER\n"
    assert written(logs, tmp_path / "log") == stderr.getvalue()


def test_channels_name_what_is_logged_to(opened: Opened, tmp_path: Path) -> None:
    logs, _ = opened()
    logs.open_file(File(str(tmp_path / "log"), "error"))
    logs.set_level("debug", on=False)
    console, stderr, file = logs.channels()
    assert (console.name, console.levels) == ("console", ("ERROR", "WARNING", "NOTICE", "VERBOSE"))
    assert (stderr.kind, stderr.levels) == ("Stream", ("ERROR", "WARNING", "NOTICE"))
    assert (file.name, file.kind, file.levels) == (str(tmp_path / "log"), "File", ("ERROR",))


def test_closed_log_leaves_no_handler_behind(opened: Opened) -> None:
    before = list(logging.getLogger("pjreg_cli").handlers)
    logs, _ = opened()
    logs.subscribe(lambda *_: None)
    assert logging.getLogger("pjreg_cli").handlers != before
    logs.close()
    assert logging.getLogger("pjreg_cli").handlers == before


def test_a_console_that_takes_the_terminal_over_silences_stderr(opened: Opened) -> None:
    logs, stderr = opened()
    lines: list[str] = []
    _log.error("before")
    logs.leave_stderr()
    logs.subscribe(lambda _level, line, _verbosity: lines.append(line))
    _log.error("after")
    assert stderr.getvalue().endswith("engine: before\n")
    assert [line.rpartition(": ")[2] for line in lines] == ["after"]


# -- what may not happen ----------------------------------------------------------------------


def test_text_of_strangers_steers_no_terminal_and_feigns_no_line(opened: Opened) -> None:
    logs, stderr = opened()
    lines: list[str] = []
    logs.subscribe(lambda _level, line, _verbosity: lines.append(line))
    _log.warning("%s", "503 x\x1b]0;OWNED\x07\x1b[2J\r\n[2026-01-01] ERROR \x9b31m\u202eevil\udcff")
    (line,) = lines
    assert stderr.getvalue() == line + "\n"
    assert line.isascii()
    assert line.isprintable()
    assert r"503 x\x1b]0;OWNED\x07\x1b[2J\x0d\n[2026" in line


def test_a_line_is_no_longer_than_anybody_reads(opened: Opened) -> None:
    _, stderr = opened()
    _log.warning("%s", "x" * 60_000)
    try:
        raise RuntimeError("y" * 60_000)
    except RuntimeError:
        _log.exception("failed")
    assert len(stderr.getvalue()) < 6_000
    assert "(58000 more)" in stderr.getvalue()


def test_a_record_that_cannot_be_formatted_harms_nobody(opened: Opened) -> None:
    logs, stderr = opened()
    _log.warning("%d", "no number")
    _log.warning("after")
    assert stderr.getvalue().endswith("after\n")
    assert count(logs, "log_failures") >= 1


def test_a_console_that_raises_is_told_nothing_more(opened: Opened) -> None:
    logs, stderr = opened()
    lines: list[str] = []

    def refuse(_level: str, _line: str, _verbosity: int) -> None:
        raise RuntimeError("of ours")

    logs.subscribe(refuse)
    logs.subscribe(lambda _level, line, _verbosity: lines.append(line))
    _log.warning("first")
    _log.warning("second")
    assert [line.rpartition(": ")[2] for line in lines if "engine" in line] == ["first", "second"]
    assert "a console gets no more lines" in stderr.getvalue()


async def test_a_line_of_another_thread_reaches_consoles_on_the_loop(opened: Opened) -> None:
    logs, _ = opened()
    told: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    logs.subscribe(lambda *_: told.set_result(threading.get_ident()))
    await asyncio.to_thread(_log.warning, "elsewhere")
    assert await asyncio.wait_for(told, 10) == threading.get_ident()


def test_a_full_file_costs_its_lines_and_nothing_else(opened: Opened) -> None:
    logs, stderr = opened()
    logs.open_file(File("/dev/full"))
    for _ in range(3):
        _log.warning("of level warning")
    assert logs.flush()
    assert stderr.getvalue().count("of level warning") == 3
    assert stderr.getvalue().count("lines of the log to /dev/full are lost: No space left") == 1
    assert count(logs, "log_lines_lost") >= 3


def test_a_stderr_that_is_gone_costs_its_lines_and_nothing_else(
    opened: Opened, tmp_path: Path
) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as stream:
        logs = Logs(stderr=stream)
        logs.open_file(File(str(tmp_path / "log")))
        _log.warning("of level warning")
        assert said(written(logs, tmp_path / "log")) == ["warning"]
        assert logs.flush()
        assert "lines of the log to stderr are lost: Broken pipe" in written(logs, tmp_path / "log")
        logs.close()


def test_a_stderr_that_nobody_reads_holds_nobody_up(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    with os.fdopen(writer, "w") as stream:
        logs = Logs(stderr=stream)
        logs.open_file(File(str(tmp_path / "log")))
        for _ in range(200):
            _log.warning("%s", "x" * 1_000)
        assert not logs.flush(0.01)
        logs.close(0.01)
        os.set_blocking(reader, False)
        while True:
            try:
                if not os.read(reader, 1 << 20):
                    break
            except BlockingIOError:
                break
    os.close(reader)
    assert (tmp_path / "log").read_text().count("x" * 1_000) == 200


# -- debugging --------------------------------------------------------------------------------


def test_a_module_has_a_debug_level_of_its_own(opened: Opened) -> None:
    logs, stderr = opened()
    net = logging.getLogger("pjreg_cli.net")
    logs.set_module_debug("res_pjsip_nat.so", 2)
    assert logs.module_debug("res_pjsip_nat") == 2
    net.log(debug(1), "of level one")
    net.log(debug(2), "of level two")
    net.log(debug(3), "of level three")
    _log.debug("of level other")
    logs.set_module_debug("res_pjsip_nat", 0)
    net.log(debug(1), "of level off")
    assert said(stderr.getvalue()) == ["one", "two"]


def test_a_higher_debug_level_tells_more(opened: Opened) -> None:
    logs, stderr = opened()
    logs.set_debug(2)
    for level in (1, 2, 3):
        _log.log(debug(level), "of level %d", level)
    assert said(stderr.getvalue()) == ["1", "2"]


def test_verbose_levels_reach_the_consoles_that_want_them(opened: Opened) -> None:
    logs, stderr = opened(verbose=2)
    told: list[int] = []
    logs.subscribe(lambda _level, _line, verbosity: told.append(verbosity))
    for level in (1, 2, 3):
        _log.log(verbose(level), "of level %d", level)
    assert told == [1, 2, 3]
    assert said(stderr.getvalue()) == ["1", "2"]


def test_a_file_takes_debug_lines_only_where_it_is_told_to(opened: Opened, tmp_path: Path) -> None:
    logs, _ = opened()
    logs.set_debug(3)
    logs.open_file(File(str(tmp_path / "info"), "info"))
    say_everything()
    assert "debug" not in said(written(logs, tmp_path / "info"))
    logs.open_file(File(str(tmp_path / "debug"), "debug"))
    _log.log(debug(3), "of level three")
    assert said(written(logs, tmp_path / "debug")) == ["three"]


# -- files that move --------------------------------------------------------------------------


async def test_a_file_that_was_moved_away_is_opened_again(opened: Opened, tmp_path: Path) -> None:
    logs, _ = opened()
    path = tmp_path / "log"
    logs.open_file(File(str(path)))
    _log.warning("of level first")
    assert said(written(logs, path)) == ["first"]
    moved(path, tmp_path / "old")
    _log.warning("of level second")
    assert said(written(logs, path)) == ["second"]
    moved(path, tmp_path / "older")
    assert await logs.reopen() == ""
    assert names(tmp_path) == ["log", "old", "older"]
    assert said(written(logs, tmp_path / "old")) == ["first"]


async def test_a_file_that_cannot_be_rotated_goes_on_and_says_why(
    opened: Opened, tmp_path: Path
) -> None:
    logs, _ = opened()
    path = tmp_path / "log"
    logs.open_file(File(str(path), log_keep=1))
    occupied(tmp_path / "log.1")
    assert await logs.rotate() == f"{path}: Is a directory"
    _log.warning("of level after")
    assert said(written(logs, path)) == ["after"]


def test_a_file_that_cannot_be_opened_leaves_the_old_one_open(
    opened: Opened, tmp_path: Path
) -> None:
    logs, _ = opened()
    logs.open_file(File(str(tmp_path / "log")))
    for bad in (str(tmp_path / "nowhere" / "log"), "a\0b", str(tmp_path)):
        with pytest.raises(ConfigError):
            logs.open_file(File(bad))
    _log.warning("of level after")
    assert said(written(logs, tmp_path / "log")) == ["after"]


def count(logs: Logs, name: str) -> int:
    """Where a counter stands."""
    return {one.name: one.value for one in logs.counters.counts()}[name]


@pytest.mark.parametrize(
    ("text", "args"),
    [
        ("nothing", ()),
        ("%s: %d", ("office", 200)),
        ("%(name)s is there", ({"name": "office"},)),
        ("%s", ({},)),
        ("%s", (None,)),
    ],
)
def test_a_small_record_makes_the_same_line(text: str, args: tuple[object, ...]) -> None:
    whole = logging.LogRecord("pjreg_cli.engine", NOTICE, "a.py", 1, text, args, None)
    before, source = logging.getLogRecordFactory(), logging._srcfile
    try:
        keep_records_small()
        small = logging.getLogger("pjreg_cli.engine").makeRecord(
            "pjreg_cli.engine",
            NOTICE,
            "a.py",
            1,
            text,
            args,
            None,
            extra={"registration": "office"},
        )
    finally:
        logging.setLogRecordFactory(before)
        logging._srcfile = source
    assert type(small) is not logging.LogRecord
    assert small.__dict__["registration"] == "office"
    assert abs(small.created - whole.created) < 60
    whole.created = small.created
    assert LineFormat().format(small) == LineFormat().format(whole)
