"""Which challenges the requests of an attempt answer, and which nonces refreshes go on using."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from pjreg_cli.sip.challenges import Challenge, next_nonces, parse_challenges, with_nonce
from pjreg_cli.sip.digest import Account, credentials, select

if TYPE_CHECKING:
    from pjreg_cli.engine.entry import Attempt
    from pjreg_cli.sip.message import Response


class Answer:
    """A challenge that requests answer, and how often its nonce was used (RFC 7616 section 3.4)."""

    __slots__ = ("account", "challenge", "count")

    def __init__(self, challenge: Challenge, account: Account) -> None:
        self.challenge = challenge
        self.account = account
        self.count = 0

    @property
    def realm(self) -> tuple[str, str]:
        """Whose challenge it is: a proxy's or the registrar's, and the realm."""
        return self.challenge.answer, self.challenge.realm


class Kept:
    """What refreshes go on using: nonces, and the security mechanisms agreed with them."""

    __slots__ = ("answers", "mechanisms")

    def __init__(self, answers: tuple[Answer, ...], mechanisms: tuple[str, ...]) -> None:
        self.answers = answers
        self.mechanisms = mechanisms


def challenged(
    attempt: Attempt, response: Response, accounts: Sequence[Account]
) -> tuple[bool, bool]:
    """Choose what answers the challenges, beside what was answered in this attempt already; whether
    the request had credentials for one of them, and whether the nonce of such a one was only
    stale."""
    attempt.challenges = parse_challenges(response)
    new = tuple([Answer(*one) for one in select(attempt.challenges, accounts)])
    if not attempt.answers:
        attempt.answers = new
        if len(new) == 1:
            return False, new[0].challenge.stale
        return False, any(answer.challenge.stale for answer in new)
    known = {answer.realm for answer in attempt.answers}
    again = [answer for answer in new if answer.realm in known]
    stale = any(answer.challenge.stale for answer in (again or new))
    asked = {answer.realm for answer in new}
    # a proxy and the registrar each want theirs in one request (RFC 3261 section 22.3)
    others = tuple(answer for answer in attempt.answers if answer.realm not in asked)
    attempt.answers = (*others, *new) if new else ()
    return bool(again), stale


def signed(answers: Iterable[Answer], uri: str, cnonce: Callable[[], str]) -> list[tuple[str, str]]:
    """The headers that answer challenges; each nonce is used once more by it."""
    headers: list[tuple[str, str]] = []
    for answer in answers:
        answer.count += 1
        challenge = answer.challenge
        text = credentials(challenge, answer.account, "REGISTER", uri, cnonce(), answer.count)
        headers.append((challenge.answer, text))
    return headers


def kept(before: Kept | None, attempt: Attempt) -> Kept | None:
    """What to go on with after a 2xx: the nonces that were accepted, or those that the registrar
    wants next (RFC 7616 section 3.5)."""
    now = Kept(attempt.answers, attempt.mechanisms) if attempt.answers else before
    if now is None or attempt.response is None:
        return now
    following = next_nonces(attempt.response)
    for answer in now.answers:
        if (nonce := following.get(answer.challenge.answer)) is not None:
            answer.challenge = with_nonce(answer.challenge, *nonce)
            answer.count = 0
    return now
