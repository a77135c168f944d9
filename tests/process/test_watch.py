"""`pjreg watch` on a real terminal, from a shell and from a console."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.support.instance import Instance, environment
from tests.support.ports import free_port
from tests.support.terminal import Terminal
from tests.support.waiting import becomes, running_instance

CONFIGURATION = """\
[tcp]
type = transport
protocol = tcp
bind = 127.0.0.1:{port}

[alice]
type = registration
server_uri = sip:127.0.0.1:{registrar}\\;transport=tcp
client_uri = sip:alice@127.0.0.1
max_random_initial_delay = 0

[later]
type = registration
server_uri = sip:127.0.0.1:{registrar}\\;transport=tcp
client_uri = sip:later@127.0.0.1
max_random_initial_delay = 1000000
"""


def looking(instance: Instance, *words: str, columns: int = 80, rows: int = 24) -> Terminal:
    """`pjreg-cli` with these words on a terminal."""
    command = [sys.executable, "-m", "pjreg_cli", "-s", str(instance.socket), *words]
    return Terminal(command, columns=columns, rows=rows, environment=environment(instance.home))


def drawn(terminal: Terminal) -> bool:
    """Whether the screen is there to its last line."""
    return terminal.lines[-1].startswith(" Enter explain")


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (160, 50)])
def test_trouble_comes_first_and_explains_itself(home: Path, columns: int, rows: int) -> None:
    text = CONFIGURATION.format(port=free_port(), registrar=free_port())
    with running_instance(home, text) as instance:
        becomes(instance, "alice", "Rejected")
        with looking(instance, "pjreg", "watch", columns=columns, rows=rows) as terminal:
            terminal.until("! alice")
            terminal.until(drawn)
            lines = terminal.lines
            assert lines[0].startswith("1 Rejected, 1 Unregistered ")
            assert "by trouble" in lines[0]
            assert lines[3].split()[:3] == ["!", "alice", "Rejected"]
            assert "refused" in lines[3]
            assert lines[4].split()[:3] == [".", "later", "Unregistered"]
            assert lines[-1].startswith(" Enter explain")
            assert len(lines) == rows
            terminal.type("\r")
            terminal.until("alice is Rejected since")
            terminal.type(" ")
            terminal.until(lambda me: me.lines[0].startswith("1 Rejected"))
            terminal.type("u")
            terminal.until("pjsip send unregister alice? (y/n)")
            terminal.type("n")
            terminal.type("/lat\r")
            terminal.until("like lat")
            terminal.until(lambda me: "alice" not in "".join(me.lines))
            terminal.type("q")
            assert terminal.ends() == 0
            assert b"\x1b[?1049h" in terminal.raw
            assert terminal.raw.rindex(b"\x1b[?1049l") > terminal.raw.rindex(b"Enter explain")


def test_only_what_changes_is_drawn(home: Path) -> None:
    text = CONFIGURATION.format(port=free_port(), registrar=free_port())
    with running_instance(home, text) as instance:
        becomes(instance, "alice", "Rejected")
        with looking(instance, "pjreg", "watch") as terminal:
            terminal.until("! alice")
            terminal.until(drawn)
            before = len(terminal.raw)
            heads = {terminal.lines[0]}

            def goes_on(me: Terminal) -> bool:
                """The clock at least has changed twice."""
                heads.add(me.lines[0])
                return len(heads) > 2

            terminal.until(goes_on)
            since = terminal.raw[before:]
            assert b"\x1b[2J" not in since, "the screen is never cleared"
            assert b"\x1b[J" not in since
            assert b"alice" not in since, "nor drawn again where nothing has changed"
            assert len(since) < 80 * 24 / 2


def test_an_explanation_that_is_longer_than_the_screen_can_be_read(home: Path) -> None:
    text = CONFIGURATION.format(port=free_port(), registrar=free_port())
    with running_instance(home, text) as instance:
        becomes(instance, "alice", "Rejected")
        with looking(instance, "pjreg", "watch", rows=8) as terminal:
            terminal.until("! alice")
            terminal.type("\r")
            terminal.until("alice is Rejected since")
            terminal.until("Up, Down  any other key: back")
            assert "its operator's" not in terminal.text
            terminal.type("\x1b[6~")
            terminal.type("\x1b[6~")
            terminal.until("its operator's")
            assert "alice is Rejected since" not in terminal.text
            terminal.type("\x1b[A")
            terminal.type("q")
            terminal.until("! alice")


def test_a_console_opens_it_and_goes_on_afterwards(home: Path) -> None:
    text = CONFIGURATION.format(port=free_port(), registrar=free_port())
    with running_instance(home, text) as instance:
        becomes(instance, "alice", "Rejected")
        with looking(instance, "-r") as terminal:
            terminal.until("*CLI>")
            terminal.enter("pjreg watch")
            terminal.until("! alice")
            terminal.type("q")
            terminal.until(lambda me: "CLI>" in me.prompt_line)
            terminal.enter("core show version")
            terminal.until("pjreg-cli 0")


def test_elsewhere_than_on_a_terminal_it_is_a_table(home: Path) -> None:
    text = CONFIGURATION.format(port=free_port(), registrar=free_port())
    with running_instance(home, text) as instance:
        becomes(instance, "alice", "Rejected")
        done = instance.ask("pjreg watch like ali --limit 5")
        assert done.out.startswith("1 Rejected, 1 Unregistered\n\nRegistration ")
        assert "later" not in done.out
        assert instance.ask("pjreg watch nonsense").status == 1
