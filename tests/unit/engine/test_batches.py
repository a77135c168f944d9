"""Big jobs in small pieces, in the order in which they came."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from pjreg_cli.engine.batches import TURN_S, Batches
from tests.support.clock import ManualClock


@pytest.fixture(autouse=True)
async def clock(monkeypatch: pytest.MonkeyPatch) -> ManualClock:
    """Time is what a step says it takes, not what a busy machine makes of it."""
    made = ManualClock()
    monkeypatch.setattr(asyncio.get_running_loop(), "time", made)
    return made


def job(name: str, steps: int, told: list[str], slow: ManualClock | None = None) -> Iterator[None]:
    for _ in range(steps):
        if slow is not None:
            slow.advance(TURN_S)
        told.append(name)
        yield


async def test_a_small_job_is_done_at_once() -> None:
    batches, told = Batches(), list[str]()
    batches.do(job("a", 3, told))
    assert told == ["a"] * 3
    assert batches.idle


@pytest.mark.exhaustive
async def test_a_big_job_lets_others_on_the_loop_have_their_turn(clock: ManualClock) -> None:
    batches, told = Batches(), list[str]()
    batches.do(job("a", 40, told, slow=clock))
    assert 0 < len(told) < 40
    turns = 0
    while not batches.idle:
        turns += 1
        await asyncio.sleep(0)
    assert turns >= 3
    assert told == ["a"] * 40


@pytest.mark.exhaustive
async def test_jobs_keep_their_order(clock: ManualClock) -> None:
    batches, told = Batches(), list[str]()
    batches.do(job("a", 20, told, slow=clock))
    batches.do(job("b", 2, told))
    await batches.done()
    assert told == ["a"] * 20 + ["b"] * 2


async def test_a_job_that_fails_does_not_hold_up_the_next() -> None:
    def broken() -> Iterator[None]:
        yield
        raise ValueError("broken")

    batches, told = Batches(), list[str]()
    with pytest.raises(ValueError, match="broken"):
        batches.do(broken())
    batches.do(job("b", 2, told))
    assert told == ["b"] * 2


async def test_after_closing_nothing_is_done_any_more(clock: ManualClock) -> None:
    batches, told = Batches(), list[str]()
    batches.do(job("a", 40, told, slow=clock))
    batches.close()
    before = len(told)
    await batches.done()
    await asyncio.sleep(0)
    assert len(told) == before
