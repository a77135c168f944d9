"""All sleepers: each is woken at the moment it was last armed for, and only then."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pjreg_cli.engine.timers import Timers
from tests.support.manual_loop import ManualLoop


class Sleeper:
    """Notes when it was woken; arms again as often as `again` says."""

    def __init__(self, timers: Timers, again_s: float | None = None) -> None:
        self.timer_at: float | None = None
        self.woken: list[float] = []
        self._timers = timers
        self._again_s = again_s

    def wake(self, now: float) -> None:
        self.woken.append(now)
        if self._again_s is not None:
            self._timers.arm(self, now + self._again_s)


@pytest.fixture
def loop() -> ManualLoop:
    return ManualLoop()


@pytest.fixture
def timers(loop: ManualLoop) -> Timers:
    return Timers(loop.as_loop())


def test_a_sleeper_is_woken_at_its_moment(loop: ManualLoop, timers: Timers) -> None:
    sleeper = Sleeper(timers)
    timers.arm(sleeper, 5.0)
    loop.run_until(4.9)
    assert sleeper.woken == []
    loop.run_until(5.1)
    assert sleeper.woken == [5.0]
    loop.run_until(100)
    assert sleeper.woken == [5.0]


def test_arming_anew_replaces_the_moment(loop: ManualLoop, timers: Timers) -> None:
    sleeper = Sleeper(timers)
    for at in (5.0, 3.0, 9.0):
        timers.arm(sleeper, at)
    loop.run_until(20)
    assert sleeper.woken == [9.0]


def test_disarming_and_arming_for_the_same_moment_wakes_once(
    loop: ManualLoop, timers: Timers
) -> None:
    sleeper = Sleeper(timers)
    timers.arm(sleeper, 5.0)
    timers.arm(sleeper, None)
    timers.arm(sleeper, 5.0)
    loop.run_until(20)
    assert sleeper.woken == [5.0]


def test_a_disarmed_sleeper_sleeps_on(loop: ManualLoop, timers: Timers) -> None:
    sleeper = Sleeper(timers)
    timers.arm(sleeper, 5.0)
    timers.arm(sleeper, None)
    loop.run_until(20)
    assert sleeper.woken == []


def test_sleepers_wake_in_the_order_of_their_moments(loop: ManualLoop, timers: Timers) -> None:
    sleepers = [Sleeper(timers) for _ in range(50)]
    for number, sleeper in enumerate(sleepers):
        timers.arm(sleeper, float((number * 7) % 50))
    loop.run_until(60)
    assert [sleeper.woken for sleeper in sleepers] == [[float((n * 7) % 50)] for n in range(50)]


def test_a_sleeper_may_arm_again_while_it_is_woken(loop: ManualLoop, timers: Timers) -> None:
    sleeper = Sleeper(timers, again_s=2.0)
    timers.arm(sleeper, 1.0)
    loop.run_until(7.5)
    assert sleeper.woken == [1.0, 3.0, 5.0, 7.0]


def test_more_than_a_batch_due_at_once_leave_the_loop_a_chance(
    loop: ManualLoop, timers: Timers
) -> None:
    sleepers = [Sleeper(timers) for _ in range(3 * Timers.BATCH)]
    for sleeper in sleepers:
        timers.arm(sleeper, 1.0)
    loop.run_until(1.0)
    assert all(sleeper.woken == [1.0] for sleeper in sleepers)
    assert loop.calls >= 3


def test_moments_that_no_longer_hold_do_not_pile_up(loop: ManualLoop, timers: Timers) -> None:
    sleepers = [Sleeper(timers) for _ in range(10)]
    others = [Sleeper(timers) for _ in range(100)]
    for number, other in enumerate(others):
        timers.arm(other, 50.0 + number)
    for round_ in range(2000):
        for sleeper in sleepers:
            timers.arm(sleeper, 3600.0 + round_ % 7)
            timers.arm(sleeper, None)
            timers.arm(sleeper, 3600.0)
    assert timers.size < 500
    loop.run_until(4000)
    assert [sleeper.woken for sleeper in sleepers] == [[3600.0]] * 10
    assert [other.woken for other in others] == [[50.0 + n] for n in range(100)]
    assert timers.size == 0


def test_nobody_is_woken_after_closing(loop: ManualLoop, timers: Timers) -> None:
    sleeper = Sleeper(timers)
    timers.arm(sleeper, 5.0)
    timers.close()
    loop.run_until(20)
    assert sleeper.woken == []


async def test_the_real_loop_wakes_sleepers_too() -> None:
    timers = Timers(asyncio.get_running_loop())
    woken = asyncio.Event()

    class Setter:
        timer_at: float | None = None

        def wake(self, now: float) -> None:
            woken.set()

    timers.arm(Setter(), timers.clock() + 0.01)
    async with asyncio.timeout(10):
        await woken.wait()


class Failing:
    """Raises whenever it is woken."""

    timer_at: float | None = None

    def wake(self, now: float) -> None:
        raise RuntimeError("of ours")


def test_a_sleeper_that_raises_keeps_nobody_else_asleep(loop: ManualLoop, timers: Timers) -> None:
    before, after, later = Sleeper(timers), Sleeper(timers), Sleeper(timers)
    for sleeper in (before, Failing(), after):
        timers.arm(sleeper, 1.0)
    timers.arm(later, 5.0)
    loop.run_until(10)
    assert [sleeper.woken for sleeper in (before, after, later)] == [[1.0], [1.0], [5.0]]
    assert timers.failures.value == 1


def test_timers_that_have_stopped_can_be_set_again(loop: ManualLoop, timers: Timers) -> None:
    sleeper = Sleeper(timers)
    timers.arm(sleeper, 5.0)
    assert not timers.rearm(), "all is well"
    assert timers._handle is not None
    timers._handle.cancel()
    timers._handle = None
    assert timers.rearm()
    loop.run_until(6)
    assert sleeper.woken == [5.0]


STEPS = st.lists(
    st.tuples(
        st.integers(0, 5),
        st.one_of(st.none(), st.sampled_from([0.0, 0.5, 1.0, 1.0, 7.0, 60.0])),
        st.sampled_from([0.0, 0.0, 0.25, 0.5, 3.0]),
    ),
    max_size=60,
)


class Small(Timers):
    """Hardly anything comes in order, and stale entries are looked for all the time."""

    RUNS, FEW, PART, SPAN_S = 1, 1, 2, 0.75


class Unordered(Small):
    """Nothing comes in order."""

    RUNS, SPAN_S = 0, 4.0


@pytest.mark.parametrize("kind", [Timers, Small, Unordered])
@given(STEPS)
def test_moments_in_any_order_are_those_of_the_simplest_clock(
    kind: type[Timers],
    steps: list[tuple[int, float | None, float]],
) -> None:
    """All of them together wake whom a list of all moments, gone through each time, would."""
    loop = ManualLoop()
    timers = kind(loop.as_loop())
    sleepers = [Sleeper(timers) for _ in range(6)]
    plain: dict[int, float] = {}
    woken: list[list[float]] = [[] for _ in sleepers]
    for who, delay_s, pass_s in steps:
        at = None if delay_s is None else loop.now + delay_s
        timers.arm(sleepers[who], at)
        plain.pop(who, None)
        if at is not None:
            plain[who] = at
        loop.run_until(loop.now + pass_s)
        if pass_s:
            for one in [one for one, due in plain.items() if due <= loop.now]:
                woken[one].append(plain.pop(one))
        else:
            due_now = [one for one in plain if sleepers[one].timer_at is None]
            for one in due_now:
                woken[one].append(plain.pop(one))
    loop.run_until(loop.now + 100.0)
    for one, due in plain.items():
        woken[one].append(due)
    assert [sleeper.woken for sleeper in sleepers] == woken
    assert timers.size == 0 == timers._stale


@pytest.mark.parametrize("within_s", [3_000, 3])
def test_what_is_cancelled_far_ahead_is_dropped_a_part_at_a_time(
    loop: ManualLoop, timers: Timers, within_s: int
) -> None:
    sleepers = [Sleeper(timers) for _ in range(10_000)]
    for number, sleeper in enumerate(sleepers):
        # (in no order)
        timers.arm(sleeper, 100.0 + number * 7919 % within_s)
    before, most = timers.size, 0
    for sleeper in sleepers[:9_000]:
        timers.arm(sleeper, None)
        most = max(most, before - timers.size)
        before = timers.size
    assert timers.size <= 2 * 1_000 + timers.FEW
    assert most <= timers.PART + 100
    loop.run_until(4_000)
    assert all(len(sleeper.woken) == 1 for sleeper in sleepers[9_000:])
    assert not any(sleeper.woken for sleeper in sleepers[:9_000])
