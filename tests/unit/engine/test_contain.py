"""A fault is logged, counted, and goes no further; cancelling is none."""

from __future__ import annotations

import asyncio

import pytest

from pjreg_cli.counters import Tally
from pjreg_cli.engine.contain import Contained


def test_a_fault_is_logged_with_its_traceback_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    tally = Tally()
    with Contained(tally, "the work of %s", "alice") as fault:
        raise ValueError("of ours")
    assert isinstance(fault.error, ValueError)
    assert tally.value == 1
    assert caplog.messages == ["the work of alice failed: ValueError('of ours')"]
    assert caplog.records[0].exc_info


def test_a_fault_that_is_known_is_only_counted(caplog: pytest.LogCaptureFixture) -> None:
    tally = Tally()
    with Contained(tally, "the work", known=True):
        raise ValueError
    assert (tally.value, caplog.messages) == (1, [])


def test_nothing_is_kept_of_what_went_well() -> None:
    tally = Tally()
    with Contained(tally, "the work") as fault:
        pass
    assert (tally.value, fault.error) == (0, None)


def test_cancelling_goes_on() -> None:
    with pytest.raises(asyncio.CancelledError), Contained(Tally(), "the work"):
        raise asyncio.CancelledError
