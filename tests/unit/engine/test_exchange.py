"""Requests under way: matched, resent, given up, and never too many at once."""

from __future__ import annotations

from collections import defaultdict
from functools import partial

import hypothesis.strategies as st
import pytest
from hypothesis import given

from pjreg_cli.counters import Tally
from pjreg_cli.engine.exchange import Exchange, Exchanges
from pjreg_cli.engine.timers import Timers
from pjreg_cli.registration.state import Cause
from pjreg_cli.sip.message import Response, parse
from pjreg_cli.sip.transaction import Effect, Event, begin, react
from tests.support.manual_loop import ManualLoop
from tests.support.registrations import Nowhere, RecordingFlow, entry


class Bench:
    """Exchanges on a clock of their own, with all that is delivered."""

    def __init__(self, window: int = 200) -> None:
        self.loop = ManualLoop()
        self.delivered: list[tuple[str, int | None, Cause, str]] = []
        self.exchanges = Exchanges(
            Timers(self.loop.as_loop()), self._deliver, Tally(), window=window
        )
        self.flow = RecordingFlow()

    def _deliver(
        self, exchange: Exchange, response: Response | None, cause: Cause, why: str
    ) -> None:
        code = response.code if response else None
        self.delivered.append((exchange.branch, code, cause, why))

    def open(self, branch: str = "z9hG4bK1", flow: RecordingFlow | None = None) -> Exchange:
        return self.exchanges.open(entry(), flow or self.flow, branch, 7, "1", branch.encode())

    def hear(self, response: Response, *, reliable: bool = False) -> bool:
        return self.exchanges.response(response, Nowhere(reliable=reliable))


def response(
    code: int,
    branch: str = "z9hG4bK1",
    cseq: str = "7 REGISTER",
    call_id: str = "call",
    sender: str = "<sip:a@b>;tag=1",
) -> Response:
    text = (
        f"SIP/2.0 {code} Any\r\nVia: SIP/2.0/UDP 127.0.0.1:5070;branch={branch}\r\n"
        f"From: {sender}\r\nTo: <sip:a@b>\r\nCall-ID: {call_id}\r\nCSeq: {cseq}\r\n\r\n"
    )
    message = parse(text.encode())
    assert isinstance(message, Response)
    return message


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_final_response_is_delivered_once(bench: Bench) -> None:
    bench.open()
    assert bench.hear(response(200))
    assert bench.hear(response(200)), "a late copy belongs to its request"
    assert bench.delivered == [("z9hG4bK1", 200, Cause.ANSWERED, "")]


def test_a_late_copy_is_absorbed_for_5_s_and_foreign_after_that(bench: Bench) -> None:
    bench.open()
    bench.hear(response(200))
    bench.loop.run_until(4.9)
    assert bench.hear(response(200))
    bench.loop.run_until(5.1)
    assert not bench.hear(response(200))


@pytest.mark.parametrize(
    "foreign",
    [
        response(200, branch="z9hG4bK2"),
        response(200, cseq="8 REGISTER"),
        response(200, cseq="7 X"),
        response(403, call_id="another"),
        response(403, sender="<sip:a@b>;tag=2"),
        response(403, sender="<sip:a@b>"),
        response(403, sender='"x;tag=1" <sip:a@b;tag=1>'),
    ],
)
def test_a_foreign_response_has_no_effect(bench: Bench, foreign: Response) -> None:
    bench.open()
    assert not bench.hear(foreign)
    assert bench.delivered == []


def test_silence_is_resent_and_ends_after_32_s(bench: Bench) -> None:
    bench.open()
    sent_after: list[int] = []
    for at in (0.4, 0.6, 1.6, 3.6, 7.6, 11.6, 31.9):
        bench.loop.run_until(at)
        sent_after.append(len(bench.flow.sent))
    assert sent_after == [1, 2, 3, 4, 5, 6, 11]
    bench.loop.run_until(32.1)
    assert bench.delivered == [("z9hG4bK1", None, Cause.TIMED_OUT, "no answer")]
    bench.loop.run_until(100)
    assert len(bench.flow.sent) == 11


class Clocked(RecordingFlow):
    """Notes when what was sent."""

    def __init__(self, loop: ManualLoop) -> None:
        super().__init__()
        self.loop = loop
        self.sends: dict[bytes, list[float]] = defaultdict(list)

    def send(self, data: bytes) -> None:
        self.sends[data].append(self.loop.now)


def by_the_table(
    opened_at: float, t1_s: float, proceeds_at: float | None, end: float
) -> list[float]:
    """When the table wants a request to be sent that nobody answers, a 100 apart."""
    one = begin(opened_at, False, t1_s, 32.0)
    sends = [opened_at]
    while True:
        at = one.wake_at if one.wake_at is not None else end
        event = Event.WAKE
        if proceeds_at is not None and proceeds_at <= at:
            at, proceeds_at, event = proceeds_at, None, Event.PROVISIONAL
        if at >= end:
            return sends
        one, effects = react(one, event, at)
        sends += [at] * effects.count(Effect.RESEND)


@given(
    st.lists(
        st.tuples(
            st.sampled_from([0.0, 0.1, 0.3]),  # after the one before
            st.sampled_from([0.1, 0.5, 2.0]),  # T1
            st.sampled_from([None, 100, 200]),  # what it hears
            st.sampled_from([0.01, 0.23, 0.77]),  # when
        ),
        max_size=8,
    )
)
def test_each_is_resent_as_the_table_says_however_many_are_under_way(
    requests: list[tuple[float, float, int | None, float]],
) -> None:
    bench = Bench()
    flow = Clocked(bench.loop)
    hears: list[tuple[float, str, int]] = []
    expected: dict[bytes, list[float]] = {}
    at, end = 0.0, 20.0
    for number, (after_s, t1_s, code, heard_s) in enumerate(requests):
        at += after_s
        branch = f"z9hG4bK{number}"
        heard_at = at + heard_s
        if code is not None:
            hears.append((heard_at, branch, code))
        expected[branch.encode()] = by_the_table(
            at, t1_s, heard_at if code == 100 else None, heard_at if code == 200 else end
        )

        def begun(branch: str = branch, t1_s: float = t1_s) -> None:
            bench.exchanges.set_timers(t1_s, 32.0)
            bench.open(branch, flow)

        bench.loop.call_at(at, begun)

    def hear(answer: Response) -> None:
        assert bench.hear(answer)

    for heard_at, branch, code in hears:
        bench.loop.call_at(heard_at, partial(hear, response(code, branch)))
    bench.loop.run_until(end - 0.001)
    found = {data: [pytest.approx(at) for at in sends] for data, sends in flow.sends.items()}
    assert found == expected


def test_nothing_is_resent_over_a_stream(bench: Bench) -> None:
    flow = RecordingFlow(reliable=True)
    bench.open(flow=flow)
    bench.loop.run_until(31)
    assert len(flow.sent) == 1
    bench.loop.run_until(33)
    assert [one[2] for one in bench.delivered] == [Cause.TIMED_OUT]


def test_a_send_that_fails_is_told_once_who_sends_has_come_to_know_of_it(bench: Bench) -> None:
    bench.flow.broken = "no route"
    bench.open()
    assert bench.delivered == []
    bench.loop.run_until(0)
    assert bench.delivered == [("z9hG4bK1", None, Cause.SEND_FAILED, "no route")]
    bench.loop.run_until(100)
    assert len(bench.delivered) == 1


def test_a_lost_connection_ends_its_requests_only(bench: Bench) -> None:
    other = RecordingFlow()
    bench.open("z9hG4bK1")
    bench.open("z9hG4bK2", flow=other)
    for exchange in bench.exchanges.on(bench.flow):
        bench.exchanges.fail(exchange, "gone")
    assert bench.delivered == [("z9hG4bK1", None, Cause.SEND_FAILED, "gone")]
    assert bench.exchanges.on(bench.flow) == []
    assert [one.branch for one in bench.exchanges.on(other)] == ["z9hG4bK2"]


def test_a_datagram_is_no_answer_to_what_went_over_a_stream(bench: Bench) -> None:
    bench.open(flow=RecordingFlow(reliable=True))
    assert not bench.hear(response(200))
    assert bench.hear(response(200), reliable=True)


def test_a_stream_is_no_answer_to_a_datagram(bench: Bench) -> None:
    bench.open()
    assert not bench.hear(response(200), reliable=True)


@pytest.mark.exhaustive
def test_thousands_that_cannot_be_sent_all_fail_in_turn() -> None:
    bench = Bench(window=3)
    bench.open("z9hG4bKfirst")
    bench.open("z9hG4bKsecond")
    bench.open("z9hG4bKthird")
    for number in range(5000):
        bench.open(f"z9hG4bK{number}")
    bench.flow.broken = "network is down"
    bench.hear(response(200, "z9hG4bKfirst"))
    bench.loop.run_until(0)
    assert len(bench.delivered) == 5001


def test_one_that_waits_its_turn_can_fail_too() -> None:
    bench = Bench(window=1)
    bench.open("z9hG4bK1")
    waiting = bench.open("z9hG4bK2")
    bench.exchanges.fail(waiting, "gone")
    bench.hear(response(200))
    assert [one[0] for one in bench.delivered] == ["z9hG4bK2", "z9hG4bK1"]
    assert bench.flow.sent == [b"z9hG4bK1"]


def test_after_closing_nobody_is_told(bench: Bench) -> None:
    bench.open()
    bench.exchanges.close()
    assert not bench.hear(response(200))
    assert bench.delivered == []
