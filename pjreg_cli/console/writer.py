"""Puts text on the terminal from a thread of its own.

A terminal can be slower than the program, or stand still (Ctrl-S, a hanging ssh): whoever writes to
it then waits.  The loop that keeps registrations alive must not be the one.
"""

from __future__ import annotations

import asyncio
import os
import select
import threading
from collections import deque
from collections.abc import Callable

BACKLOG = 4_000_000
"""Characters of log lines kept for a terminal that stands still."""


class Writer:
    """Writes to a file descriptor in the order asked for, whole lines of the log between others.

    Log lines wait while a line of other output is unfinished, or while they are held back; when too
    many wait, the newest are dropped and counted.
    """

    def __init__(self, handle: int, encoding: str = "utf-8") -> None:
        self._handle = handle
        self._encoding = encoding
        self._changed = threading.Condition()
        self._jobs: deque[str | Callable[[], None]] = deque()
        self._log: deque[str] = deque()
        self._waiting = 0
        self._dropped = 0
        self._held = False
        self._at_start = True
        self._dead = False
        threading.Thread(target=self._run, name="terminal", daemon=True).start()

    def put(self, text: str) -> None:
        """Write some output; it may end within a line."""
        if text:
            self._add(text)

    def put_lines(self, text: str) -> None:
        """Write whole lines as soon as a line can begin."""
        with self._changed:
            if self._waiting + len(text) > BACKLOG:
                self._dropped += text.count("\n")
                return
            self._waiting += len(text)
            self._log.append(text)
            self._changed.notify()

    def hold(self, held: bool) -> None:
        """Keep log lines back (a shell has the terminal), or let them go again."""
        with self._changed:
            self._held = held
            self._changed.notify()

    async def drain(self) -> None:
        """Wait until all that was put before is on the terminal."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()

        def settle() -> None:
            if not done.done():
                done.set_result(None)

        def call() -> None:
            # The program may have ended while the terminal stood still.
            if not loop.is_closed():
                loop.call_soon_threadsafe(settle)

        self._add(call)
        await done

    async def finish_line(self) -> None:
        """End a line that was left unfinished, then wait as `drain` does."""
        await self.drain()
        if not self._at_start:
            self.put("\n")
            await self.drain()

    def _add(self, job: str | Callable[[], None]) -> None:
        with self._changed:
            self._jobs.append(job)
            self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._jobs or self._log_ready())
                job = self._log_line() if self._log_ready() else self._jobs.popleft()
            if isinstance(job, str):
                self._write(job)
            else:
                job()

    def _log_ready(self) -> bool:
        return bool(self._log) and self._at_start and not self._held

    def _log_line(self) -> str:
        text = self._log.popleft()
        self._waiting -= len(text)
        if not self._log and self._dropped:
            text += f"({self._dropped} lines of the log were dropped: the terminal was too slow)\n"
            self._dropped = 0
        return text

    def _write(self, text: str) -> None:
        self._at_start = text.endswith("\n")
        if self._dead:
            return
        rest = memoryview(text.encode(self._encoding, "replace"))
        while rest:
            try:
                rest = rest[os.write(self._handle, rest) :]
            except BlockingIOError:
                select.select([], [self._handle], [])
            except OSError:
                # The terminal is gone; reading from it will say so.
                self._dead = True
                return
