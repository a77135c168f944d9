"""What is remembered of the last attempt of a registration, for whoever asks why.

Gathering must cost next to nothing, as nearly nobody ever asks: a request leaves values that it has
in common with those of a whole fleet, and two instants; texts are made when they are shown.
"""

from __future__ import annotations

import re
from array import array
from collections import deque
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from pjreg_cli.api.findings import Heard, Offer, Trouble
from pjreg_cli.api.registrations import Evidence
from pjreg_cli.engine.settled import ANSWERED, REGISTERED, Course, duration
from pjreg_cli.registration.state import Cause, Flight
from pjreg_cli.sip.headers import canonical

if TYPE_CHECKING:
    from pjreg_cli.engine.credentials import Answer
    from pjreg_cli.engine.entry import Attempt
    from pjreg_cli.engine.exchange import Exchange, Exchanges
    from pjreg_cli.errors import PjregError
    from pjreg_cli.net.flow import Flow, Source
    from pjreg_cli.registration.state import Publish
    from pjreg_cli.sip.challenges import Challenge
    from pjreg_cli.sip.digest import Account
    from pjreg_cli.sip.message import Response

#: the word of a registration changed so often within an hour: more than anybody wants to know
_CHANGES = 20
HOUR_S = 3600.0
#: messages remembered of all registrations together
RECENT = 200
#: a connection lost this soon after a grant, in seconds, was closed by design or by a fault
SOON_S = 120.0
#: longest value kept of a header, in characters, and most of them
_LONGEST = 200
_MOST = 12
#: headers of a refusal that explain it
_EXPLAINING = re.compile(
    r"warning|retry-after|reason|server|user-agent|allow|unsupported|require|min-expires|contact|m"
    r"|error-info|security-server|x-[\w-]*(?:error|reason)[\w-]*",
    re.IGNORECASE,
)


class Sent(NamedTuple):
    """One request that was sent."""

    flow: Flow
    sent_at: float
    ended_at: float
    sends: int
    signed: Account | tuple[Account, ...] | None
    heard: Heard | None
    trouble: Trouble | None
    elsewhere: str


_Signed: TypeAlias = "Account | tuple[Account, ...]"
_SHARED = 6
"""Of the values of a request so many may be those of another registration: all but its instants."""
_Asked = tuple[str, str, str | None, tuple[str, ...], bool]
"""What a challenge tells, without what is new in each."""

Remembered = tuple[str, float, bytes] | tuple[str, float, int, str, str, bytes]
"""A message: Call-ID, when, and the bytes that were sent; or the code, reason, headers and body of
what was heard, which cost less to keep than the response."""


class Messages(deque[Remembered]):
    """The last messages of all registrations."""


class Past(NamedTuple):
    """What has happened to a registration; instants by the loop's clock.  To most of a fleet that
    is nothing, and they share it."""

    trouble: Trouble | None = None
    """Why the last attempt came to no request."""
    earlier: tuple[float, ...] = ()
    """When the word changed within the hour before it changed last."""
    told_at: float | None = None
    """When an operator told it to unregister; None once it registers again."""
    losses: int = 0
    """Connections in a row that were lost soon after a grant."""
    lost_at: float | None = None
    """When it ceased to be `Registered`, and how many attempts had been made by then."""
    lost_attempts: int = 0


_UNEVENTFUL = Past()


class Record:
    """What one registration remembers for explanations; instants by the loop's clock."""

    __slots__ = ("changed_at", "course", "granted_at", "granted_s", "instants", "past", "signed")

    def __init__(self) -> None:
        self.course: Course | None = None
        """What the last settled attempt was like; None before one has."""
        self.instants = b""
        """When that settled, in seconds since 1970, and when each of its requests was sent and had
        ended, by the loop's clock: `array("d")`, which takes a third of as many floats."""
        self.signed: _Signed | None = None
        """Whose credentials its requests carried first."""
        self.changed_at: float | None = None
        """When the word changed last."""
        self.granted_at: float | None = None
        """When the binding in force was granted, and for how long."""
        self.granted_s: int | None = None
        self.past = _UNEVENTFUL

    def settled(
        self, attempt: Attempt, course: Course, published: Publish, at: float, now: float
    ) -> Evidence:
        """An attempt has come to its outcome, `at` in seconds since 1970."""
        self.course = course
        instants = at, *attempt.instants
        self.instants = array("d", instants).tobytes()
        self.signed = attempt.signed_first
        past = self.past
        if attempt.trouble is not past.trouble:
            past = self.past = past._replace(trouble=attempt.trouble)
        if published.rule == "granted":
            if past.told_at is not None:
                past = past._replace(told_at=None)
            if past.losses and self.granted_at is not None and now - self.granted_at > SOON_S:
                past = past._replace(losses=0)
            self.past = past
            self.granted_at = now
            self.granted_s = course.granted_s
        elif published.flight is Flight.UNREGISTER and published.rule == "removed":
            self.granted_at = self.granted_s = None
        return _evidence(course, instants)

    def turned(self, old: str, new: str, attempts: int, now: float) -> str:
        """Take note that the word `old` became `new`; ` again after 4 min, 3 attempts`, ` after 3 h
        as Registered`, or nothing."""
        since, past = self.changed_at, self.past
        if since is not None:
            times = (*past.earlier, since)[1 - _CHANGES :]
            past = past._replace(earlier=tuple([at for at in times if now - at < HOUR_S]))
        self.changed_at, self.past = now, past
        if new == REGISTERED:
            lost_at = past.lost_at
            if lost_at is None:
                return ""
            self.past = past._replace(lost_at=None)
            made = attempts - past.lost_attempts
            return f" again after {duration(now - lost_at)}, {made} attempt{'s'[: made != 1]}"
        if old == REGISTERED:
            self.past = past._replace(lost_at=now, lost_attempts=attempts)
        return "" if since is None else f" after {duration(now - since)} as {old}"

    def told(self, at: float | None) -> None:
        """An operator told it to unregister, or to register again (None)."""
        if at != self.past.told_at:
            self.past = self.past._replace(told_at=at)

    def lost(self, now: float) -> None:
        """The connection of its binding was lost."""
        soon = self.granted_at is not None and now - self.granted_at <= SOON_S
        self.past = self.past._replace(losses=self.past.losses + 1 if soon else 0)

    def changes(self, now: float) -> int:
        """How often the word changed within the last hour."""
        earlier = self.past.earlier
        times = earlier if self.changed_at is None else (*earlier, self.changed_at)
        return sum(now - at < HOUR_S for at in times)

    def evidence(self) -> Evidence | None:
        """What the last attempt was about; None before one has settled."""
        return None if self.course is None else _evidence(self.course, array("d", self.instants))

    def took_s(self) -> float | None:
        """How long the last answer took; None where there was none."""
        last = next(reversed(list(self.sent())), None)
        return None if last is None or last.heard is None else last.ended_at - last.sent_at

    def ends_in_s(self, now: float) -> float | None:
        """Seconds until the binding ends; None without one."""
        if self.granted_at is None or self.granted_s is None:
            return None
        return self.granted_at + self.granted_s - now

    def sent(self) -> Iterator[Sent]:
        """The requests of the last attempt."""
        if self.course is not None:
            _, *times = array("d", self.instants)
            steps, own = self.course.steps, self.signed
            for number in range(len(steps) // _SHARED):
                flow, sends, signed, *rest = steps[_SHARED * number : _SHARED * (number + 1)]
                sent_at, ended_at = times[2 * number : 2 * number + 2]
                signed = own if signed is True else signed
                yield Sent._make((flow, sent_at, ended_at, sends, signed, *rest))


def _evidence(course: Course, instants: Sequence[float]) -> Evidence:
    took_s = instants[-1] - instants[-2] if course.cause == ANSWERED else None
    return Evidence(instants[0], *course[:-1], took_s)


def heard(response: Response, challenges: Sequence[Challenge], offered: str) -> Heard:
    """What explains a final answer to a request whose Contact was `offered`."""
    code = response.code
    if len(challenges) == 1:
        one = challenges[0]
        return _challenged(
            code, response.reason, one.answer, one.realm, one.algorithm, one.qop, one.stale
        )
    if challenges:
        asked = [(one.answer, one.realm, one.algorithm, one.qop, one.stale) for one in challenges]
        return _challenged_by_many(code, response.reason, tuple(asked))
    if 200 <= code < 300:
        contacts = response.headers.all("contact")
        if len(contacts) == 1 and contacts[0].startswith(f"<{offered}>"):
            return _heard(code, response.reason)
        kept = tuple(value[:_LONGEST] for value in contacts[:_MOST])
        return _heard(code, response.reason, contacts=kept)
    return _heard(code, response.reason, headers=_explaining(response))


def _explaining(response: Response) -> tuple[tuple[str, str], ...]:
    found = [
        (canonical(name), value[:_LONGEST])
        for name, value in response.headers
        if _EXPLAINING.fullmatch(name)
    ]
    return tuple(found[:_MOST])


# the same object for all who heard the same: most of a fleet does
@lru_cache(maxsize=4096)
def _heard(
    code: int,
    reason: str,
    *,
    headers: tuple[tuple[str, str], ...] = (),
    contacts: tuple[str, ...] = (),
) -> Heard:
    return Heard(code, reason[:_LONGEST], (), headers, contacts)


@lru_cache(maxsize=1024)
def _challenged(
    code: int,
    reason: str,
    answer: str,
    realm: str,
    algorithm: str | None,
    qop: tuple[str, ...],
    stale: bool,
) -> Heard:
    return _challenged_by_many(code, reason, ((answer, realm, algorithm, qop, stale),))


@lru_cache(maxsize=1024)
def _challenged_by_many(code: int, reason: str, asked: tuple[_Asked, ...]) -> Heard:
    offers = tuple(
        Offer(answer != "Authorization", realm, algorithm or "MD5", qop, stale)
        for answer, realm, algorithm, qop, stale in asked
    )
    return Heard(code, reason[:_LONGEST], offers)


# -- what Attempts leaves behind --------------------------------------------------------------


def signed_by(answers: tuple[Answer, ...]) -> _Signed | None:
    """Whose credentials these are; nearly always one section's."""
    if len(answers) == 1:
        return answers[0].account
    return tuple(answer.account for answer in answers) or None


def answered(
    exchange: Exchange,
    attempt: Attempt,
    response: Response,
    now: float,
    source: Source | None,
    exchanges: Exchanges,
) -> None:
    """A request that has its final answer, which the exchanges remember for a while."""
    flow, code, sent_at = exchange.flow, response.code, exchange.sent_at
    exchanges.messages.append(
        (exchange.entry.call_id, now, code, response.reason, response.headers.text, response.body)
    )
    if attempt.alone and code < 300:
        found = _heard(code, response.reason)
    else:
        challenges = attempt.challenges if code in (401, 407) else ()
        template = attempt.template
        found = heard(response, challenges, "" if template is None else template.offered)
    # every answer comes this way: what follows is not worth a call each
    trouble, elsewhere = flow.trouble, ""
    if trouble is not None and trouble.at < sent_at:
        trouble = None
    if source is not None and not flow.reliable:
        target, address = flow.target, source.address
        if address[0] != target.host or address[1] != target.port:
            elsewhere = f"{address[0]}:{address[1]}"
    signed: _Signed | bool | None = attempt.signed
    if signed is not None:
        attempt.signed_first = attempt.signed_first or attempt.signed
        signed = signed is attempt.signed_first or signed
    attempt.instants += (sent_at, now)
    attempt.steps += (flow, exchange.resends + 1, signed, found, trouble, elsewhere)


def failed(exchange: Exchange, attempt: Attempt, cause: Cause, now: float) -> None:
    """A request without an answer."""
    flow = exchange.flow
    trouble = trouble_since(exchange)
    if trouble is None and cause is Cause.TIMED_OUT:
        trouble = flow.suspicion()
    attempt.instants += (exchange.sent_at, now)
    attempt.steps += (flow, exchange.resends + 1, attempt.signed, None, trouble, "")


def trouble_since(exchange: Exchange) -> Trouble | None:
    """What went wrong on its flow since a request was sent."""
    trouble = exchange.flow.trouble
    return None if trouble is None or trouble.at < exchange.sent_at else trouble


def trouble_of(error: PjregError) -> Trouble:
    """Why nothing could be sent."""
    trouble = getattr(error, "trouble", None)
    return trouble if isinstance(trouble, Trouble) else Trouble("send-failed", str(error))
