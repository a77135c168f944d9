"""What happens to the host, and how soon it is noticed."""

from __future__ import annotations

import asyncio

import pytest

from pjreg_cli.net.host_watch import TICK_S, Clocks, Watch, clocks, slept_s
from tests.support.clock import run_virtually

START = Clocks(100.0, 1_000.0, 1_700_000_000.0)


def later(ran_s: float, slept: float = 0.0, stepped_s: float = 0.0) -> Clocks:
    """The clocks after some time lived through and some slept through."""
    passed_s = ran_s + slept
    return Clocks(START.running + ran_s, START.passed + passed_s, START.wall + passed_s + stepped_s)


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (later(5), 0),
        (later(5, 0.5), 0),
        (later(5, 600), 600),
        (later(50_000), 0),
        # a virtual machine that was halted learns of it by its clock on the wall
        (later(5, 0, 600), 600),
        (later(5, 0, 1), 0),
        (later(5, 0, -86_400), 0),
        (later(5, 600, -600), 600),
    ],
)
def test_time_that_was_slept_through(after: Clocks, expected: float) -> None:
    assert slept_s(START, after) == pytest.approx(expected)


def test_the_clocks_of_the_system_agree_while_nobody_sleeps() -> None:
    assert slept_s(clocks(), clocks()) == 0


def test_waking_up_is_noticed_once() -> None:
    async def main() -> None:
        now = START
        slept: list[float] = []
        watch = Watch(
            changed=lambda: None, look=lambda: None, slept=slept.append, clocks=lambda: now
        )
        await asyncio.sleep(10 * TICK_S)
        assert slept == []
        now = later(50, 3600)
        await asyncio.sleep(TICK_S + 0.1)
        assert slept == [pytest.approx(3600)]
        await asyncio.sleep(10 * TICK_S)
        assert len(slept) == 1
        watch.close()
        now = later(60, 7200)
        await asyncio.sleep(10 * TICK_S)
        assert len(slept) == 1

    run_virtually(main())
