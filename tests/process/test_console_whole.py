"""The console of the whole program, local and remote, on a real pseudo-terminal."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.instance import QUIET, short_folder
from tests.support.ports import free_port
from tests.support.terminal import Terminal

HOST = os.uname().nodename
REMOTE = f"{HOST}*CLI>"
LOCAL = "*CLI>"
CONFIGURATION = (
    QUIET
    + """
[zürich]
type = registration
server_uri = sip:zuerich.invalid
client_uri = sip:client@zuerich.invalid
max_random_initial_delay = 1000000

[office]
type = auth
username = me
password = s3cret
"""
)

Open = Callable[..., Terminal]


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder with a configuration, short enough for a socket."""
    with short_folder() as folder:
        (folder / "etc").mkdir()
        (folder / "etc" / "pjsip.conf").write_text(CONFIGURATION.format(port=free_port()), "utf-8")
        yield folder


@pytest.fixture
def program(home: Path) -> Iterator[Open]:
    """Runs `pjreg-cli` on terminals that end with the test."""
    opened: list[Terminal] = []

    def run(*arguments: str, ready: str = "", columns: int = 110, **more: str) -> Terminal:
        terminal = Terminal(
            [sys.executable, "-m", "pjreg_cli", "-s", str(home / "ctl"), *arguments],
            columns=columns,
            environment={"XDG_STATE_HOME": str(home / "state"), "HOME": str(home), **more},
        )
        opened.append(terminal)
        if ready:
            terminal.until_prompt(ready)
        return terminal

    yield run
    for terminal in opened:
        with contextlib.suppress(OSError):  # a test may have taken its terminal away
            terminal.close()


@pytest.fixture
def local(home: Path, program: Open) -> Open:
    """`-c` with the configuration."""

    def run(*arguments: str, **more: str) -> Terminal:
        return program("-C", str(home / "etc"), "-c", *arguments, **{"ready": LOCAL, **more})

    return run


# -- local ------------------------------------------------------------------------------------


def test_a_local_console_greets_and_shows_the_table(local: Open) -> None:
    terminal = local()
    assert terminal.lines[1] == "2 registrations: 2 unregistered"
    terminal.enter("pjsip show registrations")
    terminal.until("Objects found: 2")
    terminal.until_prompt(LOCAL)
    assert any(line.startswith(" zürich/sip:zuerich.invalid  ") for line in terminal.lines)


def test_the_status_word_is_coloured_unless_colour_is_off(local: Open) -> None:
    terminal = local()
    terminal.enter("pjsip show registrations")
    terminal.until("Objects found: 2")
    assert "brown" in terminal.colours("Unregistered")
    terminal.enter("core stop now")
    terminal.ends()
    plain = local("-n")
    plain.enter("pjsip show registrations")
    plain.until("Objects found: 2")
    assert plain.colours("Unregistered") == {"default"}


def test_no_color_is_honoured(local: Open) -> None:
    terminal = local(NO_COLOR="1")
    terminal.enter("pjsip show registrations")
    terminal.until("Objects found: 2")
    assert terminal.colours("Unregistered") == {"default"}


def test_ctrl_c_and_one_ctrl_d_leave_the_instance_running(local: Open) -> None:
    terminal = local()
    terminal.type("\x03\x03\x03")
    terminal.until("This console ends with its instance")
    terminal.type("\x04")
    terminal.until("Press Ctrl-D once more")
    terminal.enter("core show uptime")
    terminal.until("System uptime:")


def test_a_second_ctrl_d_stops_the_instance(local: Open) -> None:
    terminal = local()
    terminal.type("\x04")
    terminal.until("Press Ctrl-D once more")
    terminal.until_prompt(LOCAL)
    terminal.type("\x04")
    assert terminal.ends() == 0


@pytest.mark.parametrize("word", ["quit", "exit"])
def test_quit_never_stops_the_instance(local: Open, word: str) -> None:
    terminal = local()
    terminal.enter(word)
    terminal.until("This console ends with its instance: `core stop now` ends both, at once.")
    terminal.until_prompt(LOCAL)
    terminal.enter("core stop now")
    assert terminal.ends() == 0


def test_an_interrupt_from_outside_does_not_stop_an_instance_with_a_console(local: Open) -> None:
    terminal = local()
    terminal.process.kill(signal.SIGINT)
    terminal.until("This console ends with its instance")
    terminal.enter("core waitfullybooted")
    terminal.until("has fully booted.")


def test_a_termination_puts_the_terminal_back(home: Path, local: Open) -> None:
    terminal = local()
    terminal.process.kill(signal.SIGTERM)
    assert terminal.ends() == 0
    assert not (home / "ctl").exists()


# -- completion from the running instance -----------------------------------------------------


def test_names_auths_and_transports_complete(local: Open) -> None:
    terminal = local()
    terminal.type("pjsip send register \t")
    for line in ("*all         every registration", "my_provider  Unregistered", "zürich "):
        terminal.until(line)
    terminal.type("z\t")
    terminal.until_prompt(f"{LOCAL} pjsip send register zürich")
    terminal.type("\x15pjsip show auth of\t")
    terminal.until_prompt(f"{LOCAL} pjsip show auth office")
    terminal.type("\x15pjsip show transport u\t")
    terminal.until_prompt(f"{LOCAL} pjsip show transport udp")
    terminal.type("\x15pjsip show registrations l\t")
    terminal.until_prompt(f"{LOCAL} pjsip show registrations like")


def test_a_question_mark_explains_the_commands(local: Open) -> None:
    terminal = local()
    terminal.type("pjsip ?")
    terminal.until("  send    register, unregister")


# -- remote -----------------------------------------------------------------------------------


def test_a_remote_console_shares_the_instance(local: Open, program: Open) -> None:
    instance = local()
    remote = program("-r", ready=REMOTE)
    assert remote.lines[1] == "2 registrations: 2 unregistered"
    remote.type("pjsip send unregister z\t\r")
    remote.enter("pjsip show registration zürich")
    remote.until("ParameterName")
    remote.enter("exit")
    assert remote.ends() == 0
    instance.enter("core waitfullybooted")
    instance.until("has fully booted.")


def test_nobody_to_attach_to_is_said_in_a_line(program: Open) -> None:
    terminal = program("-r")
    assert terminal.ends() == 1
    assert terminal.text.startswith("pjreg-cli: ")
    assert "Traceback" not in terminal.text


def test_an_instance_that_stops_tells_its_consoles(local: Open, program: Open) -> None:
    instance = local()
    remote = program("-r", ready=REMOTE)
    remote.type("half a line")
    remote.until_prompt(f"{REMOTE} half a line")
    instance.enter("core stop now")
    assert remote.ends() == 1
    assert "Disconnected from pjreg-cli" in remote.text


def test_a_console_that_reconnects_survives_a_restart_of_the_instance(
    local: Open, program: Open
) -> None:
    instance = local()
    remote = program("-R", ready=REMOTE)
    instance.enter("core stop now")
    assert instance.ends() == 0
    remote.until("Looking for it for 30 s")
    local()
    remote.until(lambda me: me.text.count("Connected to pjreg-cli") == 2)
    remote.until_prompt(REMOTE)


def test_giving_up_to_reconnect_takes_one_ctrl_c(local: Open, program: Open) -> None:
    instance = local()
    remote = program("-R", ready=REMOTE)
    instance.enter("core stop now")
    remote.until("Looking for it for 30 s")
    remote.type("\x03")
    assert remote.ends() == 1


def test_the_counts_of_a_remote_console_follow_the_instance(local: Open, program: Open) -> None:
    local()
    remote = program("-r", ready=REMOTE)
    remote.until(lambda me: me.lines[-1].endswith("2 unregistered"))
    remote.enter("pjsip send unregister *all")
    remote.until("Unregister all queued")
    # those without a state are shown as unregistered, and counted so
    remote.until(lambda me: me.lines[-1].endswith(" 2 unregistered"))


def test_configuration_may_forbid_remote_consoles_a_shell(
    home: Path, local: Open, program: Open
) -> None:
    (home / "etc" / "pjreg.conf").write_text("[general]\nremote_shell = no\n")
    instance = local()
    remote = program("-r", ready=REMOTE)
    remote.enter("!echo $((40 + 2))")
    remote.until("The instance allows its remote consoles no shell.")
    instance.enter("!echo $((40 + 2))")
    instance.until("\n42")


def test_without_a_command_the_running_instance_is_attached_to(local: Open, program: Open) -> None:
    local()
    terminal = program(ready=REMOTE)
    assert "Connected to pjreg-cli" in terminal.text


def test_an_instance_outlives_its_terminal(home: Path, local: Open, program: Open) -> None:
    lost = local()
    number = lost.process.pid
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), lost.process.fileno())
    try:
        remote = program("-r", ready=REMOTE)
        remote.enter("core show settings")
        remote.until("Configuration file:")
        remote.enter("core stop now")
        assert remote.ends() == 1
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(number, signal.SIGKILL)
