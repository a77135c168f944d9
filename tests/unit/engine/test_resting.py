"""Targets that are passed over for a while."""

from __future__ import annotations

from pjreg_cli.engine.resting import LONGEST_S, PROBE_S, SILENT_S, RestingTargets
from pjreg_cli.sip.locate import Target
from tests.support.clock import ManualClock

FIRST, SECOND, THIRD = (
    Target("udp", f"192.0.2.{number}", 5060, "example.com") for number in (1, 2, 3)
)
ALL = (FIRST, SECOND, THIRD)


def silent(
    resting: RestingTargets, clock: ManualClock, target: Target = FIRST, who: str = "a"
) -> None:
    """A request of 8 s that nobody answers."""
    sent_at = clock()
    clock.advance(8)
    resting.silent(who, target, sent_at)


def test_who_was_silent_comes_last_for_a_minute() -> None:
    clock = ManualClock(1000)
    resting = RestingTargets(clock)
    assert resting.ordered("a", ALL) == ALL
    silent(resting, clock)
    assert resting.ordered("a", ALL) == (SECOND, THIRD, FIRST)
    assert resting.ordered("b", ALL) == (SECOND, THIRD, FIRST)
    assert resting.ordered("b", (FIRST,)) == (FIRST,)
    clock.advance(SILENT_S - 1)
    assert resting.ordered("b", ALL)[0] is SECOND


def test_one_at_a_time_finds_out_whether_it_is_back() -> None:
    clock = ManualClock(1000)
    resting = RestingTargets(clock)
    silent(resting, clock)
    clock.advance(SILENT_S)
    assert resting.ordered("a", ALL)[0] is FIRST
    assert resting.ordered("b", ALL)[0] is SECOND
    clock.advance(PROBE_S)
    assert resting.ordered("b", ALL)[0] is FIRST, "nobody came back with word"
    resting.heard("b", FIRST)
    assert resting.ordered("c", ALL) == resting.ordered("d", ALL) == ALL


def test_each_silence_doubles_the_time_up_to_half_an_hour() -> None:
    clock = ManualClock(1000)
    resting = RestingTargets(clock)
    for expected_s in (60, 120, 240, 480, 960, 1800, 1800):
        silent(resting, clock)
        clock.advance(expected_s - 1)
        assert resting.ordered("a", ALL)[0] is SECOND
        clock.advance(1)
        assert resting.ordered("a", ALL)[0] is FIRST
    assert LONGEST_S == 1800
    resting.heard("a", FIRST)
    silent(resting, clock)
    clock.advance(60)
    assert resting.ordered("a", ALL) == ALL, "an answer makes it begin anew"


def test_many_that_wait_in_vain_at_once_count_as_one() -> None:
    clock = ManualClock(1000)
    resting = RestingTargets(clock)
    clock.advance(8)
    for number in range(1000):
        resting.silent(str(number), FIRST, 1000)
    clock.advance(SILENT_S)
    assert resting.ordered("a", ALL) == ALL


def test_who_answers_others_is_passed_over_only_by_whom_it_does_not() -> None:
    clock = ManualClock(1000)
    resting = RestingTargets(clock)
    clock.advance(4)
    resting.heard("b", FIRST)
    clock.advance(4)
    resting.silent("a", FIRST, 1000)
    assert resting.ordered("a", ALL)[0] is SECOND
    assert resting.ordered("b", ALL) == ALL


def test_who_asks_to_be_left_alone_is() -> None:
    clock = ManualClock(1000)
    resting = RestingTargets(clock)
    resting.overloaded(SECOND, 600)
    assert resting.ordered("a", ALL) == (FIRST, THIRD, SECOND)
    clock.advance(599)
    assert resting.ordered("a", ALL)[-1] is SECOND
    clock.advance(1)
    assert resting.ordered("a", ALL) == ALL
    resting.overloaded(FIRST, 2**32)
    clock.advance(86_400)
    assert resting.ordered("a", ALL) == ALL, "a day at most"


def test_of_all_that_rest_the_one_that_is_back_first_comes_first() -> None:
    clock = ManualClock(1000)
    resting = RestingTargets(clock)
    resting.overloaded(FIRST, 600)
    resting.overloaded(SECOND, 500)
    assert resting.ordered("a", ALL) == (THIRD, SECOND, FIRST)
    silent(resting, clock, THIRD)
    assert resting.ordered("a", ALL) == (THIRD, SECOND, FIRST)


def test_all_that_rest_alike_keep_their_order() -> None:
    clock = ManualClock(1000)
    resting = RestingTargets(clock)
    for target in ALL:
        resting.overloaded(target, 600)
    assert resting.ordered("a", ALL) == ALL
