"""`react`: the only way the state of a registration changes."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple, assert_never

from pjreg_cli.registration.policy import Case, Resend, continuing, settling
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

#: every initial delay is this long at least
START_DELAY_S = 1.0
#: a connection lost earlier than this was lost young, in seconds (RFC 5626 section 4.5)
YOUNG_S = 120.0
#: so many of them in a row are renewed at once
RENEWED_AT_ONCE = 2
#: the longest wait for a renewal where there is no retry_interval, in seconds
LONGEST_RENEWAL_S = 60.0

Step = tuple[State, tuple[Effect, ...]]

_NOTHING: tuple[Effect, ...] = ()
_DROP: tuple[Effect, ...] = (Drop(),)
_UNREGISTER = SendRegister(0)

_new = tuple.__new__  # (`_make` and keywords take two and three times as long)


def react(state: State, event: Event, policy: Policy, now: float) -> Step:
    """The state after `event` and what is to be done, in this order.

    Defined for every event in every state; raises nothing.  `now` and all instants are seconds of
    one clock.  The caller keeps its timer equal to `wake_at` after every step.
    """
    match event:
        case Outcome():
            return _outcome(state, event, policy, now)
        case Wake():
            return _wake(state, policy)
        case Paced():
            return _paced(state, event.at), _NOTHING
        case Start():
            return _start(state, event.jitter_s, now, event.waited_s), _NOTHING
        case Unregister():
            return _unregister(_given_up(state) if event.unsent else state)
        case TransportClosed():
            return _transport_closed(state, event, policy, now)
        case AuthReloaded():
            return _auth_reloaded(state, event.jitter_s, now), _NOTHING
        case Remove():
            return _remove(_given_up(state) if event.unsent else state)
        case Resumed():
            return _resumed(state, event, policy, now), _NOTHING
    assert_never(event)


# -- requests and wakes -----------------------------------------------------------------------


def _ending(state: State) -> bool:
    return state.leaving or state.status in (Status.STOPPING, Status.STOPPED)


def _register(state: State, policy: Policy) -> Step:
    """Begin an attempt to register; nothing is in flight."""
    requested_s = state.requested_s
    begun = _begun(requested_s, state.young_losses)
    expires_s = policy.expiration_s if requested_s is None else requested_s
    after = _new(State, (*state[:2], None, state.next_attempt_at, *begun))
    return after, _registering(expires_s)


# the same for nearly all of a fleet
@lru_cache(maxsize=256)
def _begun(requested_s: int | None, young_losses: int) -> tuple[Any, ...]:
    """The fields behind the instants of a state whose attempt to register has just begun."""
    begun = State(in_flight=Flight.REGISTER, requested_s=requested_s, young_losses=young_losses)
    return begun[4:]


@lru_cache(maxsize=256)
def _registering(expires_s: int) -> tuple[Effect, ...]:
    return (SendRegister(expires_s),)


def _leave(state: State, status: Status, leaving: bool) -> Step:
    """Begin an attempt to unregister; nothing is in flight."""
    begun = State(
        status=status,
        retries=state.retries,
        next_attempt_at=state.next_attempt_at,
        in_flight=Flight.UNREGISTER,
        leaving=leaving,
        requested_s=state.requested_s,
        young_losses=state.young_losses,
    )
    return begun, (_UNREGISTER,)


def _wake(state: State, policy: Policy) -> Step:
    if _ending(state):
        return (state if state.wake_at is None else state._replace(wake_at=None)), _NOTHING
    if state.in_flight is not None:
        return state._replace(wake_at=None, register_due=True), _NOTHING
    return _register(state, policy)


def _start(state: State, jitter_s: float, now: float, waited_s: float = 0.0) -> State:
    """Count anew, forget what a registrar made us ask for, register after the initial delay."""
    if _ending(state):
        return state
    at = now + max(jitter_s + START_DELAY_S - waited_s, 0.0)
    return State(
        status=state.status,
        wake_at=at,
        next_attempt_at=at,
        in_flight=state.in_flight,
        leaving=state.leaving,
        answers=state.answers,
        renewals=state.renewals,
        briefs=state.briefs,
        agreed=state.agreed,
        refused=state.refused,
        unregister_due=state.unregister_due,
    )


def _given_up(state: State) -> State:
    """The state without an attempt of which nothing was sent, so that what ends it need not wait
    for it; an unregister of what is registered is worth waiting for."""
    farewell = state.in_flight is Flight.UNREGISTER and state.status is Status.REGISTERED
    return state if farewell or _ending(state) else state._replace(in_flight=None)


def _unregister(state: State) -> Step:
    if _ending(state):
        return state, _NOTHING
    if state.in_flight is None:
        return _leave(state, state.status, leaving=False)
    # an unregister in flight needs no second one
    due = state.in_flight is Flight.REGISTER
    return state._replace(wake_at=None, register_due=False, unregister_due=due), _NOTHING


def _transport_closed(state: State, closed: TransportClosed, policy: Policy, now: float) -> Step:
    unwanted = state.in_flight is Flight.UNREGISTER or state.unregister_due
    if state.status is not Status.REGISTERED or state.leaving or unwanted:
        return state, _NOTHING
    losses = state.young_losses + 1 if closed.lived_s < YOUNG_S else 0
    delay_s = max(closed.delay_s, renewal_delay_s(losses, closed.jitter, policy))
    state = state._replace(young_losses=losses)
    if state.in_flight is None and delay_s <= 0:
        return _register(state, policy)
    at = now + delay_s
    if state.wake_at is not None:
        at = min(at, state.wake_at)
    return state._replace(wake_at=at, next_attempt_at=at), _NOTHING


def renewal_delay_s(losses: int, jitter: float, policy: Policy) -> float:
    """How long to wait after so many connections in a row that were lost young, in seconds: not at
    all twice, then at most 1, 2, 4 ... up to retry_interval, half of it at least (RFC 5626 section
    4.5)."""
    # origin: never waits, and asks a registrar that closes after every answer without end
    if losses <= RENEWED_AT_ONCE:
        return 0.0
    longest_s = policy.retry_interval_s or LONGEST_RENEWAL_S
    doubled = min(losses - RENEWED_AT_ONCE - 1, 31)
    return min(float(2**doubled), float(longest_s)) * (1 - jitter / 2)


def _paced(state: State, at: float) -> State:
    return state if state.wake_at is None else _new(State, (*state[:2], at, at, *state[4:]))


def _auth_reloaded(state: State, jitter_s: float, now: float) -> State:
    # nobody asked to have a binding back whose unregister was refused
    if state.status is not Status.REJECTED_PERMANENT or state.refused:
        return state
    return _start(state, jitter_s, now)


def _remove(state: State) -> Step:
    if state.in_flight is not None:
        # what is due meanwhile does not matter any more
        leaving = state._replace(wake_at=None, leaving=True)
        return leaving, _NOTHING
    if state.status is Status.REGISTERED:
        return _leave(state, Status.STOPPING, leaving=True)
    return state._replace(status=Status.STOPPED, wake_at=None), _DROP


def _resumed(state: State, left: Resumed, policy: Policy, now: float) -> State:
    # whoever has done anything of its own already goes on with that
    if state != State() or left.status in (Status.STOPPING, Status.STOPPED):
        return state
    at = None if left.due_s is None else now + max(left.due_s, 0.0)
    if at is None and left.status in (Status.REGISTERED, Status.REJECTED_TEMPORARY):
        at = now
    return State(
        status=left.status,
        retries=min(left.retries, policy.max_retries),
        wake_at=at,
        next_attempt_at=at,
        requested_s=left.requested_s,
    )


# -- outcomes ---------------------------------------------------------------------------------


class _Decision(NamedTuple):
    """What an outcome leads to, instants apart."""

    head: tuple[Status, int]
    """The first fields of the state after it: status and retries."""
    tail: tuple[object, ...]
    """Its fields behind the instants."""
    effects: tuple[Effect, ...]
    resends: bool
    """The attempt goes on; else it has ended."""
    counted: bool
    """It goes on as a failure that counts."""
    wait_s: float | None
    """Seconds from its end to the next attempt; None: there is none."""


def _outcome(state: State, outcome: Outcome, policy: Policy, now: float) -> Step:
    if state.in_flight is None:
        return state, _NOTHING
    decision = _decided(state[:2] + state[4:], outcome, policy)
    head, tail, effects, resends, counted, wait_s = decision
    wake_at, next_attempt_at = state.wake_at, state.next_attempt_at
    if resends:
        at = now if counted else next_attempt_at
        return _new(State, (*head, wake_at, at, *tail)), effects
    if wake_at is None and wait_s is not None:
        # a wake that was set meanwhile is a Start's and outlives the outcome
        wake_at = next_attempt_at = now + wait_s
    settled = _new(State, (*head, wake_at, next_attempt_at, *tail))
    if state.leaving or state.unregister_due or state.register_due:
        return _what_came_due(state, settled, policy, effects)
    return settled, effects


# nearly all of a fleet is in a few states, and hears the same: what the tables say of it is looked
# up, and none of their conditions asks for an instant
@lru_cache(maxsize=2048)
def _decided(lasting: tuple[Any, ...], outcome: Outcome, policy: Policy) -> _Decision:
    """What the tables say; `lasting` are the fields of a state without its instants."""
    state = State._make((*lasting[:2], None, None, *lasting[2:]))
    case = Case(state, outcome, policy)
    row = continuing(case)
    return _settled(case) if row is None else _resent(case, row)


def _resent(case: Case, row: Resend) -> _Decision:
    """Go on with the attempt by sending another request."""
    state, request = case.state, row.request(case)
    retries = row.retries(state.retries)
    learned = request.expires_s not in (0, case.asked_s)
    next_target = request.hop is Hop.NEXT
    renewed = request.credentials and case.outcome.repeated
    resent = State(
        status=row.status or state.status,
        retries=retries,
        in_flight=state.in_flight,
        leaving=state.leaving,
        requested_s=request.expires_s if learned else state.requested_s,
        answers=state.answers + (not renewed) if request.credentials else 0,
        # the next target has nonces of its own
        renewals=0 if next_target else state.renewals + renewed,
        briefs=state.briefs + (request.rule == "too brief"),
        agreed=state.agreed or request.agreement,
        young_losses=state.young_losses,
        unregister_due=state.unregister_due,
        register_due=state.register_due,
    )
    counted = retries != state.retries
    return _Decision(resent[:2], resent[4:], (request,), True, counted, None)


def _settled(case: Case) -> _Decision:
    """End the attempt."""
    state, rule = case.state, settling(case)
    settled = State(
        status=rule.status or state.status,
        retries=rule.retries(state.retries),
        leaving=state.leaving,
        requested_s=state.requested_s,
        refused=rule.name == "refused",
        young_losses=state.young_losses,
    )
    flight = state.in_flight or Flight.REGISTER
    published = Publish(rule.name, flight)
    return _Decision(settled[:2], settled[4:], (published,), False, False, rule.wait(case))


def _what_came_due(
    state: State, settled: State, policy: Policy, published: tuple[Effect, ...]
) -> Step:
    """Do what came due while the attempt was under way that has just `settled`."""
    if state.leaving:
        ended, effects = _remove(settled)
    elif state.unregister_due:
        ended, effects = _leave(settled, settled.status, leaving=False)
        ended = ended._replace(wake_at=state.wake_at, register_due=state.register_due)
    else:
        ended, effects = _register(settled, policy)
        ended = ended._replace(wake_at=state.wake_at)
    return ended, (*published, *effects)
