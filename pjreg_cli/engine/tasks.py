"""The only creator of tasks: each is named, kept until it ends, and its failure is logged."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import suppress

_log = logging.getLogger("pjreg_cli.engine")
_running: set[asyncio.Task[None]] = set()


def spawn(coroutine: Coroutine[object, object, None], name: str) -> asyncio.Task[None]:
    """Run `coroutine` as a task called `name`; an exception it ends with is logged."""
    task = asyncio.create_task(coroutine, name=name)  # noqa: TID251 -- its one owner
    _running.add(task)
    task.add_done_callback(_ended)
    return task


def _ended(task: asyncio.Task[None]) -> None:
    _running.discard(task)
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.error("task %s failed: %r", task.get_name(), error, exc_info=error)


def tell_loop(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
    """Have the loop call this; from another thread.  One that has ended needs nothing any more."""
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(call)
