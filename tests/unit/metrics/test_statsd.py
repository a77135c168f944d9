"""Which gauges a notice changes."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pjreg_cli.api.notices import Notice, Reloaded, StateDropped, StateMade
from pjreg_cli.metrics import statsd
from tests.support.ami_port import settled

COUNT = "PJSIP.registrations.count"
STATE = "PJSIP.registrations.state."


def test_new_state_counts_as_unregistered() -> None:
    assert statsd.lines(StateMade("a")) == ((COUNT, 1), (STATE + "Unregistered", 1))


def test_change_of_the_shown_status_moves_one() -> None:
    notice = settled(word="Rejected", old_word="Registered")
    assert statsd.lines(notice) == ((STATE + "Registered", -1), (STATE + "Rejected", 1))


@pytest.mark.parametrize(
    "notice",
    [
        settled(word="Registered", old_word="Registered"),
        settled(word="Stopped", old_word="Unregistered"),
        Reloaded("res_pjsip", True),
    ],
)
def test_nothing_changes_without_a_change(notice: Notice) -> None:
    assert statsd.lines(notice) == ()


def test_dropped_state_becomes_unregistered_before_it_goes() -> None:
    assert statsd.lines(StateDropped("a", "Rejected")) == (
        (STATE + "Rejected", -1),
        (STATE + "Unregistered", 1),
        (COUNT, -1),
        (STATE + "Unregistered", -1),
    )
    assert statsd.lines(StateDropped("a", "Unregistered")) == (
        (COUNT, -1),
        (STATE + "Unregistered", -1),
    )


@given(st.lists(st.sampled_from(["Registered", "Unregistered", "Rejected", "Stopped"])))
def test_life_of_a_registration_leaves_no_gauge_behind(words: list[str]) -> None:
    history = ["Unregistered", *words]
    notices: list[Notice] = [StateMade("a")]
    notices += [settled(word=new, old_word=old) for old, new in zip(history, words, strict=False)]
    notices.append(StateDropped("a", history[-1]))
    gauges: Counter[str] = Counter()
    for notice in notices:
        for gauge, step in statsd.lines(notice):
            gauges[gauge] += step
            assert gauges[gauge] >= 0
    assert not any(gauges.values())
