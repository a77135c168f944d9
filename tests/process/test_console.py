"""The console on a real pseudo-terminal, before a backend that does as told."""

from __future__ import annotations

import signal
import stat
import sys
from pathlib import Path

import pytest

from tests.support.terminal import CONSOLE_PROMPT, OpenTerminal, Terminal
from tests.support.waiting import until

HELLO = "Tab completes"

# -- typing -----------------------------------------------------------------------------------


def test_greeting_and_prompt_look_like_a_console(console: OpenTerminal) -> None:
    terminal = console()
    assert terminal.lines[:5] == [
        "pjreg-cli 1.2.3, /etc/pjreg-cli/pjsip.conf",
        "3 registrations: 1 registered, 2 rejected",
        "=" * 76,
        "Connected to pjreg-cli 1.2.3 on pbx.example.com (pid = 4711)",
        "Tab completes, ? lists what can follow, `core show help` lists the commands.",
    ]


def test_a_line_typed_is_executed_as_typed(console: OpenTerminal) -> None:
    terminal = console()
    terminal.enter('say  "hello  there"')
    terminal.until('<say  "hello  there">')
    terminal.until_prompt(CONSOLE_PROMPT)


def test_an_empty_line_does_nothing(console: OpenTerminal) -> None:
    terminal = console()
    terminal.type("\r  \r")
    terminal.enter("end")
    terminal.until("<end>")
    assert terminal.text.count("<") == 1


def test_the_line_can_be_edited(console: OpenTerminal) -> None:
    terminal = console()
    terminal.type("pjsip shwo\x1b[D\x1b[D\x1b[3~\x1b[Cw\x01x \x05!")
    terminal.until_prompt(f"{CONSOLE_PROMPT} x pjsip show!")


def test_keys_of_vi_are_there_when_asked_for(console: OpenTerminal) -> None:
    terminal = console(AST_EDITMODE="vi")
    terminal.type("one two\x1b")
    terminal.until(lambda me: me.column == len(f"{CONSOLE_PROMPT} one tw"))
    terminal.type("0cw")
    terminal.until(lambda me: "one" not in me.prompt_line)
    terminal.enter("three ")
    terminal.until("<three two>")


def test_the_prompt_is_that_of_asterisk_prompt(console: OpenTerminal) -> None:
    terminal = console(ready="pbx>100%:", ASTERISK_PROMPT="%H%#100%%: ")
    terminal.enter("x")
    terminal.until("<x>")


def test_commands_given_at_the_start_are_run_first(console: OpenTerminal) -> None:
    terminal = console("first command", "second")
    assert terminal.text.index("<first command>") < terminal.text.index("<second>")


# -- Tab and ? --------------------------------------------------------------------------------


def test_tab_opens_a_menu_with_a_word_on_each(console: OpenTerminal) -> None:
    terminal = console()
    terminal.type("pjsip show \t")
    terminal.until_prompt(f"{CONSOLE_PROMPT} pjsip show registration")
    terminal.until(lambda me: "registration   Show one" in "\n".join(me.lines))
    terminal.until(lambda me: "registrations  Show all" in "\n".join(me.lines))
    terminal.type("\t\t")
    terminal.until_prompt(f"{CONSOLE_PROMPT} pjsip show registrations")
    terminal.type("\r")
    terminal.until(lambda me: "Show one" not in "\n".join(me.lines))
    terminal.until_prompt(f"{CONSOLE_PROMPT} pjsip show registrations")
    assert "<pjsip" not in terminal.text
    terminal.type("\r")
    terminal.until("<pjsip show registrations>")


def test_menu_has_room_at_the_end_of_the_screen(console: OpenTerminal) -> None:
    terminal = console(rows=24, columns=80)
    terminal.enter("rows 100")
    terminal.until("row99/")
    terminal.until_prompt(CONSOLE_PROMPT)
    terminal.type("pjsip s\t")

    def seen(me: Terminal) -> bool:
        words = "\n".join(me.lines[-12:])
        return all(word in words for word in (" send", " set", " show", "0 unregistered"))

    terminal.until(seen)


def test_escape_closes_the_menu(console: OpenTerminal) -> None:
    terminal = console()
    terminal.type("pjsip s\t")
    terminal.until("send")
    terminal.type("\t\x1b")
    terminal.until(lambda me: "set" not in "\n".join(me.lines))
    terminal.until_prompt(f"{CONSOLE_PROMPT} pjsip s")


def test_tab_completes_commands_and_names(console: OpenTerminal) -> None:
    terminal = console()
    terminal.type("pjs\tsen\tunr\t\t")
    for name in ("*all", "my_provider", "outreg", "zürich-语"):
        terminal.until(f"{name} ")
    terminal.type("z\t\r")
    terminal.until("<pjsip send unregister zürich-语>")


def test_what_was_typed_before_is_suggested_in_grey(console: OpenTerminal) -> None:
    terminal = console("colour")
    terminal.enter("pjsip show registrations")
    terminal.until("<pjsip show registrations>")
    terminal.type("pjsip sh")
    terminal.until(lambda me: me.prompt_line.endswith("pjsip show registrations"))
    assert terminal.column == len(f"{CONSOLE_PROMPT} pjsip sh")
    terminal.type("\x1b[C\r")
    terminal.until(lambda me: me.text.count("<pjsip show registrations>") == 2)


def test_without_colour_nothing_is_suggested_that_looks_like_typed(console: OpenTerminal) -> None:
    terminal = console()
    terminal.enter("pjsip show registrations")
    terminal.until("<pjsip show registrations>")
    terminal.type("pjsip sh")
    terminal.until_prompt(f"{CONSOLE_PROMPT} pjsip sh")


def test_keys_typed_behind_a_tab_do_not_overtake_it(console: OpenTerminal) -> None:
    terminal = console()
    terminal.type("core sh\they\x7f\x7flp\x7f\x7f\x7fhe\t\r")
    terminal.until("<core show help>")


def test_tab_rings_the_bell_when_nothing_can_follow(console: OpenTerminal) -> None:
    terminal = console()
    before = terminal.raw.count(b"\a")
    terminal.type("bogus\t")
    terminal.until(lambda me: me.raw.count(b"\a") == before + 1)


def test_a_question_mark_lists_with_a_word_on_each(console: OpenTerminal) -> None:
    terminal = console()
    terminal.type("pjsip show ?")
    terminal.until("  registration   Show one")
    terminal.until("  registrations  Show all")
    terminal.until_prompt(f"{CONSOLE_PROMPT} pjsip show")


def test_a_question_mark_in_a_pattern_is_one(console: OpenTerminal) -> None:
    terminal = console()
    terminal.enter("pjsip show registrations like a?b")
    terminal.until("<pjsip show registrations like a?b>")


# -- history ----------------------------------------------------------------------------------


def test_history_outlives_the_console_and_is_private(console: OpenTerminal, state: Path) -> None:
    first = console()
    first.enter("remember zürich")
    first.until("<remember zürich>")
    first.enter("quit")
    assert first.ends() == 0
    file = state / "pjreg-cli" / "history"
    assert file.read_text() == "remember zürich\nquit\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    second = console()
    second.type("\x1b[A\x1b[A")
    second.until_prompt(f"{CONSOLE_PROMPT} remember zürich")


def test_history_can_be_searched(console: OpenTerminal) -> None:
    terminal = console()
    for line in ("alpha needle", "beta", "gamma"):
        terminal.enter(line)
        terminal.until(f"<{line}>")
    terminal.type("\x12need")
    terminal.until("alpha needle")
    terminal.type("\r")
    terminal.until(lambda me: me.text.count("<alpha needle>") == 2)


def test_up_finds_lines_that_begin_so(console: OpenTerminal) -> None:
    terminal = console()
    for line in ("alpha", "beta"):
        terminal.enter(line)
        terminal.until(f"<{line}>")
    terminal.type("al\x1b[A")
    terminal.until_prompt(f"{CONSOLE_PROMPT} alpha")


def test_a_home_that_cannot_be_written_is_no_hindrance(console: OpenTerminal, state: Path) -> None:
    state.write_text("a file where a folder should be")
    terminal = console()
    terminal.enter("still")
    terminal.until("<still>")
    terminal.type("\x1b[A")
    terminal.until_prompt(f"{CONSOLE_PROMPT} still")


# -- paste ------------------------------------------------------------------------------------


def test_pasted_lines_run_one_by_one_and_the_last_can_be_edited(console: OpenTerminal) -> None:
    terminal = console()
    terminal.paste("one\ntwo\r\n\nthree\nunfinished")
    terminal.until_prompt(f"{CONSOLE_PROMPT} unfinished")
    told = [line for line in terminal.lines if line.startswith("<")]
    assert told == ["<one>", "<two>", "<three>"]
    assert f"{CONSOLE_PROMPT} two" in terminal.lines


def test_a_paste_continues_what_was_typed(console: OpenTerminal) -> None:
    terminal = console()
    terminal.type("behind\x01")
    terminal.paste("a?\nb ")
    terminal.until("<a?>")
    terminal.until_prompt(f"{CONSOLE_PROMPT} b behind")


def test_pasted_lines_are_in_the_history(console: OpenTerminal) -> None:
    terminal = console()
    terminal.paste("one\ntwo\n")
    terminal.until("<two>")
    terminal.type("\x1b[A\x1b[A")
    terminal.until_prompt(f"{CONSOLE_PROMPT} one")


def test_lines_sent_at_once_without_paste_marks_run_in_order(console: OpenTerminal) -> None:
    terminal = console()
    terminal.type("".join(f"line{number}\r" for number in range(20)))
    terminal.until("<line19>")
    told = [line for line in terminal.text.splitlines() if line.startswith("<")]
    assert told == [f"<line{number}>" for number in range(20)]


def test_ctrl_c_ends_a_whole_paste(console: OpenTerminal) -> None:
    terminal = console()
    lines = "".join(f"line{number}\n" for number in range(1, 3000))
    terminal.paste(f"rows 100000000\n{lines}unfinished")
    terminal.until("row1000/")
    terminal.type("\x03")
    terminal.until("(2,999 more lines of what was pasted were not run)")
    terminal.until_prompt(CONSOLE_PROMPT)
    terminal.enter("after")
    terminal.until("<after>")
    assert "<line1>" not in terminal.text


# -- what comes unasked -----------------------------------------------------------------------


def test_log_lines_appear_above_what_is_being_typed(console: OpenTerminal, tmp_path: Path) -> None:
    terminal = console()
    terminal.enter(f"when {tmp_path}/now [2026] WARNING[1] engine: late line")
    terminal.type("half a comm")
    terminal.until_prompt(f"{CONSOLE_PROMPT} half a comm")
    (tmp_path / "now").touch()
    terminal.until("engine: late line")
    terminal.until_prompt(f"{CONSOLE_PROMPT} half a comm")
    terminal.enter("and")
    terminal.until("<half a command>")


def test_a_storm_of_log_lines_tears_nothing(console: OpenTerminal) -> None:
    terminal = console()
    terminal.enter("burst 100")
    for sign in "typed slowly":
        terminal.type(sign)
        terminal.until(lambda me: me.raw != b"")
    terminal.until("burst 99")
    terminal.until_prompt(f"{CONSOLE_PROMPT} typed slowly")
    shown = [line for line in terminal.text.splitlines() if line.startswith("burst ")]
    assert shown == [f"burst {number}" for number in range(100)]


def test_the_bar_follows_the_counts(console: OpenTerminal) -> None:
    terminal = console()
    terminal.until(lambda me: me.lines[-1] == " 1 registered   2 rejected   0 unregistered")
    terminal.enter("count 7 8 9")
    terminal.until(lambda me: me.lines[-1] == " 7 registered   8 rejected   9 unregistered")


def test_the_bar_stays_out_of_what_scrolls_away(console: OpenTerminal) -> None:
    terminal = console(rows=24, columns=80)
    for _ in range(3):
        terminal.type("pjsip s\t")
        terminal.until("send")
        terminal.enter("how")
        terminal.until_prompt(CONSOLE_PROMPT)
    terminal.until(lambda me: "unregistered" in me.lines[-1])
    assert sum("0 unregistered" in line for line in terminal.text.splitlines()) == 1


# -- Ctrl-C and Ctrl-D ------------------------------------------------------------------------


def test_ctrl_c_gives_up_the_line(console: OpenTerminal) -> None:
    terminal = console()
    terminal.type("never mind\x03")
    terminal.until(f"{CONSOLE_PROMPT} never mind^C")
    terminal.until_prompt(CONSOLE_PROMPT)
    terminal.enter("on")
    terminal.until("<on>")
    assert "<never" not in terminal.text


def test_ctrl_c_on_an_empty_line_says_how_to_leave(console: OpenTerminal) -> None:
    terminal = console()
    terminal.type("\x03")
    terminal.until("Type `quit` or press Ctrl-D to leave; the instance goes on.")
    terminal.enter("here")
    terminal.until("<here>")


def test_ctrl_c_ends_a_long_output(console: OpenTerminal) -> None:
    terminal = console()
    terminal.enter("rows 100000000")
    terminal.until("row1000/")
    terminal.type("\x03")
    terminal.until_prompt(CONSOLE_PROMPT)
    terminal.enter("next")
    terminal.until("<next>")


def test_a_signal_from_outside_is_a_ctrl_c(console: OpenTerminal) -> None:
    terminal = console()
    terminal.type("begun")
    terminal.until_prompt(f"{CONSOLE_PROMPT} begun")
    terminal.process.kill(signal.SIGINT)
    terminal.until_prompt(CONSOLE_PROMPT)
    assert terminal.alive


@pytest.mark.parametrize("key", ["\x1a", "\x1c"])
def test_keys_that_stop_programs_do_nothing_during_an_output(
    console: OpenTerminal, key: str
) -> None:
    terminal = console()
    terminal.enter("rows 3000")
    terminal.until("row100/")
    terminal.type(key)
    terminal.until("row2999/")
    terminal.type("\x15")
    terminal.enter("alive")
    terminal.until("alive>")


def test_what_is_typed_during_an_output_is_not_in_it(console: OpenTerminal) -> None:
    terminal = console()
    terminal.enter("rows 3000")
    terminal.until("row100/")
    terminal.type("typed ahead\r")
    terminal.until("<typed ahead>")
    rows = [line for line in terminal.text.splitlines() if "typed" in line]
    assert rows == [f"{CONSOLE_PROMPT} typed ahead", "<typed ahead>"]


@pytest.mark.parametrize("keys", ["\x04", "quit\r", "exit\r", "QUIT \r"])
def test_leaving_a_remote_console_is_a_success(console: OpenTerminal, keys: str) -> None:
    terminal = console()
    terminal.type(keys)
    assert terminal.ends() == 0


def test_an_output_without_line_end_does_not_swallow_the_prompt(console: OpenTerminal) -> None:
    terminal = console()
    terminal.enter("open")
    terminal.until("a line without an end")
    terminal.until_prompt(CONSOLE_PROMPT)


# -- the instance goes away -------------------------------------------------------------------


def test_the_instance_stopping_under_the_prompt_ends_the_console(console: OpenTerminal) -> None:
    terminal = console()
    terminal.enter("drop the instance has ended")
    assert terminal.ends() == 1
    gone = "Disconnected from pjreg-cli 1.2.3 on pbx.example.com (pid = 4711)"
    assert f"{gone}: the instance has ended" in terminal.lines


def test_the_instance_stopping_during_a_command_ends_the_console(console: OpenTerminal) -> None:
    terminal = console()
    terminal.enter("break it fell over")
    assert terminal.ends() == 1
    assert "it fell over" in terminal.text


def test_the_terminal_is_left_as_it_was_found(console: OpenTerminal, tmp_path: Path) -> None:
    python = f"{sys.executable} -m tests.support.console_host"
    script = f"stty -a > {tmp_path}/before; {python}; stty -a > {tmp_path}/after; echo all done"
    terminal = Terminal(["/bin/sh", "-c", script], environment={"XDG_STATE_HOME": str(tmp_path)})
    with terminal:
        terminal.until_prompt(CONSOLE_PROMPT)
        terminal.enter("!stty -a")
        terminal.until("speed")
        terminal.enter("drop it")
        terminal.until("all done")
    assert (tmp_path / "before").read_text() == (tmp_path / "after").read_text()


def test_a_console_that_reconnects_finds_the_instance_again(console: OpenTerminal) -> None:
    terminal = console("again")
    terminal.enter("drop the instance restarts")
    terminal.until("Looking for it for 30 s")
    terminal.until(lambda me: me.text.count(HELLO) == 2)
    terminal.enter("back")
    terminal.until("<back>")


# -- the shell --------------------------------------------------------------------------------


def test_an_exclamation_mark_runs_a_command(console: OpenTerminal) -> None:
    terminal = console()
    terminal.enter("!echo $((40 + 2)) from the shell")
    terminal.until("42 from the shell")
    terminal.until_prompt(CONSOLE_PROMPT)


def test_a_lone_exclamation_mark_is_a_shell_until_it_ends(console: OpenTerminal) -> None:
    terminal = console(PS1="inner> ")
    terminal.enter("!")
    terminal.until_prompt("inner>")
    terminal.enter("echo $((40 + 2))")
    terminal.until("\n42")
    terminal.enter("exit")
    terminal.until_prompt(CONSOLE_PROMPT)


def test_ctrl_c_in_a_shell_command_ends_that_alone(console: OpenTerminal) -> None:
    terminal = console()
    terminal.enter("!echo sleeping; sleep 60")
    terminal.until("\nsleeping")
    terminal.type("\x03")
    terminal.until_prompt(CONSOLE_PROMPT)
    terminal.enter("on")
    terminal.until("<on>")


def test_log_lines_wait_while_a_shell_has_the_terminal(
    console: OpenTerminal, tmp_path: Path
) -> None:
    terminal = console()
    now = tmp_path / "now"
    terminal.enter(f"when {now} from the log")
    terminal.enter(f"!touch {now}; while test -e {now}; do sleep 0.01; done; echo shell is done")
    terminal.until("\nfrom the log")
    assert terminal.text.index("\nshell is done") < terminal.text.index("\nfrom the log")


def test_the_instance_may_forbid_the_shell(console: OpenTerminal) -> None:
    terminal = console("noshell")
    terminal.enter("!echo $((40 + 2))")
    terminal.until("The instance allows its remote consoles no shell.")
    terminal.until_prompt(CONSOLE_PROMPT)
    assert "\n42" not in terminal.text


# -- terminals --------------------------------------------------------------------------------


def test_the_prompt_follows_the_size_of_the_window(console: OpenTerminal) -> None:
    terminal = console(columns=100, rows=30)
    terminal.type("x" * 90)
    terminal.until("x" * 50)
    terminal.resize(60, 20)
    terminal.until(lambda me: me.lines[-1] == " 1 registered   2 rejected   0 unregistered")
    terminal.type("\x15pjsip send register ")
    terminal.until_prompt(f"{CONSOLE_PROMPT} pjsip send register")
    terminal.enter("z")
    terminal.until("<pjsip send register z>")


def test_eighty_columns_hold_the_greeting(console: OpenTerminal) -> None:
    terminal = console(columns=80, rows=24)
    assert "core show help` lists the commands." in terminal.lines[4]


def test_colour_paints_the_status_and_nothing_else(console: OpenTerminal) -> None:
    terminal = console("colour")
    terminal.enter("rows 1")
    terminal.until_prompt(CONSOLE_PROMPT)
    terminal.until("(exp. 0s)")
    assert terminal.colours("Registered") == {"green"}
    assert terminal.colours("row0/sip") == {"default"}


def test_without_colour_there_is_none(console: OpenTerminal) -> None:
    terminal = console()
    terminal.enter("rows 1")
    terminal.until("(exp. 0s)")
    terminal.until(lambda me: "registered" in me.lines[-1])
    assert terminal.colours("Registered") == {"default"}
    assert b"\x1b[1;32m" not in terminal.raw
    assert b"\x1b[32m" not in terminal.raw


def ready(terminal: Terminal) -> None:
    """Wait until a dumb terminal shows what is typed: a moment after the prompt."""
    terminal.until_prompt(CONSOLE_PROMPT)
    until(terminal.edits_lines, "the terminal edits the line itself")


class TestDumbTerminal:
    """`TERM=dumb`: a serial line, Emacs' shell.  The terminal itself edits the line."""

    def test_nothing_but_plain_text_is_sent(self, console: OpenTerminal) -> None:
        terminal = console("colour", TERM="dumb", ASTERISK_PROMPT="%C31%H> ", ready="pbx>")
        terminal.enter("rows 2")
        terminal.until("row1/")
        terminal.until_prompt("pbx>")
        terminal.enter("log x")
        terminal.until("\nx")
        assert b"\x1b" not in terminal.raw

    def test_typing_and_asking_work(self, console: OpenTerminal) -> None:
        terminal = console(TERM="dumb")
        ready(terminal)
        terminal.enter("sayy\x7f this")
        terminal.until("<say this>")
        ready(terminal)
        terminal.enter("pjsip show registration ?")
        terminal.until("my_provider  a registration")
        terminal.until_prompt(CONSOLE_PROMPT)

    def test_log_lines_bring_the_prompt_again(self, console: OpenTerminal, tmp_path: Path) -> None:
        terminal = console(TERM="dumb")
        terminal.enter(f"when {tmp_path}/now from the log")
        terminal.until("<when>")
        ready(terminal)
        terminal.type("half")
        terminal.until_prompt(f"{CONSOLE_PROMPT} half")
        (tmp_path / "now").touch()
        terminal.until("\nfrom the log")
        terminal.until_prompt(CONSOLE_PROMPT)
        terminal.enter(" a line")
        terminal.until("<half a line>")

    def test_ctrl_c_and_ctrl_d_do_what_they_do_elsewhere(self, console: OpenTerminal) -> None:
        terminal = console(TERM="dumb")
        ready(terminal)
        terminal.type("given up")
        terminal.until_prompt(f"{CONSOLE_PROMPT} given up")
        terminal.type("\x03")
        ready(terminal)
        terminal.type("\x04")
        assert terminal.ends() == 0

    def test_the_instance_may_stop(self, console: OpenTerminal) -> None:
        terminal = console(TERM="dumb")
        terminal.enter("drop over")
        assert terminal.ends() == 1
