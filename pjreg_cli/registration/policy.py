"""What an outcome leads to: the rules of a registration, as two tables.

The first matching row of CONTINUE goes on with the attempt; when there is none, the first matching
row of SETTLE ends it.  The same tables, in words, are `docs/policy.md` (`registration.page`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from pjreg_cli.registration.state import Flight, Hop, Outcome, Policy, SendRegister, State, Status

#: the largest lifetime a registrar may refuse is one hour (RFC 3261 section 10.3 step 7), so this
#: is what to ask for when a 423 does not tell
GUESSED_MIN_EXPIRES_S = 3601

#: a refresh is due this long before the binding ends, at least
LEAST_MARGIN_S = 10

#: how often a 423 is followed, credentials are given for another realm, and a stale nonce is
#: replaced: each of them bounded, so that no registrar can make an attempt go on for ever
MOST_BRIEFS = 3
MOST_ANSWERS = 4
MOST_RENEWALS = 3

#: the longest Retry-After that is obeyed: a day
LONGEST_RETRY_AFTER_S = 86_400

#: how soon a request is tried again for which there was no network
NO_NETWORK_S = 10

#: how long the wait may grow with retry_backoff, and what it grows from where retry_interval is 0
LONGEST_BACKOFF_S = 3600
USUAL_RETRY_S = 60

#: what is shared with other machines is refreshed this long before, or at two thirds of what was
#: granted: a takeover, or a failover of the database, must fit in between
TAKEOVER_MARGIN_S = 90


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
        granted_s = self.outcome.granted_s
        return self.asked_s if granted_s is None else granted_s

    @property
    def min_expires_s(self) -> int:
        """The least expiry the registrar accepts, guessed when it does not say."""
        told_s = self.outcome.min_expires_s
        return GUESSED_MIN_EXPIRES_S if told_s is None else told_s

    @property
    def unwanted(self) -> bool:
        """A REGISTER is in flight, and its registration is to end: to go on would be in vain."""
        state = self.state
        return state.in_flight is Flight.REGISTER and (state.leaving or state.unregister_due)

    # -- conditions of CONTINUE ---------------------------------------------------------------

    def failover(self) -> bool:
        """408 or 503, and there is another target; still wanted"""
        return self.outcome.code in (408, 503) and self.outcome.target_left and not self.unwanted

    def too_brief(self) -> bool:
        """423 to a REGISTER, Min-Expires (missing: 3601) above what was asked, the third
        of this attempt at most; still wanted"""
        return (
            self.outcome.code == 423
            and self.state.in_flight is Flight.REGISTER
            and self.min_expires_s > self.asked_s
            and self.state.briefs < MOST_BRIEFS
            and not self.unwanted
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
        """401 or 407 that credentials fit, to a request that had none for the realm (the fourth
        at most), or whose nonce is stale (the third at this target at most)"""
        outcome, state = self.outcome, self.state
        if outcome.code not in (401, 407) or not outcome.credentials_fit:
            return False
        if outcome.repeated:
            return outcome.stale and state.renewals < MOST_RENEWALS
        return state.answers < MOST_ANSWERS

    # -- conditions of SETTLE -----------------------------------------------------------------

    def granted(self) -> bool:
        """2xx to a REGISTER"""
        return self._accepted() and self.granted_s > 0

    def removed(self) -> bool:
        """2xx to an unregister"""
        return self._accepted() and self.state.in_flight is Flight.UNREGISTER

    def no_grant(self) -> bool:
        """2xx that grants no lifetime, retry_interval set, retries left"""
        return self._accepted() and self.policy.retry_interval_s > 0 and self._retries_left()

    def in_vain(self) -> bool:
        """2xx that grants no lifetime"""
        return self._accepted()

    def _accepted(self) -> bool:
        return 200 <= self.outcome.code < 300

    def leaving(self) -> bool:
        """no longer configured"""
        return self.state.leaving

    def refused(self) -> bool:
        """an unregister that failed"""
        return self.state.in_flight is Flight.UNREGISTER

    def no_network(self) -> bool:
        """nothing could be sent, as there is no network; retry_interval set"""
        return self.outcome.no_network and self.policy.retry_interval_s > 0

    def day_at_most(self) -> bool:
        """Retry-After above a day"""
        return self.outcome.retry_after_s > LONGEST_RETRY_AFTER_S

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

    def forever(self) -> bool:
        """max_retries = forever"""
        return self.policy.forever

    def permanent(self) -> bool:
        """anything else"""
        return True

    def _retries_left(self) -> bool:
        return self.policy.forever or self.state.retries < self.policy.max_retries


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
    """granted - 10 s, or refresh_margin, but that at most half of it; of 10 s or less: half, at
    least 1 s"""
    # origin: a grant of 10 s or less is asked for again at once, without pause
    granted_s = case.granted_s
    most_s = granted_s / (3 if case.policy.shared else 2)
    margin_s = max(float(LEAST_MARGIN_S), min(float(case.policy.refresh_margin_s), most_s))
    if granted_s > margin_s:
        return granted_s - margin_s
    return max(1.0, granted_s / 2)


def retry_after(case: Case) -> float:
    """Retry-After"""
    return case.outcome.retry_after_s


def a_day(_case: Case) -> float:
    """a day"""
    return LONGEST_RETRY_AFTER_S


def soon(case: Case) -> float:
    """10 s, at most retry_interval"""
    return min(NO_NETWORK_S, case.policy.retry_interval_s)


def retry_interval(case: Case) -> float:
    """retry_interval (*)"""
    return _backed_off(case, case.policy.retry_interval_s)


def usual_interval(case: Case) -> float:
    """retry_interval (*), 60 s where that is 0"""
    return _backed_off(case, case.policy.retry_interval_s or USUAL_RETRY_S)


def forbidden_interval(case: Case) -> float:
    """forbidden_retry_interval (*)"""
    return _backed_off(case, case.policy.forbidden_retry_interval_s)


def fatal_interval(case: Case) -> float:
    """fatal_retry_interval (*)"""
    return _backed_off(case, case.policy.fatal_retry_interval_s)


def _backed_off(case: Case, interval_s: int) -> int:
    """`interval_s`, doubled for every failure before this one where that is wanted."""
    if not case.policy.backoff or interval_s >= LONGEST_BACKOFF_S:
        return interval_s
    doubled_s = interval_s << min(case.state.retries, LONGEST_BACKOFF_S.bit_length())
    return min(doubled_s, LONGEST_BACKOFF_S)


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
    Rule("no grant",    Case.no_grant,    Status.UNREGISTERED,       plus_one, retry_interval),
    Rule("in vain",     Case.in_vain,     Status.UNREGISTERED,       same,     never),
    Rule("refused",     Case.refused,     Status.REJECTED_PERMANENT, same,     never),
    Rule("no network",  Case.no_network,  Status.REJECTED_TEMPORARY, same,     soon),
    Rule("day at most", Case.day_at_most, Status.REJECTED_TEMPORARY, same,     a_day),
    Rule("retry after", Case.retry_after, Status.REJECTED_TEMPORARY, same,     retry_after),
    Rule("exhausted",   Case.exhausted,   Status.REJECTED_PERMANENT, same,     never),
    Rule("temporary",   Case.temporary,   Status.REJECTED_TEMPORARY, plus_one, retry_interval),
    Rule("forbidden",   Case.forbidden,   Status.REJECTED_TEMPORARY, plus_one, forbidden_interval),
    Rule("fatal",       Case.fatal,       Status.REJECTED_TEMPORARY, plus_one, fatal_interval),
    Rule("forever",     Case.forever,     Status.REJECTED_TEMPORARY, plus_one, usual_interval),
    Rule("permanent",   Case.permanent,   Status.REJECTED_PERMANENT, same,     never),
)
# fmt: on


#: the codes that a row of CONTINUE asks for: with any other it never holds, and need not be asked
_CODES: dict[str, tuple[int, ...]] = {
    "failover": (408, 503),
    "too brief": (423,),
    "agreement": (494,),
    "farewell": (494,),
    "challenge": (401, 407),
}
_BY_CODE: dict[int, tuple[Resend, ...]] = {
    code: tuple(row for row in CONTINUE if code in _CODES[row.name])
    for codes in _CODES.values()
    for code in codes
}


def continuing(case: Case) -> Resend | None:
    """The row that goes on with the attempt, None when the outcome settles it."""
    for row in _BY_CODE.get(case.outcome.code, ()):
        if row.when(case):
            return row
    return None


def settling(case: Case) -> Rule:
    """The row that ends the attempt."""
    for row in SETTLE:
        if row.when(case):
            return row
    raise AssertionError("the last row holds always")
