"""`COMMAND | grep x`, `COMMAND > file`: what a console does with the output of a command.

The bar and the angle stand alone, between blanks and outside quotes; `>` is not looked for behind
`where`, where it compares.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, Protocol

_BLANKS = " \t"


class Piped(NamedTuple):
    """A line taken apart."""

    command: str
    sign: str
    """`|`, `>`, `>>`; empty: the output goes to the terminal."""
    target: str
    """A command of the shell, or a path."""


class Sink(Protocol):
    """Where the output of a command goes."""

    async def write(self, text: str) -> None:
        """Take a piece; raises BrokenPipeError when no more is wanted, OSError when it cannot."""
        ...

    async def close(self) -> str:
        """Wait for the end; what is to be said about it."""
        ...

    def abandon(self) -> None:
        """Ctrl-C: do not wait for the rest."""
        ...


def taken_apart(line: str) -> Piped:
    """What of a line is the command, and where its output shall go."""
    quoted = escaped = compares = False
    word = ""
    for at, sign in enumerate(line):
        if escaped:
            escaped = False
        elif sign == "\\":
            escaped = True
        elif sign == '"':
            quoted = not quoted
        elif sign in _BLANKS and not quoted:
            compares = compares or word.casefold() == "where"
            found = _stands_here(line, at + 1)
            if found and not (compares and found != "|"):
                target = line[at + 1 + len(found) :].strip()
                if target:
                    return Piped(line[:at].rstrip(), found, target)
            word = ""
            continue
        word += sign
    return Piped(line, "", "")


def _stands_here(line: str, at: int) -> str:
    """The sign that stands alone at this place."""
    for sign in (">>", ">", "|"):
        after = line[at + len(sign) : at + len(sign) + 1]
        if line.startswith(sign, at) and (after in _BLANKS or (sign != "|" and after != "=")):
            if sign == ">" and after == ">":
                continue
            return sign if after else ""
    return ""


class FileSink:
    """A file, written anew or, with `append`, written on."""

    def __init__(self, path: Path, handle: int) -> None:
        """`handle` is open; see `open`."""
        self._path = path
        self._handle = handle
        self._lines = 0

    @classmethod
    async def open(cls, path: str, *, append: bool) -> FileSink:
        """Open it, which holds up this console alone; raises OSError, also for a pipe that nobody
        reads."""
        return await asyncio.to_thread(cls._opened, path, append)

    @classmethod
    def _opened(cls, path: str, append: bool) -> FileSink:
        where = Path(path).expanduser()
        flags = os.O_WRONLY | os.O_CREAT | (os.O_APPEND if append else os.O_TRUNC)
        handle = os.open(where, flags | os.O_NONBLOCK, 0o666)
        os.set_blocking(handle, True)
        return cls(where, handle)

    async def write(self, text: str) -> None:
        """Write a piece; a slow disk holds up this console alone."""
        self._lines += text.count("\n")
        await asyncio.to_thread(self._write, text.encode("utf-8", "surrogateescape"))

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(self._handle, view) :]

    async def close(self) -> str:
        """How much was written."""
        await asyncio.to_thread(os.close, self._handle)
        lines = "1 line" if self._lines == 1 else f"{self._lines:,} lines"
        return f"({lines} written to {self._path})\n"

    def abandon(self) -> None:
        """What was written stays."""


class ShellSink:
    """A command of the operator's shell, which has the terminal meanwhile."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, command: str) -> ShellSink:
        """Start it; raises OSError."""
        shell = os.environ.get("SHELL") or "/bin/sh"
        return cls(
            await asyncio.create_subprocess_exec(
                shell, "-c", command, stdin=asyncio.subprocess.PIPE
            )
        )

    async def write(self, text: str) -> None:
        """Hand over a piece; the command may be slow."""
        assert self._process.stdin is not None
        self._process.stdin.write(text.encode("utf-8", "surrogateescape"))
        try:
            await self._process.stdin.drain()
        except ConnectionResetError as error:
            raise BrokenPipeError from error

    async def close(self) -> str:
        """Wait until it has read all and ended."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._process.wait()
        return ""

    def abandon(self) -> None:
        """End it as a closed terminal would."""
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGHUP)


class Pager:
    """The terminal, and as soon as there is more than a screen, a command that pages."""

    def __init__(self, command: str, rows: int, show: Callable[[str], None]) -> None:
        self._command = command
        self._rows = rows
        self._show = show
        self._kept: list[str] = []
        self._lines = 0
        self._started: ShellSink | None = None

    async def write(self, text: str) -> None:
        """Keep the first screen, hand over what comes behind it."""
        if self._started is None:
            self._kept.append(text)
            self._lines += text.count("\n")
            if self._lines < self._rows:
                return
            self._started = await ShellSink.start(self._command)
            text = "".join(self._kept)
        await self._started.write(text)

    async def close(self) -> str:
        """Show what did not fill a screen, or wait until the operator has read enough."""
        if self._started is None:
            self._show("".join(self._kept))
            return ""
        return await self._started.close()

    def abandon(self) -> None:
        """End it."""
        if self._started is not None:
            self._started.abandon()
