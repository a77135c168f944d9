"""`pjreg-cli check`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pjreg_cli.entry import main

CLEAN = "[udp]\ntype=transport\nbind=0.0.0.0\n"
WARNING = CLEAN + "tcp_keepalive_enable=perhaps\n"
ERROR = CLEAN + "colour=red\n"


@pytest.mark.parametrize(
    ("text", "words", "status"),
    [
        (CLEAN, (), 0),
        (CLEAN, ("--strict",), 0),
        (WARNING, (), 0),
        (WARNING, ("--strict",), 1),
        (ERROR, (), 1),
        (ERROR, ("--json",), 1),
    ],
)
def test_status_tells_whether_it_is_clean(
    tmp_path: Path, text: str, words: tuple[str, ...], status: int
) -> None:
    (tmp_path / "pjsip.conf").write_text(text, encoding="utf-8")
    assert main(["check", *words, str(tmp_path)]) == status


def test_problem_is_printed_as_compilers_do(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "pjsip.conf"
    file.write_text(ERROR, encoding="utf-8")
    main(["check", str(file)])
    assert capfd.readouterr().out.startswith(f"{file}:4: error: [udp] is refused: unknown option")


def test_problems_are_told_to_machines(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "pjsip.conf").write_text(WARNING, encoding="utf-8")
    main(["check", "--json", str(tmp_path)])
    (problem,) = json.loads(capfd.readouterr().out)
    assert (problem["line"], problem["level"]) == (4, "warning")


def test_missing_configuration_is_an_error(tmp_path: Path) -> None:
    assert main(["check", str(tmp_path / "nothere")]) == 1


def test_too_many_paths_are_bad_usage(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "a", "b"]) == 2
    assert "one PATH" in capfd.readouterr().err
