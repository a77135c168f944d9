"""The policy a second time, as plain decisions, compared with the tables over all combinations."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

import pytest

from pjreg_cli.registration.machine import react
from pjreg_cli.registration.state import (
    Drop,
    Effect,
    Flight,
    Hop,
    Outcome,
    Policy,
    Publish,
    SendRegister,
    State,
    Status,
)

NOW = 1000.0
STARTED_FOR = 1001.0
"""The wake of a Start that came while the request was in flight."""
MAX_RETRIES = 2
ASKED_S = 3600

Requests = tuple[tuple[int, Hop, bool, bool], ...]


class Result(NamedTuple):
    """What became of an outcome, as seen from outside."""

    status: Status
    retries: int
    wake_at: float | None
    in_flight: Flight | None
    requested_s: int | None
    published: bool
    dropped: bool
    sent: Requests


# -- the second statement ---------------------------------------------------------------------


def expected(state: State, outcome: Outcome, policy: Policy) -> Result:
    """What was observed of the origin, and where we differ on purpose."""
    request = next_request(state, outcome, policy)
    if request is not None:
        status, retries, requested_s = state.status, state.retries, state.requested_s
        registering = state.in_flight is Flight.REGISTER
        if outcome.code == 494 and registering and not state.leaving:
            status, retries = Status.REJECTED_TEMPORARY, retries + 1
        if outcome.code == 423:
            requested_s = request[0]
        return Result(
            status, retries, state.wake_at, state.in_flight, requested_s, False, False, (request,)
        )
    return after_the_last(state, outcome, policy)


def next_request(
    state: State, outcome: Outcome, policy: Policy
) -> tuple[int, Hop, bool, bool] | None:
    """The request with which the attempt goes on at once: expiry, where, credentials, agreement."""
    ours = policy.expiration_s if state.requested_s is None else state.requested_s
    expires_s = ours if state.in_flight is Flight.REGISTER else 0
    if outcome.code in (408, 503):
        if outcome.target_left:
            return expires_s, Hop.NEXT, False, False
    elif outcome.code == 423:
        if expires_s:
            least = 3601 if outcome.min_expires_s is None else outcome.min_expires_s
            if least > ours:
                return least, Hop.SAME, False, False
    elif outcome.code == 494:
        if outcome.mechanisms and not state.agreed:
            return expires_s, Hop.SAME, False, True
    elif outcome.code in (401, 407) and outcome.credentials_fit:
        if not state.answered:
            return expires_s, Hop.SAME, True, False
        if outcome.stale and not state.renewed:
            return expires_s, Hop.SAME, True, False
    return None


def verdict(state: State, outcome: Outcome, policy: Policy) -> tuple[Status, int, float | None]:
    """Status, retries and seconds to the next attempt after an outcome that ends the attempt."""
    success = outcome.code // 100 == 2
    if state.in_flight is Flight.UNREGISTER:
        if success:
            return Status.UNREGISTERED, state.retries, None
        if state.leaving:
            return state.status, state.retries, None
        return Status.REJECTED_PERMANENT, state.retries, None
    if success:
        asked = policy.expiration_s if state.requested_s is None else state.requested_s
        granted = outcome.granted_s if outcome.granted_s else asked
        if granted > 10:
            return Status.REGISTERED, 0, granted - 10
        return Status.REGISTERED, 0, granted / 2 if granted > 2 else 1
    if state.leaving:
        return state.status, state.retries, None
    if outcome.retry_after_s:
        return Status.REJECTED_TEMPORARY, state.retries, outcome.retry_after_s
    return failure(state.retries, outcome.code, policy)


def failure(retries: int, code: int, policy: Policy) -> tuple[Status, int, float | None]:
    """What follows an outcome, as observed of the origin."""
    hopeless = (Status.REJECTED_PERMANENT, retries, None)
    left = retries < policy.max_retries
    if policy.retry_interval_s:
        temporary = code in (408, 500, 502, 503, 504) or code // 100 == 6
        if code in (401, 407) and not policy.auth_rejection_permanent:
            temporary = True
        if temporary:
            if not left:
                return hopeless
            return Status.REJECTED_TEMPORARY, retries + 1, policy.retry_interval_s
    if not left:
        return hopeless
    if code == 403 and policy.forbidden_retry_interval_s:
        return Status.REJECTED_TEMPORARY, retries + 1, policy.forbidden_retry_interval_s
    if policy.fatal_retry_interval_s:
        return Status.REJECTED_TEMPORARY, retries + 1, policy.fatal_retry_interval_s
    return hopeless


def after_the_last(state: State, outcome: Outcome, policy: Policy) -> Result:
    """The attempt has ended; what came due is sent."""
    status, retries, wait_s = verdict(state, outcome, policy)
    wake_at = state.wake_at
    if wake_at is None and wait_s is not None:
        wake_at = NOW + wait_s
    unregister = (0, Hop.FIRST, False, False)
    in_flight, sent, dropped = None, (), False
    requests: Requests = sent
    if state.leaving:
        wake_at = None
        if status is Status.REGISTERED:
            status, in_flight, requests = Status.STOPPING, Flight.UNREGISTER, (unregister,)
        else:
            status, dropped = Status.STOPPED, True
    elif state.unregister_due:
        wake_at, in_flight, requests = state.wake_at, Flight.UNREGISTER, (unregister,)
    elif state.register_due:
        asked = policy.expiration_s if state.requested_s is None else state.requested_s
        wake_at, in_flight = state.wake_at, Flight.REGISTER
        requests = ((asked, Hop.FIRST, False, False),)
    return Result(status, retries, wake_at, in_flight, state.requested_s, True, dropped, requests)


# -- the combinations -------------------------------------------------------------------------

BOTH = (False, True)
CODES = (301, 400, 403, 404, 408, 480, 487, 500, 501, 502, 503, 504, 505, 600, 603)


def outcomes() -> Iterator[tuple[State, Outcome]]:
    """Every outcome with what it depends on in the state."""
    for code, left in product(CODES, BOTH):
        yield State(), Outcome(code, target_left=left)
    for code, requested_s in product((200, 202, 299), (None, 7200)):
        for granted_s in (None, 0, 1, 2, 5, 10, 11, 3600):
            yield State(requested_s=requested_s), Outcome(code, granted_s=granted_s)
    for code, answered, renewed, fit, stale in product((401, 407), BOTH, BOTH, BOTH, BOTH):
        challenged = Outcome(code, credentials_fit=fit, stale=stale, target_left=True)
        yield State(answered=answered, renewed=renewed), challenged
    for requested_s, least_s in product((None, 60, 3601, 7200), (None, 60, 3601, 7200, 7201)):
        yield State(requested_s=requested_s), Outcome(423, min_expires_s=least_s)
    for agreed, mechanisms in product(BOTH, BOTH):
        yield State(agreed=agreed), Outcome(494, mechanisms=mechanisms)


def surroundings() -> Iterator[State]:
    """What else may be the case while a request is in flight."""
    for flight, status in product(Flight, (Status.REGISTERED, Status.REJECTED_TEMPORARY)):
        for retries in (MAX_RETRIES - 1, MAX_RETRIES):
            yield State(status, retries, in_flight=flight, leaving=True)
            for register_due, unregister_due, wake in product(BOTH, BOTH, (None, STARTED_FOR)):
                if unregister_due and flight is Flight.UNREGISTER:
                    continue
                yield State(
                    status,
                    retries,
                    wake_at=wake,
                    in_flight=flight,
                    register_due=register_due,
                    unregister_due=unregister_due,
                )


def policies() -> Iterator[Policy]:
    for retry, forbidden, fatal, permanent in product((0, 60), (0, 70), (0, 80), BOTH):
        yield Policy(ASKED_S, retry, forbidden, fatal, MAX_RETRIES, permanent)


def combined(relevant: State, around: State) -> State:
    """`around` with what an outcome depends on taken from `relevant`."""
    return State(
        around.status,
        around.retries,
        around.wake_at,
        None,
        around.in_flight,
        around.leaving,
        relevant.requested_s,
        relevant.answered,
        relevant.renewed,
        relevant.agreed,
        False,
        around.unregister_due,
        around.register_due,
    )


def seen(state: State, effects: tuple[Effect, ...]) -> Result:
    sent = tuple(
        (e.expires_s, e.hop, e.credentials, e.agreement) for e in effects if type(e) is SendRegister
    )
    return Result(
        state.status,
        state.retries,
        state.wake_at,
        state.in_flight,
        state.requested_s,
        any(type(e) is Publish for e in effects),
        any(type(e) is Drop for e in effects),
        sent,
    )


@pytest.mark.exhaustive
def test_tables_and_plain_decisions_agree_on_every_combination() -> None:
    count = 0
    every_policy = tuple(policies())
    every_surrounding = tuple(surroundings())
    for relevant, plain in outcomes():
        for after_s in (0, 5):
            outcome = plain
            if after_s:
                outcome = Outcome(
                    plain.code,
                    plain.cause,
                    plain.granted_s,
                    after_s,
                    plain.min_expires_s,
                    plain.credentials_fit,
                    plain.stale,
                    plain.target_left,
                    plain.mechanisms,
                )
            for around in every_surrounding:
                state = combined(relevant, around)
                for policy in every_policy:
                    after, effects = react(state, outcome, policy, NOW)
                    count += 1
                    assert seen(after, effects) == expected(state, outcome, policy), (
                        state,
                        outcome,
                        policy,
                    )
    assert count > 200_000
