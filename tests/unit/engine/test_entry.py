"""A registration between two attempts takes little room, and is the same all the while."""

from __future__ import annotations

from pjreg_cli.engine.bindings import Binding
from pjreg_cli.registration.state import Flight, State, Status
from tests.support.registrations import entry

RESTING = State(Status.REGISTERED, 2, 60.0, 61.0, requested_s=90, young_losses=1)


def test_a_folded_state_is_what_it_was() -> None:
    one = entry()
    assert one.state == State()
    one.state = RESTING
    one.fold()
    assert one.state == RESTING
    assert one.state.next_attempt_at == 61.0
    begun = State(Status.REGISTERED, in_flight=Flight.REGISTER)
    one.state = begun
    assert one.state is begun


def test_who_rests_alike_shares_all_but_the_instants() -> None:
    first, second = entry("a"), entry("b")
    first.state, second.state = RESTING, RESTING._replace(wake_at=70.0, next_attempt_at=70.0)
    first.fold()
    second.fold()
    assert first._lasting is second._lasting
    assert (first.state.wake_at, second.state.wake_at) == (60.0, 70.0)


def test_a_binding_is_kept_until_there_is_none() -> None:
    one = entry()
    assert one.binding is None
    one.binding = granted = Binding("sip:s@192.0.2.1", 60, 100.0)
    assert one.binding == granted
    assert one.binding.until_at == 160.0
    one.binding = None
    assert one.binding is None
