"""What must hold of every registration, and what is done when it does not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

import pytest

from pjreg_cli.counters import Counters
from pjreg_cli.engine.entry import Attempt, Entry
from pjreg_cli.engine.exchange import Exchange
from pjreg_cli.engine.settled import course_of
from pjreg_cli.engine.timers import Timers
from pjreg_cli.engine.watchdog import EVERY_S, LATE_S, LONGEST_LOOKUP_S, SLICE, Watchdog, fault
from pjreg_cli.registration.state import Flight, Outcome, Publish, State, Status
from pjreg_cli.sip.transaction import begin
from tests.support.manual_loop import ManualLoop
from tests.support.registrations import RecordingFlow, entry

NOW = 1000.0
REGISTERED = State(Status.REGISTERED, wake_at=NOW + 60, next_attempt_at=NOW + 60)
REGISTERING = State(Status.REGISTERED, in_flight=Flight.REGISTER)


def placed(state: State, *, timer_at: float | None = None, settled: bool = True) -> Entry:
    """A registration in this state."""
    one = entry()
    one.state = state
    one.timer_at = timer_at
    if settled:
        one.course = course_of(Attempt(), Outcome(200), Publish("granted", Flight.REGISTER))
    return one


def under_way(
    since: float = NOW, *, sent: bool = True, timer_at: float | None = None, ended: bool = False
) -> Entry:
    """A registration whose request is under way; `ended`: its transaction is not any more."""
    one = placed(REGISTERING)
    attempt = one.attempt = Attempt()
    attempt.since = since
    exchange = attempt.exchange = Exchange(
        one, RecordingFlow(), "b", 1, "tag", b"", lambda _e, _n: None
    )
    if sent:
        exchange.transaction = begin(since, False, 0.5, 32.0)
        if ended:
            exchange.transaction = exchange.transaction._replace(wake_at=None)
    exchange.timer_at = timer_at
    return one


def looking_up(since: float) -> Entry:
    """A registration that looks up its registrar."""
    one = placed(REGISTERING)
    one.attempt = Attempt()
    one.attempt.locating = True
    one.attempt.since = since
    return one


def parked(since: float) -> Entry:
    """A registration that begins when fewer others wait."""
    one = placed(REGISTERING)
    one.attempt = Attempt()
    one.attempt.parked = True
    one.attempt.since = since
    return one


def without_request() -> Entry:
    one = placed(REGISTERING)
    one.attempt = Attempt()
    return one


@pytest.mark.parametrize(
    "one",
    [
        placed(REGISTERED, timer_at=NOW + 60),
        placed(REGISTERED._replace(wake_at=NOW - 1), timer_at=NOW - 1),
        placed(State(wake_at=NOW + 1), timer_at=NOW + 1, settled=False),
        placed(State(Status.UNREGISTERED)),
        placed(State(Status.UNREGISTERED), settled=False),
        placed(State(Status.REJECTED_PERMANENT)),
        under_way(timer_at=NOW + 1),
        under_way(),
        under_way(sent=False),
        looking_up(NOW),
        parked(0.0),
    ],
)
def test_what_has_a_deadline_or_a_reason_to_rest_is_left_alone(one: Entry) -> None:
    assert fault(one, NOW) == ""


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (placed(REGISTERED), "no timer"),
        (placed(REGISTERED._replace(wake_at=None)), "without a next attempt"),
        (placed(State(Status.REJECTED_TEMPORARY)), "without a next attempt"),
        (placed(State(next_attempt_at=NOW), settled=False), "without a next attempt"),
        (placed(State(Status.STOPPED)), "not taken away"),
        (placed(REGISTERED._replace(leaving=True)), "not taken away"),
        (placed(REGISTERING), "attempt that does not exist"),
        (without_request(), "request that does not exist"),
        (under_way(ended=True), "answer without end"),
        (under_way(NOW - 2 * LATE_S), "late"),
        (under_way(timer_at=NOW - 2 * LATE_S), "late"),
        (parked(0.0 - NOW * 9), "turn without end"),
        (under_way(0.0 - NOW * 9, sent=False), "turn without end"),
        (looking_up(NOW - LONGEST_LOOKUP_S - 1), "without end"),
        (placed(REGISTERED._replace(wake_at=1.0), timer_at=1.0), "late"),
    ],
)
def test_what_would_never_go_on_is_found(one: Entry, said: str) -> None:
    assert said in fault(one, NOW)


class Fleet:
    """Registrations, and those that were mended."""

    def __init__(self, entries: list[Entry]) -> None:
        self.entries = entries
        self.mended: list[Entry] = []

    def with_state(self) -> list[Entry]:
        return list(self.entries)

    def mend(self, entry: Entry) -> None:
        self.mended.append(entry)


def watching(entries: list[Entry]) -> tuple[ManualLoop, Fleet, Counters, Watchdog]:
    loop, fleet, counters = ManualLoop(), Fleet(entries), Counters()

    def call_later(delay_s: float, callback: Callable[[], None]) -> asyncio.TimerHandle:
        return cast(asyncio.TimerHandle, loop.call_at(loop.now + delay_s, callback))

    watch = Watchdog(fleet, Timers(loop.as_loop()), counters, call_later)
    watch.start()
    return loop, fleet, counters, watch


@pytest.mark.parametrize("folded", [False, True])
def test_what_is_found_in_two_rounds_is_mended_and_counted(
    caplog: pytest.LogCaptureFixture, folded: bool
) -> None:
    silent, well = placed(REGISTERED._replace(wake_at=None)), placed(State(Status.UNREGISTERED))
    if folded:
        silent.fold()
        well.fold()
    loop, fleet, counters, _ = watching([silent, well])
    loop.run_until(1.5 * EVERY_S)
    assert fleet.mended == [], "once is no proof"
    loop.run_until(2.5 * EVERY_S)
    assert fleet.mended == [silent]
    assert counters.counts()[0].value == 1
    assert "alice: is registered without a next attempt" in caplog.text


def test_what_has_gone_on_meanwhile_is_no_suspect_any_more() -> None:
    one = placed(REGISTERED._replace(wake_at=None))
    loop, fleet, _, _ = watching([one])
    for number in range(10):
        loop.run_until((number + 0.5) * EVERY_S)
        one.state = one.state._replace(retries=number)
    assert fleet.mended == []


def test_a_large_fleet_is_looked_at_in_slices() -> None:
    silent = placed(REGISTERED._replace(wake_at=None))
    well = [placed(State(Status.UNREGISTERED)) for _ in range(3 * SLICE)]
    loop, fleet, _, _ = watching([*well, silent])
    loop.run_until(3 * EVERY_S)
    assert fleet.mended == [silent]
    assert loop.calls >= 2 * 4


def test_a_closed_watch_looks_no_longer() -> None:
    loop, fleet, _, watch = watching([placed(REGISTERED._replace(wake_at=None))])
    watch.close()
    loop.run_until(10 * EVERY_S)
    assert fleet.mended == []
