"""Where a console's output goes: the shell, a file, a pager, the width of the terminal."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.instance import PROGRAM, Instance, environment
from tests.support.terminal import CONSOLE_PROMPT, OpenTerminal, Terminal


def test_output_goes_through_a_command_of_the_shell(console: OpenTerminal) -> None:
    terminal = console()
    terminal.enter("rows 3000 | grep -E 'row(7|2999)/' | sort -r")
    terminal.until("row2999/")
    terminal.until("row7/")
    terminal.until_prompt(CONSOLE_PROMPT)
    assert "row70/" not in terminal.text


def test_command_that_reads_no_further_ends_the_output(console: OpenTerminal) -> None:
    terminal = console()
    terminal.enter("rows 100000000 | head -2")
    terminal.until("row1/")
    terminal.until_prompt(CONSOLE_PROMPT)
    terminal.enter("on")
    terminal.until("<on>")


def test_ctrl_c_ends_both_sides(console: OpenTerminal) -> None:
    terminal = console()
    terminal.enter("rows 100000000 | sed -n 's/row1000/seen/p'; echo the end")
    terminal.until("seen/sip:a@b")
    terminal.type("\x03")
    terminal.until_prompt(CONSOLE_PROMPT)
    terminal.enter("on")
    terminal.until("<on>")


def test_output_is_written_to_a_file_and_on_behind_it(
    console: OpenTerminal, tmp_path: Path
) -> None:
    terminal = console("colour")
    file = tmp_path / "rows"
    terminal.enter(f"rows 2 > {file}")
    terminal.until(f"(2 lines written to {file})")
    terminal.enter(f"rows 1 >> {file}")
    terminal.until(f"(1 line written to {file})")
    lines = file.read_text().splitlines()
    assert [line.split("/")[0].strip() for line in lines] == ["row0", "row1", "row0"]
    assert "\x1b" not in file.read_text()


@pytest.mark.parametrize(
    ("target", "why"),
    [("/nonexistent/file", "No such file or directory"), ("/dev/full", "No space left")],
)
def test_file_that_cannot_be_written_is_told(console: OpenTerminal, target: str, why: str) -> None:
    terminal = console()
    terminal.enter(f"rows 3 > {target}")
    terminal.until(why)
    terminal.until_prompt(CONSOLE_PROMPT)


def test_a_pipe_that_nobody_reads_is_told_and_not_waited_for(
    console: OpenTerminal, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "pipe")
    terminal = console()
    terminal.enter(f"rows 3 > {tmp_path}/pipe")
    terminal.until(": No such device")
    terminal.until_prompt(CONSOLE_PROMPT)


@pytest.mark.parametrize(
    "line", ['say "a | b"', "like a|b", "where number > 5", "say a \\| b", "say >", "say |"]
)
def test_signs_that_belong_to_the_command_stay_with_it(console: OpenTerminal, line: str) -> None:
    terminal = console()
    terminal.enter(line)
    terminal.until(f"<{line}>")


def test_instance_that_forbids_the_shell_forbids_these_too(
    console: OpenTerminal, tmp_path: Path
) -> None:
    terminal = console("noshell")
    terminal.enter(f"rows 1 | cat > {tmp_path}/x")
    terminal.until("The instance allows its remote consoles no shell.")
    terminal.enter(f"rows 1 > {tmp_path}/x")
    terminal.until(lambda me: me.text.count("allows its remote consoles no shell") == 2)
    assert not (tmp_path / "x").exists()


def test_long_outputs_are_paged_and_short_ones_are_not(console: OpenTerminal) -> None:
    terminal = console(PJREG_PAGER="sed 's/row/paged/'")
    terminal.enter("rows 3")
    terminal.until("row2/")
    terminal.until_prompt(CONSOLE_PROMPT)
    terminal.enter("rows 100")
    terminal.until("paged99/")
    terminal.until_prompt(CONSOLE_PROMPT)
    terminal.until("paged0/")
    assert "paged2/" in terminal.text


def test_less_has_the_keyboard(console: OpenTerminal) -> None:
    terminal = console(PJREG_PAGER="less")
    terminal.enter("rows 1000")
    terminal.until("row10/")
    terminal.until(lambda me: me.lines[-1].startswith(":"))
    terminal.type("G")
    terminal.until("row999/")
    terminal.type("q")
    terminal.until_prompt(CONSOLE_PROMPT)


def test_time_a_command_took_is_told_on_request(console: OpenTerminal) -> None:
    terminal = console()
    terminal.enter("pjreg timing on")
    terminal.until("How long a command took is told.")
    terminal.enter("say this")
    terminal.until(" ms)\n")
    terminal.enter("pjreg timing off")
    terminal.until("is not told")


def test_table_of_our_own_follows_the_width_of_the_window(instance: Instance) -> None:
    words = [*PROGRAM, "-r", "-s", str(instance.socket)]
    with Terminal(words, environment=environment(instance.home), columns=120) as terminal:
        terminal.until("*CLI>")
        terminal.enter("pjreg status --columns name,status,server,account,source")
        terminal.until("sip:client@registrar.invalid")
        terminal.resize(60, 30)
        terminal.enter("pjreg status --columns name,status,server,account,source")
        terminal.until("…")
        rows = [line for line in terminal.lines if line.startswith("my_")]
        assert rows[-1].endswith("…")
