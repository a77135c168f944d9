"""Whom the loss of a connection concerns, and what becomes of its requests."""

from __future__ import annotations

import os

import pytest

from pjreg_cli.counters import Tally
from pjreg_cli.engine.entry import Attempt
from pjreg_cli.engine.exchange import Exchanges
from pjreg_cli.engine.network import no_network
from pjreg_cli.engine.served import Served, sorted_out
from pjreg_cli.engine.timers import Timers
from tests.support.manual_loop import ManualLoop
from tests.support.registrations import RecordingFlow, entry


def test_a_registration_is_served_by_one_flow_at_a_time() -> None:
    served, one, two, alice = Served(), RecordingFlow(), RecordingFlow(), entry()
    served.move(alice, one)
    served.move(alice, two)
    assert (list(served.on(one)), list(served.on(two)), alice.flow) == ([], [alice], two)
    assert list(served.flows()) == [two]
    assert served.desert(two, 5.0) == [alice]
    assert (alice.flow, list(served.flows())) == (None, [])


def test_a_flow_that_was_set_already_is_noted_all_the_same() -> None:
    served, flow, alice = Served(), RecordingFlow(), entry()
    alice.flow = flow
    served.move(alice, flow)
    assert list(served.on(flow)) == [alice]
    served.move(alice, None)
    assert list(served.on(flow)) == []


@pytest.mark.parametrize(
    ("established", "spoke", "repeated", "kind"),
    [
        (False, False, False, "lost"),
        (True, False, False, "lost"),
        (True, True, False, "repeatable"),
        (True, True, True, "lost"),
    ],
)
def test_a_request_is_repeated_once_if_the_connection_was_in_use(
    established: bool, spoke: bool, repeated: bool, kind: str
) -> None:
    exchanges = Exchanges(Timers(ManualLoop().as_loop()), lambda *_: None, Tally())
    alice = entry()
    alice.attempt = Attempt()
    alice.attempt.repeated = repeated
    sent = exchanges.open(alice, RecordingFlow(reliable=True), "z9hG4bK1", 1, "1", b"x")
    result = sorted_out([sent], established=established, spoke=spoke)
    assert getattr(result, kind) == [sent]
    sent.transaction = None
    waiting = sorted_out([sent], established=established, spoke=spoke)
    assert waiting.waiting == ([sent] if established else [])


def test_the_network_here_is_told_from_that_elsewhere() -> None:
    assert no_network(f"udp 192.0.2.1:5060: {os.strerror(101)}")
    assert not no_network("tcp:192.0.2.1:5060: Connection refused")
