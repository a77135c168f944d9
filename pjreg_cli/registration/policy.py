"""What an outcome leads to: the rules of a registration, as two tables.

The first matching row of CONTINUE goes on with the attempt; when there is none, the first matching
row of SETTLE ends it.  The same tables, in words, are `docs/policy.md` (`document`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from pjreg_cli.registration.state import Flight, Hop, Outcome, Policy, SendRegister, State, Status

#: the largest lifetime a registrar may refuse is one hour (RFC 3261 section 10.3 step 7), so this
#: is what to ask for when a 423 does not tell
GUESSED_MIN_EXPIRES_S = 3601

#: a refresh is due this long before the binding ends
REFRESH_MARGIN_S = 10


class Case(NamedTuple):
    """An outcome in its circumstances; every condition of the tables is a method of it."""

    state: State
    outcome: Outcome
    policy: Policy

    # -- quantities ---------------------------------------------------------------------------

    @property
    def asked_s(self) -> int:
        """The expiry that REGISTERs of this registration ask for."""
        requested_s = self.state.requested_s
        return self.policy.expiration_s if requested_s is None else requested_s

    @property
    def expires_s(self) -> int:
        """The expiry of the request in flight: 0 for an unregister."""
        return 0 if self.state.in_flight is Flight.UNREGISTER else self.asked_s

    @property
    def granted_s(self) -> int:
        """The lifetime a 2xx grants; 0 for an unregister, whatever it lists."""
        if self.state.in_flight is Flight.UNREGISTER:
            return 0
        return self.outcome.granted_s or self.asked_s

    @property
    def min_expires_s(self) -> int:
        """The least expiry the registrar accepts, guessed when it does not say."""
        told_s = self.outcome.min_expires_s
        return GUESSED_MIN_EXPIRES_S if told_s is None else told_s

    # -- conditions of CONTINUE ---------------------------------------------------------------

    def failover(self) -> bool:
        """408 or 503, and there is another target"""
        return self.outcome.code in (408, 503) and self.outcome.target_left

    def too_brief(self) -> bool:
        """423 to a REGISTER, Min-Expires (missing: 3601) above what was asked"""
        return (
            self.outcome.code == 423
            and self.state.in_flight is Flight.REGISTER
            and self.min_expires_s > self.asked_s
        )

    def agreement(self) -> bool:
        """494 with mechanisms to a REGISTER, the first of this attempt"""
        return (
            self._unagreed() and self.state.in_flight is Flight.REGISTER and not self.state.leaving
        )

    def farewell(self) -> bool:
        """494 with mechanisms, the first of this attempt, to an unregister or while leaving"""
        return self._unagreed()

    def _unagreed(self) -> bool:
        return self.outcome.code == 494 and self.outcome.mechanisms and not self.state.agreed

    def challenge(self) -> bool:
        """401 or 407 that credentials fit, to a request without them, or stale the first time"""
        outcome, state = self.outcome, self.state
        return (
            outcome.code in (401, 407)
            and outcome.credentials_fit
            and (not state.answered or (outcome.stale and not state.renewed))
        )

    # -- conditions of SETTLE -----------------------------------------------------------------

    def granted(self) -> bool:
        """2xx to a REGISTER"""
        return 200 <= self.outcome.code < 300 and self.granted_s > 0

    def removed(self) -> bool:
        """2xx to an unregister"""
        return 200 <= self.outcome.code < 300

    def leaving(self) -> bool:
        """no longer configured"""
        return self.state.leaving

    def refused(self) -> bool:
        """an unregister that failed"""
        return self.state.in_flight is Flight.UNREGISTER

    def retry_after(self) -> bool:
        """Retry-After above 0"""
        return self.outcome.retry_after_s > 0

    def exhausted(self) -> bool:
        """temporary, max_retries reached"""
        return self.temporary() and not self._retries_left()

    def temporary(self) -> bool:
        """retry_interval set; 408, 500, 502, 503, 504, 6xx, or 401 and 407 where not permanent"""
        code = self.outcome.code
        return self.policy.retry_interval_s > 0 and (
            code in (408, 500, 502, 503, 504)
            or 600 <= code < 700
            or (code in (401, 407) and not self.policy.auth_rejection_permanent)
        )

    def forbidden(self) -> bool:
        """403, forbidden_retry_interval set, retries left"""
        return (
            self.outcome.code == 403
            and self.policy.forbidden_retry_interval_s > 0
            and self._retries_left()
        )

    def fatal(self) -> bool:
        """fatal_retry_interval set, retries left"""
        return self.policy.fatal_retry_interval_s > 0 and self._retries_left()

    def hopeless(self) -> bool:
        """anything else"""
        return True

    def _retries_left(self) -> bool:
        return self.state.retries < self.policy.max_retries


class Resend(NamedTuple):
    """A row of CONTINUE: the attempt goes on with `request`."""

    name: str
    when: Callable[[Case], bool]
    status: Status | None
    """None: as it was."""
    retries: Callable[[int], int]
    request: Callable[[Case], SendRegister]


class Rule(NamedTuple):
    """A row of SETTLE: the attempt has ended."""

    name: str
    when: Callable[[Case], bool]
    status: Status | None
    """None: as it was."""
    retries: Callable[[int], int]
    wait: Callable[[Case], float | None]
    """Seconds until the next attempt; None: there is none."""


# -- columns ----------------------------------------------------------------------------------

SAME = None


def same(retries: int) -> int:
    """same"""
    return retries


def plus_one(retries: int) -> int:
    """+ 1"""
    return retries + 1


def none(_retries: int) -> int:
    """0"""
    return 0


def to_next_target(case: Case) -> SendRegister:
    """the same request, without credentials, to the next target"""
    return SendRegister(case.expires_s, Hop.NEXT, rule="failover")


def for_longer(case: Case) -> SendRegister:
    """a REGISTER for Min-Expires, which is kept for refreshes"""
    return SendRegister(case.min_expires_s, Hop.SAME, rule="too brief")


def with_agreement(case: Case) -> SendRegister:
    """the same request with Security-Verify"""
    return SendRegister(case.expires_s, Hop.SAME, agreement=True, rule="agreement")


def with_credentials(case: Case) -> SendRegister:
    """the same request with credentials"""
    return SendRegister(case.expires_s, Hop.SAME, credentials=True, rule="challenge")


def never(_case: Case) -> None:
    """-"""


def refresh(case: Case) -> float:
    """granted - 10 s; of 10 s or less: half, at least 1 s"""
    # origin: a grant of 10 s or less is asked for again at once, without pause
    granted_s = case.granted_s
    if granted_s > REFRESH_MARGIN_S:
        return granted_s - REFRESH_MARGIN_S
    return max(1.0, granted_s / 2)


def retry_after(case: Case) -> float:
    """Retry-After"""
    return case.outcome.retry_after_s


def retry_interval(case: Case) -> float:
    """retry_interval"""
    return case.policy.retry_interval_s


def forbidden_interval(case: Case) -> float:
    """forbidden_retry_interval"""
    return case.policy.forbidden_retry_interval_s


def fatal_interval(case: Case) -> float:
    """fatal_retry_interval"""
    return case.policy.fatal_retry_interval_s


# -- the tables -------------------------------------------------------------------------------

# fmt: off
CONTINUE: Sequence[Resend] = (
    Resend("failover",  Case.failover,  SAME,                      same,     to_next_target),
    Resend("too brief", Case.too_brief, SAME,                      same,     for_longer),
    Resend("agreement", Case.agreement, Status.REJECTED_TEMPORARY, plus_one, with_agreement),
    Resend("farewell",  Case.farewell,  SAME,                      same,     with_agreement),
    Resend("challenge", Case.challenge, SAME,                      same,     with_credentials),
)

# origin: has no row "refused", so a failed unregister can register again
SETTLE: Sequence[Rule] = (
    Rule("granted",     Case.granted,     Status.REGISTERED,         none,     refresh),
    Rule("removed",     Case.removed,     Status.UNREGISTERED,       same,     never),
    Rule("leaving",     Case.leaving,     SAME,                      same,     never),
    Rule("refused",     Case.refused,     Status.REJECTED_PERMANENT, same,     never),
    Rule("retry after", Case.retry_after, Status.REJECTED_TEMPORARY, same,     retry_after),
    Rule("exhausted",   Case.exhausted,   Status.REJECTED_PERMANENT, same,     never),
    Rule("temporary",   Case.temporary,   Status.REJECTED_TEMPORARY, plus_one, retry_interval),
    Rule("forbidden",   Case.forbidden,   Status.REJECTED_TEMPORARY, plus_one, forbidden_interval),
    Rule("fatal",       Case.fatal,       Status.REJECTED_TEMPORARY, plus_one, fatal_interval),
    Rule("hopeless",    Case.hopeless,    Status.REJECTED_PERMANENT, same,     never),
)
# fmt: on


def continuing(case: Case) -> Resend | None:
    """The row that goes on with the attempt, None when the outcome settles it."""
    for row in CONTINUE:
        if row.when(case):
            return row
    return None


def settling(case: Case) -> Rule:
    """The row that ends the attempt."""
    return next(row for row in SETTLE if row.when(case))


# -- in words ---------------------------------------------------------------------------------


_PAGE = """\
# What the answer to a REGISTER leads to

Generated from `pjreg_cli/registration/policy.py`; `pytest --update-golden` rewrites it. No answer
counts as 408, a request that could not be sent as 503. An unregister is a REGISTER with an expiry
of 0. *Leaving* is a registration that is no longer configured.

## Outcomes that continue the attempt

The first match decides; nothing is published.

{going_on}

## Outcomes that settle it

The first match decides, and the result is published. What came due in the meantime is sent then: an
unregister first, a REGISTER after it. A leaving registration unregisters if it is still registered,
and has ended otherwise.

{settling}
"""


def document() -> str:
    """The tables as the Markdown page `docs/policy.md`."""
    return _PAGE.format(
        going_on=_table(("Rule", "When", "Status", "Retries", "Then sent"), CONTINUE),
        settling=_table(("Rule", "When", "Status", "Retries", "Next attempt after"), SETTLE),
    )


def _table(head: Sequence[str], rows: Iterable[Iterable[object]]) -> str:
    lines = [head, ["---"] * len(head), *([_words(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _words(cell: object) -> str:
    match cell:
        case str():
            return cell
        case Status():
            return cell.value
        case None:
            return "same"
    return cell.__doc__ or ""
