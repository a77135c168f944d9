"""Counts by name, in the order in which they were declared."""

from __future__ import annotations

from pjreg_cli.counters import Count, Counters


def test_counters_show_what_was_counted_and_what_others_count() -> None:
    counters = Counters()
    faults = counters.declare("faults", "what went wrong")
    elsewhere = [3]
    counters.watch("elsewhere", "what somebody else counts", lambda: elsewhere[0])
    faults.add()
    faults.add(2)
    elsewhere[0] = 4
    assert counters.counts() == (
        Count("faults", 3, "what went wrong"),
        Count("elsewhere", 4, "what somebody else counts"),
    )
