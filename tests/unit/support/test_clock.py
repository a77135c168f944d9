"""The clocks that tests own."""

from __future__ import annotations

import asyncio
import socket

import pytest

from tests.support.clock import ManualClock, VirtualLoop, run_virtually


def test_manual_clock_goes_forward_when_told() -> None:
    clock = ManualClock(5.0)
    assert clock.advance(2.5) == clock() == 7.5
    with pytest.raises(ValueError, match="backwards"):
        clock.advance(-1)


def test_a_virtual_day_passes_at_once_and_in_order() -> None:
    async def main() -> list[float]:
        loop = asyncio.get_running_loop()
        called: list[float] = []
        for at in (86400.0, 1.0, 3600.0):
            loop.call_at(at, lambda: called.append(loop.time()))
        await asyncio.sleep(86401)
        return called

    assert run_virtually(main()) == [1.0, 3600.0, 86400.0]


def test_virtual_time_waits_for_what_is_on_its_way() -> None:
    async def main() -> float:
        loop = asyncio.get_running_loop()
        left, right = socket.socketpair()
        with left, right:
            left.setblocking(False)
            right.setblocking(False)
            for _ in range(20):
                await loop.sock_sendall(left, b"x")
                async with asyncio.timeout(0.5):
                    assert await loop.sock_recv(right, 1) == b"x"
        return loop.time()

    assert run_virtually(main()) == 0.0


def test_held_time_is_real_time() -> None:
    async def main() -> float:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        release = loop.hold()
        await asyncio.to_thread(lambda: None)
        held_at = loop.time()
        release()
        await asyncio.sleep(5)
        return held_at

    assert run_virtually(main()) == 0.0
