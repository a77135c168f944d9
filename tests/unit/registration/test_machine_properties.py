"""What holds of every registration, whatever happens to it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pjreg_cli.registration.machine import react
from pjreg_cli.registration.state import (
    AuthReloaded,
    Drop,
    Event,
    Flight,
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

SECONDS = st.integers(0, 2**32 - 1)
DELAYS = st.floats(0, 1e6)
OUTCOMES = st.builds(
    Outcome,
    code=st.sampled_from([200, 202, 301, 401, 403, 404, 407, 408, 423, 494, 500, 503, 600])
    | st.integers(200, 699),
    granted_s=st.none() | SECONDS,
    retry_after_s=SECONDS | st.just(0),
    min_expires_s=st.none() | SECONDS,
    credentials_fit=st.booleans(),
    repeated=st.booleans(),
    no_network=st.booleans(),
    stale=st.booleans(),
    target_left=st.booleans(),
    mechanisms=st.booleans(),
)
COMMANDS: st.SearchStrategy[Event] = st.one_of(
    st.builds(Start, DELAYS, st.just(0.0) | DELAYS),
    st.just(Wake()),
    st.builds(Unregister, st.booleans()),
    st.builds(TransportClosed, DELAYS | st.just(0.0), DELAYS, st.floats(0, 1, exclude_max=True)),
    st.builds(AuthReloaded, DELAYS),
    st.builds(Paced, DELAYS),
    st.builds(
        Resumed,
        st.sampled_from(Status),
        st.none() | DELAYS,
        st.integers(0, 4),
        st.none() | st.integers(1, 2**32 - 1),
    ).filter(
        lambda left: (
            left.due_s is not None
            or left.status not in (Status.REGISTERED, Status.REJECTED_TEMPORARY)
        )
    ),
)
EVENTS: st.SearchStrategy[Event] = OUTCOMES | COMMANDS | st.builds(Remove, st.booleans())
POLICIES = st.builds(
    Policy,
    expiration_s=st.integers(1, 2**32 - 1),
    retry_interval_s=SECONDS | st.just(0),
    forbidden_retry_interval_s=SECONDS | st.just(0),
    fatal_retry_interval_s=SECONDS | st.just(0),
    max_retries=st.integers(0, 4),
    forever=st.booleans(),
    auth_rejection_permanent=st.booleans(),
    backoff=st.booleans(),
    refresh_margin_s=SECONDS,
    shared=st.booleans(),
)
HISTORIES = st.lists(EVENTS, max_size=30)


def lived(events: list[Event], policy: Policy) -> State:
    """The state after `events`, a second apart."""
    state = State()
    for second, event in enumerate(events):
        state, _ = react(state, event, policy, float(second))
    return state


@given(HISTORIES, POLICIES)
def test_who_is_rejected_temporarily_has_a_wake_or_a_request_in_flight(
    events: list[Event], policy: Policy
) -> None:
    state = State()
    for second, event in enumerate(events):
        state, _ = react(state, event, policy, float(second))
        if state.status is Status.REJECTED_TEMPORARY:
            assert state.wake_at is not None or state.in_flight is not None


@given(HISTORIES, POLICIES)
def test_who_is_registered_has_a_wake_or_a_request_in_flight(
    events: list[Event], policy: Policy
) -> None:
    state = lived(events, policy)
    if state.status is Status.REGISTERED:
        assert state.wake_at is not None or state.in_flight is not None


@given(HISTORIES, EVENTS, POLICIES)
def test_nothing_is_sent_while_a_request_is_in_flight(
    events: list[Event], event: Event, policy: Policy
) -> None:
    before = lived(events, policy)
    after, effects = react(before, event, policy, 100.0)
    sent = [effect for effect in effects if isinstance(effect, SendRegister)]
    assert len(sent) <= 1
    only_waited = isinstance(event, Unregister | Remove) and event.unsent
    if sent:
        assert before.in_flight is None or isinstance(event, Outcome) or only_waited
        assert after.in_flight is (Flight.REGISTER if sent[0].expires_s else Flight.UNREGISTER)
    if any(isinstance(effect, Drop) for effect in effects):
        assert after.in_flight is None
    if before.in_flight is not None and not isinstance(event, Outcome) and not only_waited:
        assert after.in_flight is before.in_flight


@given(HISTORIES, EVENTS, POLICIES)
def test_a_request_in_flight_ends_only_published(
    events: list[Event], event: Event, policy: Policy
) -> None:
    before = lived(events, policy)
    _, effects = react(before, event, policy, 100.0)
    published = [effect for effect in effects if isinstance(effect, Publish)]
    assert len(published) <= 1
    if published:
        assert isinstance(event, Outcome)
        assert effects[0] is published[0]
        assert published[0].flight is before.in_flight


@given(HISTORIES, POLICIES, st.lists(OUTCOMES, max_size=12))
def test_leaving_ends_with_a_drop_once_outcomes_arrive(
    events: list[Event], policy: Policy, outcomes: list[Outcome]
) -> None:
    state, effects = react(lived(events, policy), Remove(), policy, 100.0)
    final = [Outcome(404)] * 3
    for outcome in (*outcomes, *final):
        if Drop() in effects:
            break
        assert state.in_flight is not None
        state, effects = react(state, outcome, policy, 101.0)
    assert Drop() in effects
    assert (state.status, state.in_flight, state.wake_at) == (Status.STOPPED, None, None)


@given(HISTORIES, POLICIES, st.lists(COMMANDS, max_size=5))
def test_what_was_dropped_stays_dropped(
    events: list[Event], policy: Policy, later: list[Event]
) -> None:
    state = State(Status.STOPPED)
    for event in (*events, *later):
        state, effects = react(state, event, policy, 5.0)
        assert state.status is Status.STOPPED
        assert not any(isinstance(effect, SendRegister) for effect in effects)


@given(HISTORIES, POLICIES)
def test_retries_stay_within_reach(events: list[Event], policy: Policy) -> None:
    state = State()
    agreements = 0
    for second, event in enumerate(events):
        agreements += isinstance(event, Outcome) and event.code == 494
        state, _ = react(state, event, policy, float(second))
        assert state.retries >= 0
        assert policy.forever or state.retries <= policy.max_retries + agreements


@given(HISTORIES, POLICIES)
def test_operator_who_unregisters_last_is_not_registered_again(
    events: list[Event], policy: Policy
) -> None:
    state, effects = react(lived(events, policy), Unregister(), policy, 100.0)
    while state.in_flight is not None:
        state, effects = react(state, Outcome(403), policy, 101.0)
        assert not any(isinstance(e, SendRegister) and e.expires_s for e in effects)
    assert state.wake_at is None
