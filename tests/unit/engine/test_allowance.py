"""Strangers get so many answers and no more."""

from __future__ import annotations

import pytest

from pjreg_cli.engine.allowance import IN_ALL, PER_HOST, Allowance
from tests.support.clock import ManualClock


def test_one_address_gets_its_rate_and_what_it_has_saved_up() -> None:
    clock = ManualClock(100.0)
    allowance = Allowance(clock)
    assert sum(allowance.permits("192.0.2.1") for _ in range(5000)) == pytest.approx(
        2 * PER_HOST, abs=1
    )
    assert allowance.permits("192.0.2.2"), "others are not touched"
    clock.advance(1.0)
    assert abs(sum(allowance.permits("192.0.2.1") for _ in range(5000)) - PER_HOST) <= 1


def test_many_addresses_together_have_a_bound_too() -> None:
    allowance = Allowance(ManualClock(100.0))
    given = sum(allowance.permits(f"10.0.{n % 250}.{n % 240}") for n in range(20_000))
    assert abs(given - 2 * IN_ALL) <= 1


def test_who_keeps_to_the_rate_is_always_answered() -> None:
    clock = ManualClock(100.0)
    allowance = Allowance(clock)
    for _ in range(1000):
        assert allowance.permits("192.0.2.1")
        clock.advance(1 / PER_HOST)
