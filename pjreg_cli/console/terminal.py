"""The modes of the terminal while a console has it."""

from __future__ import annotations

import os
import termios
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

Modes = list[Any]
"""As termios gives and takes them; its types are a union nobody can use."""

_LOCAL = 3
_CHARACTERS = 6
_ACCIDENTS = (termios.VSUSP, termios.VQUIT)
"""Keys that would stop or kill an instance in the middle of a long output."""


class Terminal:
    """The modes of a terminal: `quiet` while a console has it, `lent` while a shell does."""

    def __init__(self, handle: int) -> None:
        self._handle = handle
        self._own = self._modes()

    @property
    def gone(self) -> bool:
        """Whether there was a terminal, and it has hung up."""
        return self._own is not None and self._modes() is None

    @property
    def columns(self) -> int:
        """How broad it is; 0 where there is none."""
        return self._size().columns

    @property
    def rows(self) -> int:
        """How high it is; 0 where there is none."""
        return self._size().lines

    def _size(self) -> os.terminal_size:
        try:
            return os.get_terminal_size(self._handle)
        except OSError:
            return os.terminal_size((0, 0))

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """Neither echo what is typed during a command nor wait for whole lines of it.

        Ctrl-C still sends SIGINT, but throws nothing away: who waits to write into what was thrown
        away would wait for ever.  Ctrl-Z and Ctrl-backslash do nothing.
        """
        modes = self._modes()
        if modes is not None:
            modes[_LOCAL] &= ~(termios.ECHO | termios.ICANON)
            modes[_LOCAL] |= termios.ISIG | termios.NOFLSH
            for key in _ACCIDENTS:
                modes[_CHARACTERS][key] = self._disabled()
            modes[_CHARACTERS][termios.VMIN] = 1
            modes[_CHARACTERS][termios.VTIME] = 0
        with self._set(modes):
            yield

    def forget_typed(self) -> None:
        """Throw away what was typed and not read yet."""
        with suppress(termios.error):
            termios.tcflush(self._handle, termios.TCIFLUSH)

    @contextmanager
    def lent(self, interactive: bool) -> Iterator[None]:
        """The modes found at first, for a shell.

        Only an `interactive` one gets Ctrl-Z: it starts its commands apart from this program, which
        would otherwise be stopped with them.
        """
        modes = self._own and [*self._own[:_CHARACTERS], list(self._own[_CHARACTERS])]
        if modes is not None and not interactive:
            modes[_CHARACTERS][termios.VSUSP] = self._disabled()
        with self._set(modes):
            yield

    @contextmanager
    def _set(self, modes: Modes | None) -> Iterator[None]:
        before = self._modes()
        self._apply(modes)
        try:
            yield
        finally:
            self._apply(before)

    def _disabled(self) -> bytes:
        return bytes([os.fpathconf(self._handle, "PC_VDISABLE") & 0xFF])

    def _modes(self) -> Modes | None:
        try:
            return termios.tcgetattr(self._handle)
        except termios.error:
            return None

    def _apply(self, modes: Modes | None) -> None:
        """A terminal that has gone away is found out by reading from it."""
        if modes is None:
            return
        try:
            termios.tcsetattr(self._handle, termios.TCSANOW, modes)
        except termios.error:
            return
