"""Writing by a thread of its own, for what may be slow, full, or stand still.

A disk, a pipe that nobody reads, a terminal after Ctrl-S: whoever writes to them waits, and that
must not be the loop that keeps registrations alive.  What is put here is written in order.  When
too much waits, or a write fails, it is dropped and counted, and once writing works again a note
stands there instead.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Protocol, TypeVar

Result = TypeVar("Result")

#: bytes that may wait
LIMIT = 4_000_000
#: why a piece is lost that finds too much waiting
FULL = "too much waits to be written"
#: pieces that are written as they come before more of them are gathered
FEW = 20
#: bytes written in one go
_GO = 1 << 18


class Sink(Protocol):
    """What an outlet writes to; called by its thread alone."""

    def write(self, data: memoryview) -> int:
        """Write some of `data`; how many bytes.  Raises OSError."""
        ...

    def gap(self, lost: int, why: str) -> bytes:
        """What is to stand where `lost` pieces are missing."""
        ...

    def close(self) -> None:
        """Let go of it; called once, at the end."""
        ...


class Outlet:
    """Writes pieces of bytes to a sink.  The thread begins with the first piece.

    `troubled` is told by the first loss after all was well: why.  It may be called by the thread.
    """

    def __init__(
        self,
        name: str,
        sink: Sink,
        troubled: Callable[[str], None],
        *,
        limit: int = LIMIT,
        gather_s: float = 0.0,
    ) -> None:
        """Where many pieces come one after the other, those of `gather_s` seconds are written
        together, unless somebody waits: to hand over to the thread for each of them would cost more
        than the piece."""
        self.lost = 0
        """Pieces that were not written, since the beginning."""
        self._name = name
        self._sink = sink
        self._troubled = troubled
        self._limit = limit
        self._gather_s = gather_s
        self._in_a_row = 0
        """Pieces, or lots of them, that came within `gather_s` after the one before."""
        self._idle = True
        """The thread waits for a piece."""
        self._awaited = 0
        """How many wait for all to be written."""
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._waiting: deque[bytes | Callable[[], None]] = deque()
        self._size = 0
        self._busy = False
        self._closing = False
        self._thread: threading.Thread | None = None
        self._gap = 0
        self._why = ""

    def put(self, piece: bytes) -> None:
        """Write a piece when its turn comes; never waits."""
        with self._lock:
            if self._closing:
                return
            if not self._size or self._size + len(piece) <= self._limit:
                self._size += len(piece)
                self._waiting.append(piece)
                if self._idle:
                    self._wake()
                return
            first = self._lose(1, FULL)
        if first:
            self._troubled(FULL)

    def call(self, job: Callable[[], Result]) -> Future[Result]:
        """Have the thread call `job` between two pieces; what comes of it."""
        future: Future[Result] = Future()

        def run() -> None:
            try:
                future.set_result(job())
            except BaseException as error:  # noqa: BLE001 -- it is the caller's
                future.set_exception(error)

        with self._changed:
            self._waiting.append(run)
            self._wake()
            self._changed.notify_all()
        return future

    def drain(self, within_s: float) -> bool:
        """Wait until all that was put has been written or lost; whether it was, in that time."""
        with self._changed:
            self._awaited += 1
            self._changed.notify_all()
            try:
                return self._changed.wait_for(
                    lambda: not self._waiting and not self._busy, within_s
                )
            finally:
                self._awaited -= 1

    def close(self, within_s: float) -> bool:
        """Write what waits and let go of the sink, for at most `within_s` seconds; whether that was
        enough.  A write that stands still is left behind."""
        with self._changed:
            self._closing = True
            thread = self._thread
            self._changed.notify_all()
        if thread is None:
            self._sink.close()
            return True
        thread.join(within_s)
        return not thread.is_alive()

    # -- the thread ---------------------------------------------------------------------------

    def _wake(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()
        if self._idle:
            self._idle = False
            self._changed.notify_all()

    def _hurried(self) -> bool:
        """Whether somebody waits for what is put, so that it is not gathered."""
        return self._closing or self._awaited > 0 or callable(self._waiting[-1])

    def _wanted(self) -> bool:
        return bool(self._waiting) or self._closing

    def _run(self) -> None:
        while True:
            with self._changed:
                self._busy = False
                self._idle = not self._waiting
                self._changed.notify_all()
                if self._changed.wait_for(self._wanted, self._gather_s):
                    self._in_a_row += 1
                else:
                    self._in_a_row = 0
                    self._changed.wait_for(self._wanted)
                self._idle = False
                if self._in_a_row > FEW and self._waiting and self._size < _GO:
                    self._changed.wait_for(self._hurried, self._gather_s)
                if not self._waiting:
                    break
                self._busy = True
                job = self._waiting[0]
                if callable(job):
                    self._waiting.popleft()
                    pieces = []
                else:
                    pieces = self._taken()
            if pieces:
                self._write(pieces)
            elif callable(job):
                job()
        self._sink.close()

    def _taken(self) -> list[bytes]:
        """Some of the pieces that wait."""
        pieces: list[bytes] = []
        size = 0
        while self._waiting and size < _GO:
            piece = self._waiting[0]
            if callable(piece):
                break
            self._waiting.popleft()
            pieces.append(piece)
            size += len(piece)
        self._size -= size
        return pieces

    def _write(self, pieces: list[bytes]) -> None:
        with self._changed:
            lost, why = self._gap, self._why
        gap = self._sink.gap(lost, why) if lost else b""
        written, error = self._written(gap + b"".join(pieces))
        with self._changed:
            if written >= len(gap):
                self._gap -= lost
            if error is None:
                if not self._waiting:
                    self._why = ""
                return
            why = error.strerror or str(error)
            first = self._lose(_unwritten(pieces, written - len(gap)), why)
        if first:
            self._troubled(why)

    def _written(self, data: bytes) -> tuple[int, OSError | None]:
        """How much of `data` could be written, and why not all of it."""
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[self._sink.write(rest) :]
            except OSError as error:
                return len(data) - len(rest), error
        return len(data), None

    def _lose(self, number: int, why: str) -> bool:
        """Count pieces as lost; whether all was well before."""
        first = not self._why
        self.lost += number
        self._gap += number
        self._why = why
        return first


def _unwritten(pieces: list[bytes], written: int) -> int:
    """How many of `pieces` are not whole among the first `written` bytes."""
    missing = at = 0
    for piece in pieces:
        at += len(piece)
        missing += at > written
    return missing
