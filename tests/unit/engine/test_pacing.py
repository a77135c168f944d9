"""What falls due in the same second is spread out, refreshes to earlier moments only."""

from __future__ import annotations

from collections import Counter

import pytest

from pjreg_cli.engine.pacing import MANY, MOST, Pace
from pjreg_cli.engine.randomness import Ids
from tests.support.clock import ManualClock


@pytest.fixture
def pace() -> Pace:
    return Pace(ManualClock(1000.0), Ids(seed=1).fraction)


def test_a_few_in_a_second_keep_their_moments(pace: Pace) -> None:
    for number in range(MANY):
        at = 4590.0 + number / MANY
        assert pace.moment(at, refresh=True) == at


@pytest.mark.parametrize("refresh", [True, False])
def test_many_in_a_second_are_due_together(pace: Pace, refresh: bool) -> None:
    wanted = [4590.0 + number / MOST for number in range(MOST)]
    moments = [pace.moment(at, refresh=refresh) for at in wanted]
    assert len(set(moments[MANY:])) <= 11
    early = [at - moment for at, moment in zip(wanted, moments, strict=True)]
    assert all(0 <= one < 0.1 for one in (early if refresh else [-one for one in early]))


def test_thousands_of_refreshes_are_spread_to_earlier_moments(pace: Pace) -> None:
    moments = [pace.moment(4590.5, refresh=True) for _ in range(10_000)]
    assert max(moments) == 4590.5
    assert min(moments) >= 4590.5 - 300
    busiest = Counter(int(at) for at in moments).most_common(1)[0][1]
    assert busiest <= MOST, "none of these seconds has too many now"


def test_retries_are_spread_to_later_moments(pace: Pace) -> None:
    moments = [pace.moment(1060.5, refresh=False) for _ in range(1000)]
    assert min(moments) == 1060.5
    assert max(moments) <= 1060.5 + 0.2 * 60.5


def test_other_seconds_are_not_touched(pace: Pace) -> None:
    for _ in range(5000):
        pace.moment(4590.5, refresh=True)
    assert pace.moment(9000.5, refresh=True) == 9000.5


@pytest.mark.exhaustive
def test_what_is_past_is_forgotten() -> None:
    clock = ManualClock()
    pace = Pace(clock, Ids(seed=1).fraction)
    for second in range(20_000):
        clock.now = float(second)
        for _ in range(MOST + 1):
            pace.moment(second + 0.5, refresh=True)
    assert pace.remembered < 10_000
