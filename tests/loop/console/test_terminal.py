"""The modes of a terminal."""

from __future__ import annotations

import os
import termios
from collections.abc import Iterator
from typing import Any

import pytest

from pjreg_cli.console.terminal import Terminal


@pytest.fixture
def tty() -> Iterator[int]:
    """The inner side of a pseudo-terminal."""
    outer, inner = os.openpty()
    yield inner
    os.close(inner)
    os.close(outer)


def modes(handle: int) -> tuple[bool, bool, bool, Any, Any]:
    """Echo, whole lines, signals, and the keys that suspend and kill."""
    now = termios.tcgetattr(handle)
    flags = [bool(now[3] & flag) for flag in (termios.ECHO, termios.ICANON, termios.ISIG)]
    return (flags[0], flags[1], flags[2], now[6][termios.VSUSP], now[6][termios.VQUIT])


def test_a_quiet_terminal_echoes_nothing_and_knows_only_ctrl_c(tty: int) -> None:
    before = termios.tcgetattr(tty)
    with Terminal(tty).quiet():
        assert modes(tty) == (False, False, True, b"\0", b"\0")
    assert termios.tcgetattr(tty) == before


def test_a_shell_gets_the_terminal_as_it_was(tty: int) -> None:
    terminal = Terminal(tty)
    before = termios.tcgetattr(tty)
    with terminal.quiet():
        quiet = termios.tcgetattr(tty)
        with terminal.lent(interactive=True):
            assert termios.tcgetattr(tty) == before
        assert termios.tcgetattr(tty) == quiet


def test_a_single_command_cannot_be_suspended_together_with_us(tty: int) -> None:
    terminal = Terminal(tty)
    with terminal.quiet(), terminal.lent(interactive=False):
        assert modes(tty)[:4] == (True, True, True, b"\0")


def test_what_is_no_terminal_is_left_alone() -> None:
    reading, writing = os.pipe()
    with Terminal(reading).quiet():
        os.write(writing, b"x")
    assert os.read(reading, 1) == b"x"
    os.close(reading)
    os.close(writing)
