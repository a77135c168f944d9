"""What is remembered of the last attempt of a registration, for whoever asks why.

Gathering must cost next to nothing, as nearly nobody ever asks: a request leaves eight values in
a flat tuple, shared objects and numbers; texts are made when they are shown.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from pjreg_cli.api.findings import Heard, Offer, Trouble
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


WIDTH = len(Sent._fields)
_Asked = tuple[str, str, str | None, tuple[str, ...], bool]
"""What a challenge tells, without what is new in each."""
Flat = tuple[object, ...]
"""The values of all requests of an attempt, one after the other."""


Remembered = tuple[str, float, bytes] | tuple[str, float, int, str, str, bytes]
"""A message: Call-ID, when, and the bytes that were sent; or the code, reason, headers and body of
what was heard, which cost less to keep than the response."""


class Messages(deque[Remembered]):
    """The last messages of all registrations."""


class Record:
    """What one registration remembers for explanations; instants by the loop's clock."""

    __slots__ = (
        "changes",
        "granted_at",
        "granted_s",
        "losses",
        "steps",
        "told_at",
        "trouble",
    )

    def __init__(self) -> None:
        self.steps: Flat = ()
        """The requests of the last settled attempt."""
        self.trouble: Trouble | None = None
        """Why that came to no request."""
        self.changes: tuple[float, ...] = ()
        """When the word changed: the last time, and those within an hour."""
        self.granted_at: float | None = None
        """When the binding in force was granted, and for how long."""
        self.granted_s: int | None = None
        self.told_at: float | None = None
        """When an operator told it to unregister; None once it registers again."""
        self.losses = 0
        """Connections in a row that were lost soon after a grant."""

    def settled(self, attempt: Attempt, published: Publish, changed: bool, now: float) -> None:
        """An attempt has come to its outcome."""
        self.steps = attempt.steps
        self.trouble = attempt.trouble
        if changed:
            recent = [at for at in self.changes[1 - _CHANGES :] if now - at < HOUR_S]
            self.changes = (*recent, now)
        if published.rule == "granted":
            if self.granted_at is not None and now - self.granted_at > SOON_S:
                self.losses = 0
            self.granted_at = now
            self.granted_s = attempt.outcome.granted_s if attempt.outcome else None
            self.told_at = None
        elif published.flight is Flight.UNREGISTER and published.rule == "removed":
            self.granted_at = self.granted_s = None

    def lost(self, now: float) -> None:
        """The connection of its binding was lost."""
        soon = self.granted_at is not None and now - self.granted_at <= SOON_S
        self.losses = self.losses + 1 if soon else 0

    def took_s(self) -> float | None:
        """How long the last answer took; None where there was none."""
        last = next(requests(self.steps[-WIDTH:]), None)
        return None if last is None or last.heard is None else last.ended_at - last.sent_at

    def ends_in_s(self, now: float) -> float | None:
        """Seconds until the binding ends; None without one."""
        if self.granted_at is None or self.granted_s is None:
            return None
        return self.granted_at + self.granted_s - now

    def sent(self) -> Iterator[Sent]:
        """The requests of the last attempt."""
        return requests(self.steps)


def requests(steps: Sequence[object]) -> Iterator[Sent]:
    """The requests in a flat record."""
    for at in range(0, len(steps), WIDTH):
        yield Sent._make(steps[at : at + WIDTH])


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


def signed_by(answers: tuple[Answer, ...]) -> Account | tuple[Account, ...] | None:
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
) -> Flat:
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
    sends = exchange.resends + 1
    return flow, sent_at, now, sends, attempt.signed, found, trouble, elsewhere


def failed(
    exchange: Exchange, signed: Account | tuple[Account, ...] | None, cause: Cause, now: float
) -> Flat:
    """A request without an answer."""
    flow = exchange.flow
    trouble = trouble_since(exchange)
    if trouble is None and cause is Cause.TIMED_OUT:
        trouble = flow.suspicion()
    return flow, exchange.sent_at, now, exchange.resends + 1, signed, None, trouble, ""


def trouble_since(exchange: Exchange) -> Trouble | None:
    """What went wrong on its flow since a request was sent."""
    trouble = exchange.flow.trouble
    return None if trouble is None or trouble.at < exchange.sent_at else trouble


def trouble_of(error: PjregError) -> Trouble:
    """Why nothing could be sent."""
    trouble = getattr(error, "trouble", None)
    return trouble if isinstance(trouble, Trouble) else Trouble("send-failed", str(error))
