"""Where lines come from: the interface of all readers, and the plain ones."""

from __future__ import annotations

import asyncio
import codecs
import os
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from pjreg_cli.console.backend import Suggestion
from pjreg_cli.console.terminal import Terminal
from pjreg_cli.console.writer import Writer

Suggest = Callable[[str], Awaitable[Sequence[Suggestion]]]
"""Asks what a text can go on with; an instance that is gone suggests nothing."""


class Interrupted(Exception):  # noqa: N818 -- what the operator did, not what went wrong
    """Ctrl-C: the line begun is given up; `empty` when there was none."""

    def __init__(self, empty: bool = False) -> None:
        super().__init__()
        self.empty = empty


class Leaving(Exception):  # noqa: N818 -- likewise
    """Ctrl-D on an empty line."""


class Reader(Protocol):
    """Reads lines from an operator or a file."""

    async def read(self) -> str:
        """The next line.

        Raises Interrupted and Leaving for these keys, EOFError when the input has ended, and what
        was given to `leave`.
        """
        ...

    async def ask(self, question: str) -> str:
        """The answer to a question of ours; raises as `read` does."""
        ...

    def lines(self, text: str) -> None:
        """Show whole lines of the log without tearing what is being typed."""
        ...

    def refresh(self) -> None:
        """The counts have changed."""
        ...

    def interrupt(self) -> None:
        """SIGINT came while a line is being read."""
        ...

    def leave(self, error: Exception) -> None:
        """End the reading under way with `error`."""
        ...

    def forget(self) -> int:
        """Drop what was pasted or typed ahead; how many lines are known to be among it."""
        ...


class Keys:
    """Bytes of a file descriptor on the event loop, as characters.

    Works for terminals and pipes, and for regular files, which cannot be waited for and need not.
    """

    def __init__(self, handle: int, encoding: str = "utf-8") -> None:
        self._handle = handle
        self._decoder = codecs.getincrementaldecoder(encoding)("replace")
        self._reading: asyncio.Future[None] | None = None

    async def more(self) -> str:
        """The next characters; empty at the end of the input."""
        while True:
            await self._ready()
            try:
                data = os.read(self._handle, 4096)
            except BlockingIOError:
                continue
            except OSError:
                return ""
            if text := self._decoder.decode(data, final=not data):
                return text
            if not data:
                return ""

    def fail(self, error: Exception) -> None:
        """Let the waiting `more` raise `error`."""
        if self._reading is not None and not self._reading.done():
            self._reading.set_exception(error)

    async def _ready(self) -> None:
        loop = asyncio.get_running_loop()
        ready = self._reading = loop.create_future()

        def readable() -> None:
            if not ready.done():
                ready.set_result(None)

        try:
            loop.add_reader(self._handle, readable)
        except PermissionError:
            # A regular file is always ready; the loop gets its turn all the same.
            await asyncio.sleep(0)
            return
        try:
            await ready
        finally:
            loop.remove_reader(self._handle)
            self._reading = None


class LineReader:
    """Lines of a pipe or a file, or of a terminal whose output goes elsewhere: no prompt."""

    def __init__(self, keys: Keys, writer: Writer) -> None:
        self._keys = keys
        self._writer = writer
        self._ready: deque[str] = deque()
        self._open = ""
        self._error: Exception | None = None

    async def read(self) -> str:
        """The next line; the last one need not have its line feed."""
        while not self._ready:
            if self._error is not None:
                raise self._error
            text = await self._keys.more()
            if not text:
                last, self._open = self._open, ""
                if last:
                    return last
                raise EOFError
            *whole, self._open = (self._open + text).split("\n")
            self._ready.extend(line.removesuffix("\r") for line in whole)
        return self._ready.popleft()

    async def ask(self, question: str) -> str:
        """The next line answers."""
        self._writer.put(question)
        answer = await self.read()
        self._writer.put("\n")
        return answer

    def lines(self, text: str) -> None:
        """Write them."""
        self._writer.put_lines(text)

    def refresh(self) -> None:
        """There is no bar."""

    def interrupt(self) -> None:
        """A script that is interrupted ends."""
        self.leave(EOFError())

    def leave(self, error: Exception) -> None:
        """Once the lines that have come are read."""
        self._error = error
        self._keys.fail(error)

    def forget(self) -> int:
        """Read no more lines."""
        count = len(self._ready)
        self._ready.clear()
        self.interrupt()
        return count


class PlainReader:
    """Lines of a terminal that knows no escape codes (`TERM=dumb`, a serial line, Emacs' shell).

    The terminal itself lets the operator edit a line and shows it.
    """

    def __init__(
        self, keys: Keys, writer: Writer, *, prompt: Callable[[], str], terminal: Terminal
    ) -> None:
        """`prompt` holds no escape codes."""
        self._lines = LineReader(keys, writer)
        self._keys = keys
        self._writer = writer
        self._prompt = prompt
        self._terminal = terminal
        self._reading = False

    async def read(self) -> str:
        """The next line typed."""
        return await self.ask(self._prompt())

    async def ask(self, question: str) -> str:
        """The next line typed answers."""
        self._writer.put(question)
        self._reading = True
        try:
            with self._terminal.lent(interactive=False):
                return await self._lines.read()
        except EOFError:
            self._writer.put("\n")
            if self._terminal.gone:
                raise
            raise Leaving from None
        finally:
            self._reading = False

    def lines(self, text: str) -> None:
        """On lines of their own, then the prompt anew; what was typed still counts."""
        if self._reading:
            self._writer.put(f"\n{text}{self._prompt()}")
        else:
            self._writer.put_lines(text)

    def refresh(self) -> None:
        """There is no bar."""

    def interrupt(self) -> None:
        """Ctrl-C: the terminal has dropped the line."""
        self._writer.put("\n")
        self._keys.fail(Interrupted(empty=True))

    def leave(self, error: Exception) -> None:
        """End the reading under way."""
        self._writer.put("\n")
        self._keys.fail(error)

    def forget(self) -> int:
        """The terminal drops what was typed ahead."""
        return 0
