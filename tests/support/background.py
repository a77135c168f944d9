"""An event loop in a thread, for servers of tests that wait for processes themselves."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import TypeVar

from tests.support.instance import PATIENCE_S

Server = TypeVar("Server")


@contextmanager
def in_background(server: AbstractAsyncContextManager[Server]) -> Iterator[Server]:
    """`server` runs in a thread of its own for the length of a block."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        entered = asyncio.run_coroutine_threadsafe(_enter(server), loop)
        yield entered.result(PATIENCE_S)
        asyncio.run_coroutine_threadsafe(_leave(server), loop).result(PATIENCE_S)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _enter(server: AbstractAsyncContextManager[Server]) -> Server:
    return await server.__aenter__()


async def _leave(server: AbstractAsyncContextManager[Server]) -> None:
    await server.__aexit__(None, None, None)
    # closing takes effect in the next round of the loop
    await asyncio.sleep(0)
