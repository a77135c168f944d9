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
    in_vain = bool(expires_s) and (state.leaving or state.unregister_due)
    if outcome.code in (408, 503):
        if outcome.target_left and not in_vain:
            return expires_s, Hop.NEXT, False, False
    elif outcome.code == 423:
        if expires_s and not in_vain and state.briefs < 3:
            least = 3601 if outcome.min_expires_s is None else outcome.min_expires_s
            if least > ours:
                return least, Hop.SAME, False, False
    elif outcome.code == 494:
        if outcome.mechanisms and not state.agreed:
            return expires_s, Hop.SAME, False, True
    elif outcome.code in (401, 407) and outcome.credentials_fit:
        if not outcome.repeated:
            if state.answers < 4:
                return expires_s, Hop.SAME, True, False
        elif outcome.stale and state.renewals < 3:
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
        granted = asked if outcome.granted_s is None else outcome.granted_s
        if granted:
            return Status.REGISTERED, 0, refreshed(granted, policy)
    if state.leaving:
        return state.status, state.retries, None
    if success:
        if policy.retry_interval_s and (policy.forever or state.retries < policy.max_retries):
            wait_s = backed_off(policy.retry_interval_s, state.retries, policy)
            return Status.UNREGISTERED, state.retries + 1, wait_s
        return Status.UNREGISTERED, state.retries, None
    if outcome.no_network and policy.retry_interval_s:
        wait_s = policy.retry_interval_s if policy.retry_interval_s < 10 else 10
        return Status.REJECTED_TEMPORARY, state.retries, wait_s
    if outcome.retry_after_s:
        wait_s = outcome.retry_after_s if outcome.retry_after_s < 86400 else 86400
        return Status.REJECTED_TEMPORARY, state.retries, wait_s
    return failure(state.retries, outcome.code, policy)


def refreshed(granted: float, policy: Policy) -> float:
    """When a binding of so many seconds is refreshed."""
    if policy.refresh_margin_s > 10 and granted > 20:
        if policy.refresh_margin_s > granted / 2:
            return granted / 2
        return granted - policy.refresh_margin_s
    if granted > 10:
        return granted - 10
    return granted / 2 if granted > 2 else 1


def backed_off(interval_s: int, retries: int, policy: Policy) -> int:
    """How long to wait after a failure that is counted."""
    if policy.backoff and interval_s < 3600:
        for _ in range(retries):
            interval_s = interval_s * 2
            if interval_s >= 3600:
                return 3600
    return interval_s


def failure(retries: int, code: int, policy: Policy) -> tuple[Status, int, float | None]:
    """What counts as temporary, and which interval there is for what does not."""
    left = policy.forever or retries < policy.max_retries

    def again_after(interval_s: int) -> tuple[Status, int, float | None]:
        if not left:
            return Status.REJECTED_PERMANENT, retries, None
        return Status.REJECTED_TEMPORARY, retries + 1, backed_off(interval_s, retries, policy)

    if policy.retry_interval_s:
        temporary = code in (408, 500, 502, 503, 504) or code // 100 == 6
        if code in (401, 407) and not policy.auth_rejection_permanent:
            temporary = True
        if temporary:
            return again_after(policy.retry_interval_s)
    if code == 403 and policy.forbidden_retry_interval_s:
        return again_after(policy.forbidden_retry_interval_s)
    if policy.fatal_retry_interval_s:
        return again_after(policy.fatal_retry_interval_s)
    if policy.forever:
        return again_after(policy.retry_interval_s or 60)
    return Status.REJECTED_PERMANENT, retries, None


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
    for code, answers, renewals, fit, again, stale in product(
        (401, 407), (0, 3, 4), (0, 3), BOTH, BOTH, BOTH
    ):
        challenged = Outcome(
            code, credentials_fit=fit, repeated=again, stale=stale, target_left=True
        )
        yield State(answers=answers, renewals=renewals), challenged
    for briefs in (2, 3):
        yield State(briefs=briefs), Outcome(423, min_expires_s=7200)
    yield State(), Outcome(503, no_network=True)
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


def more_policies() -> Iterator[Policy]:
    """Those of what the origin does not have."""
    for retry, fatal, backoff in product((0, 4, 5000), (0, 2000), BOTH):
        yield Policy(ASKED_S, retry, 70, fatal, MAX_RETRIES, forever=not backoff, backoff=backoff)
    yield Policy(ASKED_S, max_retries=MAX_RETRIES, forever=True, backoff=True)
    for margin_s in (5, 40, 4000):
        yield Policy(ASKED_S, max_retries=MAX_RETRIES, refresh_margin_s=margin_s)


def combined(relevant: State, around: State) -> State:
    """`around` with what an outcome depends on taken from `relevant`."""
    return around._replace(
        requested_s=relevant.requested_s,
        answers=relevant.answers,
        renewals=relevant.renewals,
        briefs=relevant.briefs,
        agreed=relevant.agreed,
    )


def seen(state: State, effects: tuple[Effect, ...]) -> Result:
    sent: Requests = ()
    published = dropped = False
    for effect in effects:
        if isinstance(effect, SendRegister):
            one = (effect.expires_s, effect.hop, effect.credentials, effect.agreement)
            sent = (*sent, one)
        elif isinstance(effect, Publish):
            published = True
        elif isinstance(effect, Drop):
            dropped = True
    return Result(
        state.status,
        state.retries,
        state.wake_at,
        state.in_flight,
        state.requested_s,
        published,
        dropped,
        sent,
    )


@pytest.mark.exhaustive
def test_tables_and_plain_decisions_agree_on_every_combination() -> None:
    count = 0
    usual, every_policy = tuple(policies()), (*policies(), *more_policies())
    every_surrounding = tuple(surroundings())
    for relevant, plain in outcomes():
        for after_s in (0, 5, 99999):
            outcome = plain._replace(retry_after_s=after_s) if after_s else plain
            for around in every_surrounding:
                state = combined(relevant, around)
                for policy in usual if after_s else every_policy:
                    after, effects = react(state, outcome, policy, NOW)
                    count += 1
                    assert seen(after, effects) == expected(state, outcome, policy), (
                        state,
                        outcome,
                        policy,
                    )
    assert count > 200_000
