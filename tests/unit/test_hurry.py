"""Turns of the loop are short while somebody waits, and only then."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from pjreg_cli.engine.batches import Batches
from pjreg_cli.hurry import HURRY, SHORT_S, Hurry


@pytest.mark.parametrize(
    ("now", "turn_s"), [(9.0, SHORT_S), (10.0, SHORT_S), (10.2, SHORT_S), (10.3, 0.005)]
)
def test_turns_are_short_for_a_moment_after_a_request(now: float, turn_s: float) -> None:
    hurry = Hurry()
    assert hurry.turn_s(0.005, 9.0) == 0.005
    hurry.asked(10.0)
    assert hurry.turn_s(0.005, now) == turn_s


def test_what_is_shorter_anyway_stays_as_it_is() -> None:
    hurry = Hurry()
    hurry.asked(10.0)
    assert hurry.turn_s(SHORT_S / 2, 10.0) == SHORT_S / 2


def test_a_big_job_takes_more_turns_while_somebody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each step takes 0.2 ms by the clock."""

    async def turns_of_a_job(asked: bool) -> int:
        loop = asyncio.get_running_loop()
        now = loop.time()
        monkeypatch.setattr(loop, "time", lambda: now)
        monkeypatch.setattr(HURRY, "_until", 0.0)
        if asked:
            HURRY.asked(now)
        turns = 0

        def job() -> Iterator[None]:
            nonlocal now
            for _ in range(200):
                now += 0.0002
                yield

        batches = Batches()
        batches.do(job())
        while not batches.idle:
            turns += 1
            await asyncio.sleep(0)
        return turns

    usual, hurried = (asyncio.run(turns_of_a_job(asked)) for asked in (False, True))
    assert hurried >= 1.5 * usual
