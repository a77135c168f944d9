"""A command under way, which Ctrl-C ends."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any


class NotTaken(Exception):  # noqa: N818 -- nothing has gone wrong
    """Whoever was to take the output does not want, or cannot take, more of it."""


class Interruptible:
    """One piece of work at a time."""

    def __init__(self) -> None:
        self._running: asyncio.Task[None] | None = None

    async def do(self, work: Coroutine[Any, Any, None]) -> bool:
        """Do `work` until it ends or is cancelled; whether it came to its end.

        Raises OSError and NotTaken as it does.
        """
        try:
            async with asyncio.TaskGroup() as group:
                self._running = group.create_task(work)
            return not self._running.cancelled()
        except* (OSError, NotTaken) as errors:
            raise _first(errors) from None
        finally:
            self._running = None

    def cancel(self) -> bool:
        """End what is under way; whether anything was."""
        if self._running is None:
            return False
        self._running.cancel()
        return True


def _first(errors: ExceptionGroup[OSError | NotTaken]) -> OSError | NotTaken:
    error: BaseException = errors
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, OSError | NotTaken)
    return error
