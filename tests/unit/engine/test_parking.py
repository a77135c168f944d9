"""Attempts that wait for their turn: thousands share one, and each begins with its own."""

from __future__ import annotations

from typing import Any, cast

import pytest

from pjreg_cli.engine.entry import Attempt, Entry
from pjreg_cli.engine.lanes import Lanes
from pjreg_cli.engine.parking import ALIKE_S, Parking, taken_out
from pjreg_cli.errors import TransportError
from pjreg_cli.net.flow import Flow
from pjreg_cli.net.pool import Pool
from pjreg_cli.registration.state import Unregister
from pjreg_cli.sip.locate import Target
from tests.support.manual_loop import ManualLoop
from tests.support.many import many
from tests.support.registrations import RecordingFlow, entry

HERE = Target("udp", "127.0.0.1", 5060, "127.0.0.1")
THERE = Target("udp", "127.0.0.2", 5060, "127.0.0.2")


class Bench:
    """Queues that are long, a pool of two ways, and a clock."""

    def __init__(self) -> None:
        self.now = 100.0
        self.flows: dict[str, Flow] = {one.host: RecordingFlow(one) for one in (HERE, THERE)}
        self.queued: list[tuple[Flow, Entry]] = []
        self.crowded = True
        self.parking = Parking(cast(Pool, self), cast(Lanes, cast(Any, self)), lambda: self.now)

    def flow(self, _transport: str, target: Target) -> Flow:
        if target.host not in self.flows:
            raise TransportError("no way")
        return self.flows[target.host]

    def park(self, flow: Flow, one: Entry) -> bool:
        if self.crowded:
            self.queued.append((flow, one))
        return self.crowded

    def parked(self, name: str, *targets: Target, expires_s: int = 60) -> Entry:
        one = entry(name)
        attempt = one.attempt = Attempt()
        attempt.targets, attempt.expires_s = targets or (HERE,), expires_s
        assert self.parking.takes(one, attempt)
        return one


def test_those_that_go_the_same_way_share_an_attempt_and_begin_with_one_each() -> None:
    bench = Bench()
    one, other = bench.parked("a"), bench.parked("b")
    shared = other.attempt
    assert shared is not None
    assert shared is one.attempt
    assert (shared.parked, shared.since, shared.tried) == (True, bench.now, -1)
    own = taken_out(one, bench.flows[HERE.host])
    assert own is not None
    assert own is one.attempt
    assert own is not shared
    assert (own.targets, own.expires_s, own.parked, own.flow) == ((HERE,), 60, False, None)
    assert taken_out(one, bench.flows[HERE.host]) is None, "it has begun"
    assert taken_out(other, bench.flows[THERE.host]) is None, "it waits elsewhere"
    other.attempt = None
    assert taken_out(other, bench.flows[HERE.host]) is None, "it has ended"


@pytest.mark.parametrize(
    ("targets", "expires_s", "later_s"),
    [((THERE,), 60, 0.0), ((HERE, THERE), 60, 0.0), ((HERE,), 0, 0.0), ((HERE,), 60, 2 * ALIKE_S)],
    ids=["another way", "another target left", "an unregister", "a while later"],
)
def test_whoever_waits_otherwise_shares_nothing(
    targets: tuple[Target, ...], expires_s: int, later_s: float
) -> None:
    bench = Bench()
    first = bench.parked("a")
    bench.now += later_s
    other = bench.parked("b", *targets, expires_s=expires_s)
    assert other.attempt is not first.attempt
    assert other.attempt is not None
    assert (other.attempt.targets, other.attempt.expires_s) == (targets, expires_s)
    assert other.attempt.since == bench.now


def test_nobody_is_parked_where_few_wait_or_where_there_is_no_way() -> None:
    bench = Bench()
    one, attempt = entry("a"), Attempt()
    one.attempt, attempt.targets = attempt, (HERE,)
    bench.crowded = False
    assert not bench.parking.takes(one, attempt)
    bench.crowded = True
    attempt.targets = (Target("udp", "127.0.0.3", 5060, "127.0.0.3"),)
    assert not bench.parking.takes(one, attempt)
    assert one.attempt is attempt
    assert not attempt.parked
    assert bench.queued == []


def test_what_happens_to_one_that_waits_concerns_no_other() -> None:
    """A thousand begin at once, so that most of them wait; one is given up, and one is told to
    unregister: the others register all the same, each with requests of its own."""
    loop = ManualLoop()
    fleet = many(loop, 1000, lambda _notice: None, 3600, 1)
    loop.run_until(1.0)
    waiting = [one for one in fleet.entries.values() if one.attempt and one.attempt.parked]
    assert len(waiting) > 500
    assert len({id(one.attempt) for one in waiting}) == 1
    given_up, told = waiting[0], waiting[1]
    fleet.attempts.give_up(given_up)
    fleet.post(told, Unregister(fleet.attempts.unsent(told)))
    loop.run_until(3.0)
    words = {one.name: one.state.status.word for one in fleet.entries.values()}
    assert words.pop(given_up.name) == "Rejected"
    assert words.pop(told.name) == "Unregistered"
    assert set(words.values()) == {"Registered"}
