"""Listeners are told; what they do with it is theirs alone."""

from __future__ import annotations

import pytest

from pjreg_cli.api.notices import Notice, StateMade
from pjreg_cli.counters import Counters
from pjreg_cli.engine.listeners import Listeners

NOTICE = StateMade("alice")


def refuse(_notice: Notice) -> None:
    raise OSError(28, "No space left on device")


def test_a_listener_that_raises_keeps_nothing_from_the_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    counters = Counters()
    listeners = Listeners(counters)
    told: list[Notice] = []
    listeners.subscribe(refuse)
    listeners.subscribe(told.append)
    for _ in range(3):
        listeners.publish(NOTICE)
    assert told == [NOTICE] * 3
    assert [count.value for count in counters.counts()] == [3]
    assert len(caplog.records) == 1, "the first failure is logged, the others are counted"
    assert "refuse" in caplog.text
    assert "No space left" in caplog.text


def test_a_listener_that_is_gone_is_told_nothing_more() -> None:
    listeners = Listeners(Counters())
    told: list[Notice] = []
    end = listeners.subscribe(told.append)
    end()
    end()
    listeners.publish(NOTICE)
    assert told == []


def test_a_listener_may_leave_while_it_is_told() -> None:
    listeners = Listeners(Counters())
    told: list[Notice] = []

    def once(notice: Notice) -> None:
        told.append(notice)
        end()

    end = listeners.subscribe(once)
    listeners.subscribe(told.append)
    listeners.publish(NOTICE)
    assert told == [NOTICE, NOTICE]
