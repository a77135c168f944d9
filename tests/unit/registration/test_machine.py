"""What events do to a registration."""

from __future__ import annotations

import pytest

from pjreg_cli.registration.machine import react, renewal_delay_s
from pjreg_cli.registration.state import (
    AuthReloaded,
    Drop,
    Effect,
    Event,
    Flight,
    Hop,
    Outcome,
    Paced,
    Policy,
    Publish,
    Remove,
    Resumed,
    SendRegister,
    Start,
    State,
    Status,
    TransportClosed,
    Unregister,
    Wake,
)

POLICY = Policy()
NOW = 500.0
GRANTED = Outcome(200, granted_s=3600)
REFUSED = Outcome(403)
UNREGISTER = SendRegister(0)
REGISTER = SendRegister(3600)

IDLE = State()
REGISTERED = State(Status.REGISTERED, wake_at=4090.0, next_attempt_at=4090.0)
REGISTERING = State(in_flight=Flight.REGISTER)
REFRESHING = State(Status.REGISTERED, in_flight=Flight.REGISTER)
UNREGISTERING = State(Status.REGISTERED, in_flight=Flight.UNREGISTER)
LEAVING = State(Status.STOPPING, in_flight=Flight.UNREGISTER, leaving=True)
STOPPED = State(Status.STOPPED)
PERMANENT = State(Status.REJECTED_PERMANENT, retries=3, next_attempt_at=400.0)


def run(state: State, *events: Event, policy: Policy = POLICY) -> tuple[State, list[Effect]]:
    """The state after the events, all at one instant, and all effects."""
    effects: list[Effect] = []
    for event in events:
        state, more = react(state, event, policy, NOW)
        effects += more
    return state, effects


# -- start and wake ---------------------------------------------------------------------------


def test_start_waits_for_the_jitter_and_a_second() -> None:
    state, effects = run(State(Status.REGISTERED, 4, requested_s=7200), Start(3.0))
    assert (state.wake_at, state.next_attempt_at) == (504.0, 504.0)
    assert (state.status, state.retries, state.requested_s) == (Status.REGISTERED, 0, None)
    assert effects == []


@pytest.mark.parametrize(("waited_s", "at"), [(0.0, 504.0), (1.5, 502.5), (9.0, 500.0)])
def test_a_part_of_the_delay_may_be_over(waited_s: float, at: float) -> None:
    state, _ = run(State(), Start(3.0, waited_s))
    assert (state.wake_at, state.next_attempt_at) == (at, at)


def test_wake_registers() -> None:
    state, effects = run(IDLE, Start(0.0), Wake())
    assert effects == [REGISTER]
    assert (state.in_flight, state.wake_at) == (Flight.REGISTER, None)
    assert state.next_attempt_at == 501.0


def test_wake_asks_for_what_a_registrar_demanded_before() -> None:
    assert run(REGISTERED._replace(requested_s=7200), Wake())[1] == [SendRegister(7200)]


@pytest.mark.parametrize("event", [Start(0.0), Wake(), Unregister(), TransportClosed()])
@pytest.mark.parametrize("state", [LEAVING, STOPPED])
def test_what_leaves_does_nothing_more(state: State, event: Event) -> None:
    assert run(state, event) == (state, [])


# -- unregister -------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [IDLE, REGISTERED, PERMANENT])
def test_unregister_is_sent_whatever_the_status(state: State) -> None:
    after, effects = run(state, Unregister())
    assert effects == [UNREGISTER]
    assert (after.status, after.in_flight, after.wake_at) == (
        state.status,
        Flight.UNREGISTER,
        None,
    )
    assert after.next_attempt_at == state.next_attempt_at


def test_unregistered_stays_so() -> None:
    state, effects = run(REGISTERED, Unregister(), Outcome(200, granted_s=60))
    assert effects[-1] == Publish("removed", Flight.UNREGISTER)
    assert (state.status, state.wake_at, state.in_flight) == (Status.UNREGISTERED, None, None)


@pytest.mark.parametrize("code", [401, 403, 408, 500, 503, 603])
def test_refused_unregister_never_registers(code: int) -> None:
    policy = Policy(fatal_retry_interval_s=5, forbidden_retry_interval_s=5)
    state, _ = run(REGISTERED, Unregister(), Outcome(code, retry_after_s=7), policy=policy)
    assert (state.status, state.wake_at, state.in_flight) == (
        Status.REJECTED_PERMANENT,
        None,
        None,
    )
    assert run(state, AuthReloaded(0.0)) == (state, [])


def test_refused_unregister_starts_again_when_told_to() -> None:
    state, effects = run(REGISTERED, Unregister(), REFUSED, Start(0.0), Wake(), REFUSED)
    assert effects[-2:] == [REGISTER, Publish("permanent", Flight.REGISTER)]
    assert run(state, AuthReloaded(0.0))[0].wake_at == 501.0


def test_send_register_unregisters_then_registers() -> None:
    state, effects = run(REGISTERED, Unregister(), Start(0.0), Outcome(200))
    assert effects == [UNREGISTER, Publish("removed", Flight.UNREGISTER)]
    assert (state.status, state.wake_at) == (Status.UNREGISTERED, 501.0)
    assert run(state, Wake())[1] == [REGISTER]


def test_send_register_survives_a_refused_unregister() -> None:
    state, _ = run(REGISTERED, Unregister(), Start(0.0), REFUSED)
    assert (state.status, state.wake_at) == (Status.REJECTED_PERMANENT, 501.0)


# -- while a request is in flight -------------------------------------------------------------


def test_unregister_in_flight_needs_no_second_one() -> None:
    state, effects = run(UNREGISTERING, Unregister(), Outcome(200))
    assert effects == [Publish("removed", Flight.UNREGISTER)]
    assert state.in_flight is None


def test_unregister_cancels_a_registration_that_was_to_follow() -> None:
    state, effects = run(UNREGISTERING, Wake(), Unregister(), Outcome(200))
    assert effects == [Publish("removed", Flight.UNREGISTER)]
    state, effects = run(UNREGISTERING, Start(0.0), Unregister(), Outcome(200))
    assert state.wake_at is None


@pytest.mark.parametrize("outcome", [GRANTED, REFUSED, Outcome(503), Outcome(408)])
def test_unregister_is_sent_after_the_register_in_flight(outcome: Outcome) -> None:
    state, effects = run(REFRESHING, Unregister(), outcome)
    assert isinstance(effects[0], Publish)
    assert effects[1:] == [UNREGISTER]
    assert (state.in_flight, state.wake_at) == (Flight.UNREGISTER, None)
    assert not state.unregister_due


def test_wake_in_flight_registers_afterwards() -> None:
    state, effects = run(UNREGISTERING, Wake(), Outcome(200))
    assert effects == [Publish("removed", Flight.UNREGISTER), REGISTER]
    assert state.in_flight is Flight.REGISTER
    assert not state.register_due


def test_send_register_with_a_silent_registrar_does_both_afterwards() -> None:
    state, effects = run(REGISTERING, Unregister(), Start(0.0), Wake(), Outcome(408))
    assert effects == [Publish("temporary", Flight.REGISTER), UNREGISTER]
    state, effects = run(state, Outcome(408))
    assert effects == [Publish("refused", Flight.UNREGISTER), REGISTER]
    assert state.in_flight is Flight.REGISTER


def test_start_outlives_the_outcomes_of_what_was_in_flight() -> None:
    state, _ = run(REGISTERING, Unregister(), Start(30.0), GRANTED, Outcome(200))
    assert (state.status, state.wake_at) == (Status.UNREGISTERED, 531.0)
    assert state.next_attempt_at == 531.0


def test_due_things_wait_while_the_attempt_goes_on() -> None:
    state, effects = run(
        REGISTERING, Unregister(), Wake(), Outcome(401, credentials_fit=True), GRANTED
    )
    assert effects[0] == SendRegister(3600, Hop.SAME, credentials=True, rule="challenge")
    assert effects[2:] == [UNREGISTER]
    assert state.register_due


def test_answer_to_nothing_changes_nothing() -> None:
    assert run(REGISTERED, GRANTED, REFUSED) == (REGISTERED, [])


def test_start_replaces_a_registration_that_came_due() -> None:
    state, effects = run(REGISTERING, Wake(), Start(0.0), GRANTED)
    assert effects == [Publish("granted", Flight.REGISTER)]
    assert state.wake_at == 501.0


# -- attempts that go on ----------------------------------------------------------------------


def test_challenge_is_answered_once() -> None:
    challenge = Outcome(401, credentials_fit=True)
    again = Outcome(401, credentials_fit=True, repeated=True)
    state, effects = run(REGISTERING, challenge, again)
    assert effects == [
        SendRegister(3600, Hop.SAME, credentials=True, rule="challenge"),
        Publish("permanent", Flight.REGISTER),
    ]
    assert state.status is Status.REJECTED_PERMANENT


def test_stale_nonce_is_replaced_three_times() -> None:
    stale = Outcome(401, credentials_fit=True, repeated=True, stale=True)
    _, effects = run(REGISTERING, Outcome(401, credentials_fit=True), *[stale] * 5)
    assert effects[:4] == [SendRegister(3600, Hop.SAME, credentials=True, rule="challenge")] * 4
    assert effects[4:] == [Publish("permanent", Flight.REGISTER)]


def test_proxy_and_registrar_may_both_want_credentials() -> None:
    proxy, registrar = Outcome(407, credentials_fit=True), Outcome(401, credentials_fit=True)
    state, effects = run(REGISTERING, proxy, registrar, GRANTED)
    assert [type(effect) for effect in effects] == [SendRegister, SendRegister, Publish]
    assert state.status is Status.REGISTERED


def test_a_registrar_that_invents_realms_is_not_followed_for_ever() -> None:
    _, effects = run(REGISTERING, *[Outcome(401, credentials_fit=True)] * 9)
    assert [type(effect) for effect in effects] == [SendRegister] * 4 + [Publish]


def test_next_attempt_starts_without_credentials() -> None:
    challenge = Outcome(401, credentials_fit=True)
    state, effects = run(REGISTERING, challenge, Outcome(503), Wake(), challenge)
    assert effects[-2:] == [
        REGISTER,
        SendRegister(3600, Hop.SAME, credentials=True, rule="challenge"),
    ]
    assert (state.answers, state.renewals) == (1, 0)


def test_next_target_challenges_afresh() -> None:
    first = Outcome(401, credentials_fit=True)
    stale = [Outcome(401, credentials_fit=True, repeated=True, stale=True)] * 3
    left = Outcome(503, target_left=True)
    state, effects = run(REGISTERING, first, *stale, left, first, *stale)
    assert effects[4] == SendRegister(3600, Hop.NEXT, rule="failover")
    assert [type(effect) for effect in effects] == [SendRegister] * 9
    assert state.in_flight is Flight.REGISTER


def test_demanded_expiry_is_kept_for_refreshes_until_started_anew() -> None:
    state, effects = run(REGISTERING, Outcome(423, min_expires_s=7200), GRANTED, Wake())
    assert effects[0] == SendRegister(7200, Hop.SAME, rule="too brief")
    assert effects[-1] == SendRegister(7200)
    state, effects = run(state, GRANTED, Unregister(), Start(0.0), Outcome(200), Wake())
    assert effects[-1] == REGISTER


def test_demanded_expiry_rises_three_times_at_most() -> None:
    demands = [Outcome(423, min_expires_s=n) for n in (4000, 5000, 6000, 7000)]
    state, effects = run(REGISTERING, *demands)
    sent = [e.expires_s for e in effects if isinstance(e, SendRegister)]
    assert sent == [4000, 5000, 6000]
    assert effects[-1] == Publish("permanent", Flight.REGISTER)
    assert state.briefs == 0


def test_demanded_expiry_must_rise() -> None:
    _, effects = run(REGISTERING, *[Outcome(423, min_expires_s=6000)] * 2)
    assert effects[-1] == Publish("permanent", Flight.REGISTER)


@pytest.mark.parametrize(
    "outcome", [Outcome(423, min_expires_s=7200), Outcome(503, target_left=True), Outcome(408)]
)
def test_an_attempt_that_would_go_on_gives_way_to_the_operator(outcome: Outcome) -> None:
    state, effects = run(REFRESHING, Unregister(), outcome)
    assert effects[1:] == [UNREGISTER]
    assert run(state, Outcome(200))[0].status is Status.UNREGISTERED


@pytest.mark.parametrize(
    "outcome",
    [
        Outcome(401, credentials_fit=True),
        Outcome(503, target_left=True),
        Outcome(494, mechanisms=True),
    ],
)
def test_demanded_expiry_is_kept_while_the_attempt_goes_on(outcome: Outcome) -> None:
    state, effects = run(REGISTERING._replace(requested_s=7200), outcome)
    assert state.requested_s == 7200
    assert isinstance(effects[0], SendRegister)
    assert effects[0].expires_s == 7200


def test_agreement_is_rejected_for_an_instant_and_counted() -> None:
    state, effects = run(REGISTERING, Outcome(494, mechanisms=True))
    assert effects == [SendRegister(3600, Hop.SAME, agreement=True, rule="agreement")]
    assert (state.status, state.retries) == (Status.REJECTED_TEMPORARY, 1)
    assert (state.next_attempt_at, state.wake_at) == (NOW, None)


def test_second_agreement_of_an_attempt_is_a_failure() -> None:
    agreement = Outcome(494, mechanisms=True)
    challenge = Outcome(401, credentials_fit=True)
    state, effects = run(REGISTERING, agreement, challenge, agreement)
    assert effects[-1] == Publish("permanent", Flight.REGISTER)
    assert not state.agreed


def test_agreement_to_an_unregister_unregisters_again() -> None:
    state, effects = run(UNREGISTERING, Outcome(494, mechanisms=True))
    assert effects == [SendRegister(0, Hop.SAME, agreement=True, rule="agreement")]
    assert (state.status, state.retries) == (Status.REGISTERED, 0)


# -- attempts of which nothing was sent yet ---------------------------------------------------


def test_unregister_does_not_wait_for_an_attempt_that_only_waits() -> None:
    state, effects = run(REFRESHING, Unregister(unsent=True), Outcome(200))
    assert effects == [UNREGISTER, Publish("removed", Flight.UNREGISTER)]
    assert (state.status, state.wake_at) == (Status.UNREGISTERED, None)


def test_leaving_does_not_wait_for_an_attempt_that_only_waits() -> None:
    assert run(REGISTERING, Remove(unsent=True))[1] == [Drop()]
    state, effects = run(REFRESHING, Remove(unsent=True))
    assert effects == [UNREGISTER]
    assert (state.status, state.leaving) == (Status.STOPPING, True)
    _, effects = run(IDLE, Unregister(), Remove(unsent=True))
    assert effects == [UNREGISTER, Drop()]


def test_leaving_waits_for_an_unregister_of_what_is_registered() -> None:
    state, effects = run(UNREGISTERING, Remove(unsent=True))
    assert (effects, state.leaving) == ([], True)
    assert run(state, Outcome(200))[1][-1] == Drop()


@pytest.mark.parametrize("event", [Unregister(unsent=True), Remove(unsent=True)])
def test_what_leaves_is_not_told_twice(event: Event) -> None:
    if isinstance(event, Unregister):
        assert run(LEAVING, event) == (LEAVING, [])
    assert run(LEAVING, event)[1] == []


# -- lifetimes of 0 ---------------------------------------------------------------------------


def test_a_registration_that_is_granted_nothing_is_tried_again() -> None:
    nothing = Outcome(200, granted_s=0)
    state, effects = run(REFRESHING, nothing)
    assert effects == [Publish("no grant", Flight.REGISTER)]
    assert (state.status, state.wake_at, state.retries) == (Status.UNREGISTERED, NOW + 60, 1)
    policy = Policy(max_retries=1)
    state, _ = run(state, Wake(), nothing, policy=policy)
    assert (state.status, state.wake_at) == (Status.UNREGISTERED, None)


# -- connections and auth sections ------------------------------------------------------------


def test_lost_connection_registers_at_once() -> None:
    state, effects = run(REGISTERED, TransportClosed())
    assert effects == [REGISTER]
    assert state.wake_at is None


def test_lost_connection_of_many_registers_after_the_delay() -> None:
    state, effects = run(REGISTERED, TransportClosed(2.5))
    assert effects == []
    assert (state.wake_at, state.next_attempt_at) == (502.5, 502.5)


def test_lost_connection_never_puts_off_what_is_due_earlier() -> None:
    due = REGISTERED._replace(wake_at=500.5)
    assert run(due, TransportClosed(2.5))[0].wake_at == 500.5


def test_connections_lost_young_are_renewed_at_once_twice_and_then_later_and_later() -> None:
    state, waits = REGISTERED, list[float]()
    for _ in range(12):
        state, effects = react(state, TransportClosed(lived_s=119.9), POLICY, NOW)
        if state.in_flight is None:
            waits.append((state.wake_at or 0.0) - NOW)
            state, effects = react(state, Wake(), POLICY, NOW)
        else:
            waits.append(0.0)
        assert effects == (REGISTER,)
        state, _ = react(state, GRANTED, POLICY, NOW)
        state = state._replace(wake_at=None)
    assert waits == [0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60, 60]


@pytest.mark.parametrize(
    ("jitter", "retry_interval_s", "losses", "wait_s"),
    [(0.0, 60, 5, 4.0), (0.5, 60, 5, 3.0), (0.99, 60, 3, 0.505), (0.0, 0, 40, 60.0)],
)
def test_the_wait_for_a_renewal_has_jitter_and_an_end(
    jitter: float, retry_interval_s: int, losses: int, wait_s: float
) -> None:
    policy = Policy(retry_interval_s=retry_interval_s)
    assert renewal_delay_s(losses, jitter, policy) == pytest.approx(wait_s)


def test_a_connection_that_lived_ends_the_row_and_so_does_the_operator() -> None:
    often = REGISTERED._replace(young_losses=9)
    state, effects = run(often, TransportClosed(lived_s=120.0))
    assert (effects, state.young_losses) == ([REGISTER], 0)
    assert run(often, Start(0.0))[0].young_losses == 0


def test_the_row_outlives_attempts() -> None:
    often = REGISTERED._replace(young_losses=9)
    state, _ = run(often, Wake(), Outcome(401, credentials_fit=True), GRANTED)
    assert state.young_losses == 9


def test_lost_connection_during_a_refresh_registers_after_it() -> None:
    effects = run(REFRESHING, TransportClosed(), Wake(), Outcome(503))[1]
    assert effects == [Publish("temporary", Flight.REGISTER), REGISTER]


@pytest.mark.parametrize(
    "state",
    [
        IDLE,
        PERMANENT,
        State(Status.REJECTED_TEMPORARY, wake_at=560.0),
        UNREGISTERING,
        REFRESHING._replace(unregister_due=True),
        REFRESHING._replace(leaving=True),
    ],
)
def test_lost_connection_matters_only_to_who_is_registered(state: State) -> None:
    assert run(state, TransportClosed()) == (state, [])


def test_reloaded_auth_gives_the_permanently_rejected_another_chance() -> None:
    state, effects = run(PERMANENT, AuthReloaded(2.0))
    assert (state.wake_at, state.retries, effects) == (503.0, 0, [])
    assert state.status is Status.REJECTED_PERMANENT


@pytest.mark.parametrize(
    "state", [IDLE, REGISTERED, REGISTERING, State(Status.REJECTED_TEMPORARY, wake_at=560.0)]
)
def test_reloaded_auth_leaves_the_others_alone(state: State) -> None:
    assert run(state, AuthReloaded(0.0)) == (state, [])


def test_auth_reloaded_while_the_old_password_is_in_flight_is_tried() -> None:
    retrying = PERMANENT._replace(in_flight=Flight.REGISTER)
    state, _ = run(retrying, AuthReloaded(0.0), REFUSED)
    assert (state.status, state.wake_at) == (Status.REJECTED_PERMANENT, 501.0)


# -- removal ----------------------------------------------------------------------------------


def test_removed_while_registered_unregisters_first() -> None:
    state, effects = run(REGISTERED, Remove())
    assert effects == [UNREGISTER]
    assert (state.status, state.leaving, state.wake_at) == (Status.STOPPING, True, None)
    state, effects = run(state, Outcome(200))
    assert effects == [Publish("removed", Flight.UNREGISTER), Drop()]
    assert state.status is Status.STOPPED


@pytest.mark.parametrize("state", [IDLE, PERMANENT, State(Status.REJECTED_TEMPORARY, wake_at=9.0)])
def test_removed_while_not_registered_is_dropped_silently(state: State) -> None:
    after, effects = run(state, Remove())
    assert effects == [Drop()]
    assert (after.status, after.wake_at) == (Status.STOPPED, None)


def test_removed_while_registering_unregisters_what_it_got() -> None:
    state, effects = run(REGISTERING, Remove(), GRANTED)
    assert effects == [Publish("granted", Flight.REGISTER), UNREGISTER]
    assert (state.status, state.wake_at) == (Status.STOPPING, None)


def test_removed_while_registering_in_vain_is_dropped() -> None:
    state, effects = run(REGISTERING, Remove(), Outcome(503, retry_after_s=9))
    assert effects == [Publish("leaving", Flight.REGISTER), Drop()]
    assert state.wake_at is None


def test_failed_refresh_of_a_removed_one_still_unregisters() -> None:
    assert run(REFRESHING, Remove(), REFUSED)[1] == [
        Publish("leaving", Flight.REGISTER),
        UNREGISTER,
    ]


def test_leaving_ends_when_its_unregister_fails() -> None:
    effects = run(REGISTERED, Remove(), Outcome(408))[1]
    assert effects[1:] == [Publish("leaving", Flight.UNREGISTER), Drop()]


def test_leaving_answers_challenges() -> None:
    _, effects = run(REGISTERED, Remove(), Outcome(401, credentials_fit=True), Outcome(200))
    assert effects[1] == SendRegister(0, Hop.SAME, credentials=True, rule="challenge")
    assert effects[-1] == Drop()


def test_removal_cancels_a_start_that_came_in_flight() -> None:
    assert run(REGISTERING, Start(0.0), Remove())[0].wake_at is None


def test_removal_forgets_what_was_due() -> None:
    _, effects = run(REGISTERING, Unregister(), Wake(), Remove(), REFUSED)
    assert effects == [Publish("leaving", Flight.REGISTER), Drop()]


def test_what_an_earlier_run_left_is_gone_on_with_when_it_is_due() -> None:
    state, effects = run(State(), Resumed(Status.REGISTERED, 1800.0, requested_s=7200))
    assert effects == []
    assert state == State(
        Status.REGISTERED, wake_at=NOW + 1800, next_attempt_at=NOW + 1800, requested_s=7200
    )
    state, effects = run(state, Wake())
    assert effects == [SendRegister(7200)]
    assert state.status is Status.REGISTERED


def test_whoever_has_begun_does_not_look_back() -> None:
    begun, _ = run(State(), Start(0.0))
    assert run(begun, Resumed(Status.REGISTERED, 1.0)) == (begun, [])
    assert run(State(), Resumed(Status.STOPPED, None)) == (State(), [])


def test_too_many_at_a_moment_move_one_to_another() -> None:
    state, effects = run(REGISTERED, Paced(4000.5))
    assert (state.wake_at, state.next_attempt_at, effects) == (4000.5, 4000.5, [])
    assert run(REFRESHING, Paced(4000.5)) == (REFRESHING, []), "nothing is due there"
