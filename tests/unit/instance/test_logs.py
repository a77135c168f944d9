"""pjreg_cli/logs.py"""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pjreg_cli.errors import ConfigError
from pjreg_cli.instance.logs import NOTICE, Logs, level_name

_log = logging.getLogger("pjreg_cli.engine")


@dataclass(frozen=True)
class File:
    """What pjreg.conf may say."""

    log_file: str = ""
    log_level: str = "info"
    log_max_bytes: int = 0
    log_keep: int = 2


@pytest.fixture
def made() -> Iterator[list[Logs]]:
    """Logs that are closed at the end."""
    logs: list[Logs] = []
    yield logs
    for one in logs:
        one.close()


def opened(made: list[Logs], verbose: int = 0, debug: int = 0) -> tuple[Logs, io.StringIO]:
    stderr = io.StringIO()
    logs = Logs(stderr=stderr, verbose=verbose, debug=debug)
    made.append(logs)
    return logs, stderr


def say_everything() -> None:
    _log.debug("of level debug")
    _log.info("of level info")
    _log.log(NOTICE, "of level notice")
    _log.warning("of level warning")
    _log.error("of level error")


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
    made: list[Logs], verbose: int, debug: int, expected: list[str]
) -> None:
    _, stderr = opened(made, verbose, debug)
    say_everything()
    assert said(stderr.getvalue()) == expected


def test_line_names_level_process_and_package(made: list[Logs]) -> None:
    _, stderr = opened(made)
    _log.warning("%s: gone", "alice")
    assert re.fullmatch(
        r"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\] WARNING\[\d+\] engine: alice: gone\n",
        stderr.getvalue(),
    )


def test_under_systemd_the_priority_leads(
    made: list[Logs], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JOURNAL_STREAM", "8:1")
    _, stderr = opened(made)
    _log.error("gone")
    assert stderr.getvalue() == "<3>ERROR engine: gone\n"


def test_unexpected_error_keeps_its_traceback(made: list[Logs]) -> None:
    _, stderr = opened(made)
    try:
        raise RuntimeError("of ours")
    except RuntimeError:
        _log.exception("task failed")
    assert "Traceback" in stderr.getvalue()
    assert "RuntimeError: of ours" in stderr.getvalue()


def test_debug_can_be_switched_while_it_runs(made: list[Logs]) -> None:
    logs, stderr = opened(made)
    logs.set_debug(3)
    _log.debug("of level first")
    logs.set_debug(0)
    _log.debug("of level second")
    assert said(stderr.getvalue()) == ["first"]
    assert logs.debug == 0


def test_records_nobody_wants_are_not_even_made(made: list[Logs]) -> None:
    logs, _ = opened(made)
    assert not _log.isEnabledFor(logging.INFO)
    end = logs.subscribe(lambda *_: None)
    assert _log.isEnabledFor(logging.INFO)
    end()
    assert not _log.isEnabledFor(logging.INFO)


# -- consoles ---------------------------------------------------------------------------------


def test_consoles_are_told_level_line_and_verbosity(made: list[Logs]) -> None:
    logs, _ = opened(made)
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


def test_level_can_be_muted_on_consoles_but_not_on_stderr(made: list[Logs]) -> None:
    logs, stderr = opened(made)
    told: list[str] = []
    logs.subscribe(lambda level, _line, _verbosity: told.append(level))
    assert logs.set_level("warning", on=False)
    _log.warning("of level warning")
    assert told == []
    assert said(stderr.getvalue()) == ["warning"]
    assert logs.set_level("WARNING", on=True)
    _log.warning("of level warning")
    assert told == ["WARNING"]


def test_unknown_level_is_refused(made: list[Logs]) -> None:
    logs, _ = opened(made)
    assert not logs.set_level("loud", on=True)


# -- the file ---------------------------------------------------------------------------------


def test_file_has_a_level_of_its_own(made: list[Logs], tmp_path: Path) -> None:
    logs, stderr = opened(made)
    logs.open_file(File(str(tmp_path / "log"), "info"))
    say_everything()
    assert said((tmp_path / "log").read_text()) == ["info", "notice", "warning", "error"]
    assert said(stderr.getvalue()) == ["notice", "warning", "error"]


def test_rotation_keeps_as_many_files_as_configured(made: list[Logs], tmp_path: Path) -> None:
    logs, _ = opened(made)
    logs.open_file(File(str(tmp_path / "log")))
    for _ in range(4):
        _log.warning("of level warning")
        logs.rotate()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log", "log.1", "log.2"]


def test_file_that_cannot_be_opened_is_named(made: list[Logs], tmp_path: Path) -> None:
    logs, _ = opened(made)
    with pytest.raises(ConfigError, match=str(tmp_path / "nowhere" / "log")):
        logs.open_file(File(str(tmp_path / "nowhere" / "log")))


def test_trace_goes_to_stderr_and_file_as_it_is(made: list[Logs], tmp_path: Path) -> None:
    logs, stderr = opened(made)
    logs.open_file(File(str(tmp_path / "log")))
    logs.trace("<--- Transmitting --->\nREGISTER")
    assert stderr.getvalue() == "<--- Transmitting --->\nREGISTER\n"
    assert (tmp_path / "log").read_text() == stderr.getvalue()


def test_channels_name_what_is_logged_to(made: list[Logs], tmp_path: Path) -> None:
    logs, _ = opened(made)
    logs.open_file(File(str(tmp_path / "log"), "error"))
    logs.set_level("debug", on=False)
    console, stderr, file = logs.channels()
    assert (console.name, console.levels) == ("console", ("ERROR", "WARNING", "NOTICE", "VERBOSE"))
    assert (stderr.kind, stderr.levels) == ("Stream", ("ERROR", "WARNING", "NOTICE"))
    assert (file.name, file.kind, file.levels) == (str(tmp_path / "log"), "File", ("ERROR",))


def test_closed_log_leaves_no_handler_behind() -> None:
    logs = Logs(stderr=io.StringIO())
    before = len(logging.getLogger("pjreg_cli").handlers)
    logs.close()
    assert len(logging.getLogger("pjreg_cli").handlers) == before - 2


def test_a_console_that_takes_the_terminal_over_silences_stderr() -> None:
    stderr = io.StringIO()
    logs = Logs(stderr=stderr)
    lines: list[str] = []
    try:
        logging.getLogger("pjreg_cli.instance").error("before")
        logs.leave_stderr()
        logs.subscribe(lambda _level, line, _verbosity: lines.append(line))
        logging.getLogger("pjreg_cli.instance").error("after")
    finally:
        logs.close()
    assert stderr.getvalue().endswith("instance: before\n")
    assert [line.rpartition(": ")[2] for line in lines] == ["after"]
