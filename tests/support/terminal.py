"""A terminal for tests: a program on a pseudo-terminal, and the screen an operator would see."""

from __future__ import annotations

import os
import signal
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

import pexpect  # type: ignore[import-untyped]
import pyte

PATIENCE_S = 60.0
"""How long something may take before a test fails; a machine may be busy."""

#: how long a program may take that has lost its terminal
_GOES_S = 2.0

ROOT = Path(__file__).parents[2]


class _Screen(pyte.Screen):
    """Answers what a program asks its terminal, as real ones do, and keeps what scrolls away."""

    def __init__(self, columns: int, lines: int, answer: Callable[[str], None]) -> None:
        self._answer = answer
        self.gone: list[str] = []
        super().__init__(columns, lines)

    def write_process_input(self, data: str) -> None:
        """Send an answer, such as where the cursor is."""
        self._answer(data)

    def index(self) -> None:
        """Go one line down, or scroll."""
        if self.cursor.y == self.lines - 1:
            top = self.buffer[0]
            self.gone.append("".join(top[at].data for at in range(self.columns)).rstrip())
        super().index()


class Cell(NamedTuple):
    """One place of the screen."""

    sign: str
    foreground: str
    background: str
    bold: bool
    reverse: bool


class Terminal:
    """A program at work on a terminal of `columns` x `rows`."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        columns: int = 100,
        rows: int = 30,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        settings = {"TERM": "xterm-256color", "LANG": "C.UTF-8", "PYTHONUTF8": "1"}
        self.process = pexpect.spawn(
            command[0],
            list(command[1:]),
            env={**_plain_environment(), **settings, **(environment or {})},
            dimensions=(rows, columns),
            cwd=str(ROOT),
            timeout=PATIENCE_S,
        )
        self.process.delaybeforesend = None
        self.raw = b""
        self._screen = _Screen(columns, rows, lambda text: self._send(text))
        self._stream = pyte.ByteStream(self._screen)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Hang up, and see that the program ends."""
        pty = self.process.ptyproc
        pty.fileobj.close()
        late_at = time.monotonic() + _GOES_S  # noqa: TID251
        while self.process.isalive():
            if time.monotonic() > late_at:  # noqa: TID251
                self.process.kill(signal.SIGKILL)
                self.process.wait()
                break
            time.sleep(0.01)
        pty.delayafterclose = 0
        self.process.close()

    def edits_lines(self) -> bool:
        """Whether the terminal itself takes keys together to lines (ICANON)."""
        return bool(termios.tcgetattr(self.process.child_fd)[3] & termios.ICANON)

    # -- the operator's hands -----------------------------------------------------------------

    def type(self, text: str) -> None:
        """Press these keys."""
        self._send(text)

    def enter(self, line: str) -> None:
        """Type a line."""
        self._send(f"{line}\r")

    def paste(self, text: str) -> None:
        """Paste, the way terminals mark it."""
        self._send(f"\x1b[200~{text}\x1b[201~")

    def resize(self, columns: int, rows: int) -> None:
        """Drag the window's corner."""
        self._screen.resize(rows, columns)
        self.process.setwinsize(rows, columns)

    # -- the operator's eyes ------------------------------------------------------------------

    @property
    def lines(self) -> list[str]:
        """The lines of the screen, without blanks at their ends."""
        return [line.rstrip() for line in self._screen.display]

    @property
    def text(self) -> str:
        """All that was on the screen, with what has scrolled away."""
        return "\n".join([*self._screen.gone, *self.lines]).rstrip()

    @property
    def prompt_line(self) -> str:
        """The line the cursor is in."""
        return self.lines[self._screen.cursor.y]

    @property
    def column(self) -> int:
        """Where the cursor is in its line, from 0."""
        return self._screen.cursor.x

    @property
    def cells(self) -> list[list[Cell]]:
        """The screen with its colours, row by row."""
        return [
            [
                Cell(at.data, at.fg, at.bg, at.bold, at.reverse)
                for at in (self._screen.buffer[row][x] for x in range(self._screen.columns))
            ]
            for row in range(self._screen.lines)
        ]

    def colours(self, word: str) -> set[str]:
        """The colours in which `word` is on the screen."""
        found = set()
        for number, line in enumerate(self._screen.display):
            at = line.find(word)
            while at >= 0:
                found.add(self._screen.buffer[number][at].fg)
                at = line.find(word, at + 1)
        return found

    def until(self, sight: str | Callable[[Terminal], bool]) -> None:
        """Look until a text or something else is seen; fail with the screen as it is."""
        seen = (lambda me: sight in me.text) if isinstance(sight, str) else sight
        ends_at = time.monotonic() + PATIENCE_S  # noqa: TID251 -- a real terminal, a real clock
        while not seen(self):
            alive = self._look(0.1)
            if seen(self):
                return
            late = time.monotonic() > ends_at  # noqa: TID251
            assert alive, f"the program has ended without {sight!r}:\n{self.text}"
            assert not late, f"never seen: {sight!r}\n{self.text}"

    def until_prompt(self, line: str) -> None:
        """Look until the line the cursor is in is exactly this one."""
        try:
            self.until(lambda me: me.prompt_line == line.rstrip())
        except AssertionError as error:
            raise AssertionError(f"the cursor is not behind {line!r}\n{self.text}") from error

    def ends(self) -> int:
        """Look until the program ends; its exit status, -N for a signal N."""
        ends_at = time.monotonic() + PATIENCE_S  # noqa: TID251
        while self._look(0.1):
            late = time.monotonic() > ends_at  # noqa: TID251
            assert not late, f"the program goes on:\n{self.text}"
        self.process.wait()
        if self.process.signalstatus is not None:
            return -int(self.process.signalstatus)
        return int(self.process.exitstatus)

    @property
    def alive(self) -> bool:
        """Whether the program is running."""
        return bool(self.process.isalive())

    # -- inside -------------------------------------------------------------------------------

    def _send(self, text: str) -> None:
        os.write(self.process.fileno(), text.encode())

    def _look(self, within_s: float) -> bool:
        """Take in what has been written; False once the program has hung up."""
        try:
            data = self.process.read_nonblocking(65_536, within_s)
        except pexpect.TIMEOUT:
            return True
        except pexpect.EOF:
            return False
        self.raw += data
        self._stream.feed(data)
        return True


def _plain_environment() -> dict[str, str]:
    """Ours, without what would change how a console looks or where it keeps its things."""
    ours = ("ASTERISK_PROMPT", "AST_", "NO_COLOR", "PJREG_", "XDG_", "PROMPT_TOOLKIT_", "COLUMNS")
    return {key: value for key, value in os.environ.items() if not key.startswith(ours)}


CONSOLE_PROMPT = "pbx.example.com*CLI>"
"""The prompt of `tests.support.console_host`."""

OpenTerminal = Callable[..., Terminal]
"""Runs a program on a terminal of its own."""
