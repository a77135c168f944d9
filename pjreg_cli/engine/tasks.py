"""The only creator of tasks: each is named, kept until it ends, and its failure is logged."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextlib import suppress
from threading import Thread
from typing import TypeVar

from pjreg_cli.errors import ConfigError

Result = TypeVar("Result")

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


async def beside(
    work: Callable[[], Result], within_s: float, late: Callable[[Result], None], what: str
) -> Result:
    """What `work` comes to in a thread of its own, for what may never answer (a mount whose server
    is gone), and then must hold up neither the loop nor the end of the program.

    Raises what `work` raises, and ConfigError about `what` after `within_s` seconds; what comes
    after that goes to `late`.
    """
    found: Future[Result] = Future()

    def run() -> None:
        try:
            found.set_result(work())
        except BaseException as error:  # noqa: BLE001 -- it is the caller's
            found.set_exception(error)

    def too_late(found: Future[Result]) -> None:
        if found.exception() is None:
            late(found.result())

    Thread(target=run, name="beside", daemon=True).start()
    waiting = asyncio.wrap_future(found)
    try:
        done, _ = await asyncio.wait((waiting,), timeout=within_s)
    except BaseException:
        found.add_done_callback(too_late)
        raise
    if not done:
        found.add_done_callback(too_late)
        raise ConfigError(f"has not answered for {within_s:g} s", what)
    return waiting.result()
