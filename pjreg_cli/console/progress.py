"""What takes longer than a second says how it goes, on a terminal only."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self, TextIO

from rich.console import Console
from rich.status import Status

#: seconds before anything is shown, and between two looks
_AFTER_S = 1.0
_EVERY_S = 0.25


class Progress:
    """A line at the end of the screen that is gone when the work is done."""

    def __init__(self, stream: TextIO | None) -> None:
        """Shows nothing where `stream` is no terminal."""
        self._console = Console(file=stream) if stream is not None and stream.isatty() else None
        self._status: Status | None = None
        self._timer: asyncio.TimerHandle | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    @contextmanager
    def showing(self, text: Callable[[], str]) -> Iterator[None]:
        """Show what `text` says from time to time, while the block lasts."""
        if self._console is not None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(_AFTER_S, self._show, loop, text)
        try:
            yield
        finally:
            self._end()

    def _show(self, loop: asyncio.AbstractEventLoop, text: Callable[[], str]) -> None:
        assert self._console is not None
        if self._status is None:
            self._status = self._console.status(text())
            self._status.start()
        else:
            self._status.update(text())
        self._timer = loop.call_later(_EVERY_S, self._show, loop, text)

    def _end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._status is not None:
            self._status.stop()
            self._status = None
