"""Whose turn it is: windows, queues and ceilings, each flow for itself."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from pjreg_cli.engine.exchange import Exchange
from pjreg_cli.engine.lanes import READY, WINDOW
from pjreg_cli.sip.locate import Target
from tests.support.registrations import RecordingFlow, entry
from tests.unit.engine.test_exchange import Bench, response


def test_a_window_has_room_for_hundreds() -> None:
    bench = Bench()
    for number in range(2 * WINDOW):
        bench.open(f"z9hG4bK{number}")
    assert len(bench.flow.sent) == WINDOW


def test_only_a_window_of_requests_is_fresh() -> None:
    bench = Bench(window=3)
    for number in range(10):
        bench.open(f"z9hG4bK{number}")
    assert len(bench.flow.sent) == 3
    bench.hear(response(200, "z9hG4bK0"))
    assert len(bench.flow.sent) == 4


def test_silence_does_not_keep_the_window_shut() -> None:
    bench = Bench(window=3)
    for number in range(9):
        bench.open(f"z9hG4bK{number}")
    bench.loop.run_until(0.55)  # the first three have been resent, three more have begun
    assert set(bench.flow.sent) == {f"z9hG4bK{n}".encode() for n in range(6)}
    bench.loop.run_until(1.1)
    assert set(bench.flow.sent) == {f"z9hG4bK{n}".encode() for n in range(9)}


def test_a_flow_that_says_nothing_holds_up_no_other() -> None:
    bench = Bench(window=3)
    silent, other = RecordingFlow(reliable=True), RecordingFlow()
    for number in range(500):
        bench.open(f"z9hG4bKs{number}", flow=silent)
    bench.open("z9hG4bKo", flow=other)
    assert (len(silent.sent), len(other.sent)) == (3, 1)


def test_over_a_silent_stream_the_window_moves_on_after_half_a_second() -> None:
    bench = Bench(window=3)
    silent = RecordingFlow(reliable=True)
    for number in range(9):
        bench.open(f"z9hG4bK{number}", flow=silent)
    bench.loop.run_until(0.4)
    assert len(silent.sent) == 3
    bench.loop.run_until(0.6)
    assert len(silent.sent) == 6
    bench.hear(response(200, "z9hG4bK3"), reliable=True)
    assert len(silent.sent) == 7, "an answer opens it at once"
    bench.loop.run_until(1.2)
    assert len(silent.sent) == 9


def test_a_ceiling_holds_for_each_registrar() -> None:
    bench = Bench()
    bench.exchanges.lanes.registrar_rate = 10
    other = RecordingFlow(Target("udp", "127.0.0.2", 5060, "x"))
    for number in range(20):
        bench.open(f"z9hG4bKa{number}")
        bench.open(f"z9hG4bKb{number}", flow=other)
    # to answer them keeps resends out of the count
    for number in range(20):
        bench.loop.run_until(number / 10 + 0.05)
        assert len(bench.flow.sent) == len(other.sent) <= number + 2
        bench.hear(response(200, f"z9hG4bKa{number}"))
        bench.hear(response(200, f"z9hG4bKb{number}"))
    assert len(set(bench.flow.sent)) == 20


def test_under_a_ceiling_for_all_flows_take_turns() -> None:
    bench = Bench()
    bench.exchanges.lanes.rate = 100
    flows = [RecordingFlow(reliable=True) for _ in range(5)]
    for flow in flows:
        for number in range(100):
            bench.open(f"z9hG4bK{id(flow)}-{number}", flow=flow)
    bench.loop.run_until(2.0)
    sent = [len(flow.sent) for flow in flows]
    assert 195 <= sum(sent) <= 215
    assert max(sent) - min(sent) <= 15, "what was asked for first has the first turns only"
    bench.loop.run_until(5.0)
    assert [len(flow.sent) for flow in flows] == [100] * 5


def test_those_that_wait_fail_without_being_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = 0

    def equal(self: Exchange, other: object) -> bool:
        nonlocal compared
        compared += 1
        return self is other

    # who searches a queue compares what is in it
    monkeypatch.setattr(Exchange, "__eq__", equal)
    monkeypatch.setattr(Exchange, "__hash__", object.__hash__)
    bench = Bench(window=1)
    for number in range(1_000):
        bench.open(f"z9hG4bK{number}")
    for exchange in reversed(bench.exchanges.on(bench.flow)):
        bench.exchanges.fail(exchange, "gone")
    assert len(bench.delivered) == 1_000
    assert bench.flow.sent == [b"z9hG4bK0"]
    assert compared == 0


class Crowd(Bench):
    """Requests that are made when few wait for their turn."""

    def __init__(self, count: int) -> None:
        super().__init__(window=3)
        self.made: list[str] = []
        self.exchanges.lanes.make = lambda one, _flow: self.make(one.name)
        self.begin(map(str, range(count)))

    def begin(self, names: Iterable[str]) -> None:
        for name in names:
            if not self.exchanges.lanes.park(self.flow, entry(name)):
                self.make(name)

    def make(self, name: str) -> None:
        self.made.append(name)
        self.open(f"z9hG4bK{name}")


def test_of_thousands_only_those_are_made_whose_turn_is_near() -> None:
    crowd = Crowd(2000)
    assert len(crowd.made) == 3 + READY
    number = 0
    while number < len(crowd.made):
        crowd.hear(response(200, f"z9hG4bK{crowd.made[number]}"))
        number += 1
        assert len(crowd.made) - number <= 3 + READY
    assert crowd.made == [str(number) for number in range(2000)], "in the order in which they came"
    assert crowd.flow.sent == [f"z9hG4bK{number}".encode() for number in range(2000)]


def test_of_thousands_none_is_left_behind_where_a_ceiling_holds_them_up() -> None:
    crowd = Crowd(0)
    crowd.exchanges.lanes.rate = 0.001
    crowd.begin(map(str, range(1000)))
    assert len(crowd.made) == READY + 1
    while under_way := crowd.exchanges.on(crowd.flow):
        for exchange in under_way:
            crowd.exchanges.drop(exchange)
    assert len(crowd.made) == 1000
