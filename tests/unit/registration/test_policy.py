"""One case per rule, and the page made of them."""

from __future__ import annotations

from collections import Counter
from itertools import product
from pathlib import Path

import pytest

from pjreg_cli.registration.page import document
from pjreg_cli.registration.policy import (
    CONTINUE,
    SETTLE,
    Case,
    continuing,
    settling,
)
from pjreg_cli.registration.state import Flight, Hop, Outcome, Policy, SendRegister, State, Status
from tests.support.golden import Golden

REGISTERING = State(in_flight=Flight.REGISTER, retries=1)
LEAVING = State(in_flight=Flight.REGISTER, leaving=True, status=Status.REGISTERED)
UNREGISTERING = State(in_flight=Flight.UNREGISTER, status=Status.REGISTERED, retries=1)
ANSWERED = State(in_flight=Flight.REGISTER, answers=1)
RENEWED = State(in_flight=Flight.REGISTER, answers=1, renewals=2)
DUE = State(in_flight=Flight.REGISTER, unregister_due=True)
BRIEF = State(in_flight=Flight.REGISTER, requested_s=7200, briefs=2)
POLICY = Policy(max_retries=2)

CONTINUED = [
    ("failover", REGISTERING, Outcome(503, target_left=True), SendRegister(3600, Hop.NEXT)),
    ("failover", UNREGISTERING, Outcome(408, target_left=True), SendRegister(0, Hop.NEXT)),
    ("too brief", REGISTERING, Outcome(423, min_expires_s=7200), SendRegister(7200, Hop.SAME)),
    ("too brief", REGISTERING, Outcome(423), SendRegister(3601, Hop.SAME)),
    (
        "agreement",
        REGISTERING,
        Outcome(494, mechanisms=True),
        SendRegister(3600, Hop.SAME, agreement=True),
    ),
    (
        "farewell",
        UNREGISTERING,
        Outcome(494, mechanisms=True),
        SendRegister(0, Hop.SAME, agreement=True),
    ),
    (
        "challenge",
        REGISTERING,
        Outcome(407, credentials_fit=True),
        SendRegister(3600, Hop.SAME, credentials=True),
    ),
    (
        "challenge",
        RENEWED,
        Outcome(401, credentials_fit=True, repeated=True, stale=True),
        SendRegister(3600, Hop.SAME, credentials=True),
    ),
    (
        "challenge",
        State(in_flight=Flight.REGISTER, answers=3),
        Outcome(401, credentials_fit=True),
        SendRegister(3600, Hop.SAME, credentials=True),
    ),
    (
        "challenge",
        DUE,
        Outcome(401, credentials_fit=True),
        SendRegister(3600, Hop.SAME, credentials=True),
    ),
    ("too brief", BRIEF, Outcome(423, min_expires_s=7201), SendRegister(7201, Hop.SAME)),
]


@pytest.mark.parametrize(("name", "state", "outcome", "request_"), CONTINUED)
def test_attempt_goes_on_by_the_rule(
    name: str, state: State, outcome: Outcome, request_: SendRegister
) -> None:
    case = Case(state, outcome, POLICY)
    row = continuing(case)
    assert row is not None
    assert row.name == name
    sent = row.request(case)
    assert (sent.expires_s, sent.hop) == (request_.expires_s, request_.hop)
    assert (sent.credentials, sent.agreement) == (request_.credentials, request_.agreement)
    assert sent.rule


@pytest.mark.parametrize(
    ("state", "outcome"),
    [
        (REGISTERING, Outcome(503)),
        (REGISTERING, Outcome(500, target_left=True)),
        (REGISTERING, Outcome(423, min_expires_s=3600)),
        (State(in_flight=Flight.REGISTER, requested_s=3601), Outcome(423)),
        (UNREGISTERING, Outcome(423, min_expires_s=7200)),
        (REGISTERING, Outcome(494)),
        (State(in_flight=Flight.REGISTER, agreed=True), Outcome(494, mechanisms=True)),
        (REGISTERING, Outcome(401)),
        (REGISTERING, Outcome(403, credentials_fit=True)),
        (ANSWERED, Outcome(401, credentials_fit=True, repeated=True)),
        (
            RENEWED._replace(renewals=3),
            Outcome(401, credentials_fit=True, repeated=True, stale=True),
        ),
        (ANSWERED._replace(answers=4), Outcome(407, credentials_fit=True)),
        (BRIEF._replace(briefs=3), Outcome(423, min_expires_s=9000)),
        (DUE, Outcome(423, min_expires_s=7200)),
        (DUE, Outcome(503, target_left=True)),
        (LEAVING, Outcome(423, min_expires_s=7200)),
        (LEAVING, Outcome(408, target_left=True)),
    ],
)
def test_attempt_ends_where_no_rule_goes_on(state: State, outcome: Outcome) -> None:
    assert continuing(Case(state, outcome, POLICY)) is None


EXHAUSTED = State(in_flight=Flight.REGISTER, retries=2)
INTERVALS = Policy(
    max_retries=2, forbidden_retry_interval_s=30, fatal_retry_interval_s=90, retry_interval_s=60
)
LENIENT = Policy(auth_rejection_permanent=False)
FATAL_ONLY = Policy(retry_interval_s=0, fatal_retry_interval_s=90)
FINAL = Policy(retry_interval_s=0)
FOREVER = Policy(max_retries=0, forever=True)
FOREVER_FINAL = Policy(retry_interval_s=0, max_retries=0, forever=True)
BACKOFF = Policy(
    retry_interval_s=60,
    forbidden_retry_interval_s=100,
    fatal_retry_interval_s=5000,
    backoff=True,
)
BACKOFF_FOREVER = Policy(retry_interval_s=60, backoff=True, forever=True)
EARLY = Policy(refresh_margin_s=40)


def failed(retries: int) -> State:
    return State(in_flight=Flight.REGISTER, retries=retries)


TEMPORARY, PERMANENT = Status.REJECTED_TEMPORARY, Status.REJECTED_PERMANENT
UNREGISTERED = Status.UNREGISTERED
RETRY_FOR_AGES = Outcome(503, retry_after_s=4294967295)
SETTLED = [
    ("granted", REGISTERING, Outcome(200, granted_s=3600), POLICY, Status.REGISTERED, 0, 3590),
    ("granted", REGISTERING, Outcome(202, granted_s=11), POLICY, Status.REGISTERED, 0, 1),
    ("granted", REGISTERING, Outcome(200, granted_s=10), POLICY, Status.REGISTERED, 0, 5),
    ("granted", REGISTERING, Outcome(200, granted_s=1), POLICY, Status.REGISTERED, 0, 1),
    ("granted", LEAVING, Outcome(200, granted_s=60), POLICY, Status.REGISTERED, 0, 50),
    ("granted", REGISTERING, Outcome(200, granted_s=3600), EARLY, Status.REGISTERED, 0, 3560),
    ("granted", REGISTERING, Outcome(200, granted_s=60), EARLY, Status.REGISTERED, 0, 30),
    ("granted", REGISTERING, Outcome(200, granted_s=12), EARLY, Status.REGISTERED, 0, 2),
    ("granted", REGISTERING, Outcome(200, granted_s=10), EARLY, Status.REGISTERED, 0, 5),
    ("granted", REGISTERING, Outcome(200), POLICY, Status.REGISTERED, 0, 3590),
    ("no grant", REGISTERING, Outcome(200, granted_s=0), POLICY, UNREGISTERED, 2, 60),
    ("no grant", failed(3), Outcome(200, granted_s=0), BACKOFF, UNREGISTERED, 4, 480),
    ("in vain", EXHAUSTED, Outcome(200, granted_s=0), POLICY, UNREGISTERED, 2, None),
    ("in vain", REGISTERING, Outcome(200, granted_s=0), FINAL, UNREGISTERED, 1, None),
    ("leaving", LEAVING, Outcome(200, granted_s=0), POLICY, None, 0, None),
    ("no network", EXHAUSTED, Outcome(503, no_network=True), POLICY, TEMPORARY, 2, 10),
    ("no network", failed(9), Outcome(503, no_network=True), Policy(3600, 4), TEMPORARY, 9, 4),
    ("permanent", failed(0), Outcome(503, no_network=True), FINAL, PERMANENT, 0, None),
    ("day at most", EXHAUSTED, RETRY_FOR_AGES, POLICY, TEMPORARY, 2, 86400),
    (
        "retry after",
        EXHAUSTED,
        Outcome(404, retry_after_s=86400),
        POLICY,
        TEMPORARY,
        2,
        86400,
    ),
    ("temporary", failed(99), Outcome(503), FOREVER, TEMPORARY, 100, 60),
    ("forever", failed(99), Outcome(401), FOREVER, TEMPORARY, 100, 60),
    ("forever", failed(99), Outcome(404), FOREVER, TEMPORARY, 100, 60),
    ("forever", failed(99), Outcome(503), FOREVER_FINAL, TEMPORARY, 100, 60),
    ("refused", UNREGISTERING, Outcome(503), FOREVER, PERMANENT, 1, None),
    ("temporary", failed(0), Outcome(503), BACKOFF, TEMPORARY, 1, 60),
    ("temporary", failed(1), Outcome(503), BACKOFF, TEMPORARY, 2, 120),
    ("temporary", failed(5), Outcome(503), BACKOFF, TEMPORARY, 6, 1920),
    ("temporary", failed(6), Outcome(503), BACKOFF, TEMPORARY, 7, 3600),
    ("forever", failed(9999), Outcome(401), BACKOFF_FOREVER, TEMPORARY, 10000, 3600),
    ("forbidden", failed(1), Outcome(403), BACKOFF, TEMPORARY, 2, 200),
    ("fatal", failed(1), Outcome(404), BACKOFF, TEMPORARY, 2, 5000),
    ("removed", UNREGISTERING, Outcome(200, granted_s=60), POLICY, Status.UNREGISTERED, 1, None),
    ("leaving", LEAVING, Outcome(503, retry_after_s=9), POLICY, None, 0, None),
    ("refused", UNREGISTERING, Outcome(503, retry_after_s=9), POLICY, PERMANENT, 1, None),
    ("retry after", EXHAUSTED, Outcome(404, retry_after_s=9), POLICY, TEMPORARY, 2, 9),
    ("exhausted", EXHAUSTED, Outcome(503), INTERVALS, PERMANENT, 2, None),
    ("temporary", REGISTERING, Outcome(503), INTERVALS, TEMPORARY, 2, 60),
    ("temporary", ANSWERED, Outcome(401), LENIENT, TEMPORARY, 1, 60),
    ("forbidden", REGISTERING, Outcome(403), INTERVALS, TEMPORARY, 2, 30),
    ("fatal", REGISTERING, Outcome(404), INTERVALS, TEMPORARY, 2, 90),
    ("fatal", REGISTERING, Outcome(503), FATAL_ONLY, TEMPORARY, 2, 90),
    ("permanent", REGISTERING, Outcome(404), POLICY, PERMANENT, 1, None),
    ("permanent", EXHAUSTED, Outcome(403), INTERVALS, PERMANENT, 2, None),
    ("permanent", ANSWERED, Outcome(401), POLICY, PERMANENT, 0, None),
]


@pytest.mark.parametrize(
    ("name", "state", "outcome", "policy", "status", "retries", "wait_s"), SETTLED
)
def test_attempt_is_settled_by_the_rule(
    name: str,
    state: State,
    outcome: Outcome,
    policy: Policy,
    status: Status | None,
    retries: int,
    wait_s: float | None,
) -> None:
    case = Case(state, outcome, policy)
    rule = settling(case)
    assert (rule.name, rule.status) == (name, status)
    assert (rule.retries(state.retries), rule.wait(case)) == (retries, wait_s)


def test_every_rule_has_a_case_here() -> None:
    assert {row.name for row in CONTINUE} == {row[0] for row in CONTINUED}
    assert {rule.name for rule in SETTLE} == {row[0] for row in SETTLED}


def test_a_request_names_the_rule_that_made_it() -> None:
    case = Case(REGISTERING, Outcome(200), POLICY)
    named = {row.name: row.request(case).rule for row in CONTINUE}
    # the two rules for a 494 send the same
    assert named == {name: name for name in named} | {"farewell": "agreement"}


def test_names_are_unique_and_every_cell_has_words() -> None:
    names = Counter([row.name for row in CONTINUE] + [rule.name for rule in SETTLE])
    assert max(names.values()) == 1
    assert "|  |" not in document()


def test_the_page_is_current(golden: Golden) -> None:
    golden.check(Path("docs/policy.md"), document())


@pytest.mark.exhaustive
def test_a_code_leads_to_the_row_that_the_whole_table_leads_to() -> None:
    """The rows are looked up by code; over all codes and all they ask for it is as if all of them
    were asked."""
    states = [case[1] for case in CONTINUED] + [REGISTERING, LEAVING, UNREGISTERING, ANSWERED, DUE]
    for code in range(100, 700):
        for fit, repeated, stale, left, mechanisms in product((False, True), repeat=5):
            outcome = Outcome(
                code,
                min_expires_s=7201,
                credentials_fit=fit,
                repeated=repeated,
                stale=stale,
                target_left=left,
                mechanisms=mechanisms,
            )
            for state in states:
                case = Case(state, outcome, POLICY)
                whole = next((row for row in CONTINUE if row.when(case)), None)
                assert continuing(case) is whole, case
