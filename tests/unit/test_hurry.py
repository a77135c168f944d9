"""Turns of the loop are short while somebody waits, and only then."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from math import inf

import pytest

from pjreg_cli.engine.batches import Batches
from pjreg_cli.hurry import HOLD_S, HURRY, SHORT_S, STEP_ASIDE_S, Hurry


@pytest.fixture(autouse=True)
def _calm() -> Iterator[None]:
    """Nobody waits, before a test and after it."""
    HURRY.turn_s(1.0, inf)
    usual_s = sys.getswitchinterval()
    yield
    sys.setswitchinterval(usual_s)


@pytest.mark.parametrize(
    ("now", "turn_s"),
    [(10.0, SHORT_S), (10.2, SHORT_S), (10.3, 0.005)],
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


def test_work_is_left_until_a_request_is_answered() -> None:
    hurry = Hurry()
    assert not hurry.holds(9.0)
    hurry.asked(10.0)
    assert hurry.holds(10.0)
    hurry.asked(10.001)  # the same request, a few turns later
    assert hurry.holds(10.0015)
    hurry.answered(10.002)
    assert not hurry.holds(10.002)


def test_work_is_left_for_an_answer_that_takes_long_for_a_moment_only() -> None:
    hurry = Hurry()
    hurry.asked(10.0)
    assert not hurry.holds(10.0 + HOLD_S)
    hurry.answered(11.0)
    hurry.asked(11.0)
    assert hurry.holds(11.0)


def test_who_asks_all_the_time_holds_work_up_for_a_quarter_of_the_time_at_most() -> None:
    hurry, held = Hurry(), 0
    for number in range(100_000):
        now = number / 100_000
        hurry.asked(now)
        held += hurry.holds(now)
        if number % 70 == 69:
            hurry.answered(now)
    assert 15_000 < held < 27_000


def test_threads_step_aside_while_somebody_waits_or_much_is_made() -> None:
    hurry, usual_s = Hurry(), sys.getswitchinterval()
    hurry.asked(10.0)
    assert sys.getswitchinterval() == pytest.approx(STEP_ASIDE_S, abs=2e-6)
    with hurry.threads_step_aside():
        assert hurry.turn_s(1.0, 20.0) == 1.0
        assert sys.getswitchinterval() == pytest.approx(STEP_ASIDE_S, abs=2e-6)
        with hurry.threads_step_aside():
            hurry.asked(30.0)
    assert sys.getswitchinterval() == pytest.approx(STEP_ASIDE_S, abs=2e-6)
    assert hurry.turn_s(1.0, 40.0) == 1.0
    assert sys.getswitchinterval() == pytest.approx(usual_s)


def test_a_big_job_takes_more_turns_while_somebody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each step takes 0.2 ms by the clock."""

    async def turns_of_a_job(asked: bool) -> int:
        loop = asyncio.get_running_loop()
        now = loop.time()
        monkeypatch.setattr(loop, "time", lambda: now)
        monkeypatch.setattr(HURRY, "_until", -inf)
        if asked:
            HURRY.asked(now)
            HURRY.answered(now)  # this clock stands still while work is left
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
