"""A command under way, and Ctrl-C."""

from __future__ import annotations

import asyncio

import pytest

from pjreg_cli.console.interruptible import Interruptible, NotTaken


async def test_work_comes_to_its_end_or_is_cancelled() -> None:
    work = Interruptible()
    assert not work.cancel()
    assert await work.do(asyncio.sleep(0))
    asyncio.get_running_loop().call_soon(work.cancel)
    assert not await work.do(asyncio.sleep(60))
    assert not work.cancel()


@pytest.mark.parametrize("error", [OSError("gone"), NotTaken()])
async def test_what_ends_it_is_raised(error: Exception) -> None:
    async def work() -> None:
        raise error

    with pytest.raises(type(error)):
        await Interruptible().do(work())
