"""What the engine knows of a registration as facts for a diagnosis; made only when asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from pjreg_cli.api.findings import Asked, Brief, Certificate, Facts, Message, Tried
from pjreg_cli.engine.record import Remembered, Sent, trouble_since
from pjreg_cli.engine.trace import masked
from pjreg_cli.engine.views import word_of
from pjreg_cli.errors import PjregError
from pjreg_cli.registration.route import next_hop, our_contact
from pjreg_cli.sip.headers import Headers
from pjreg_cli.sip.message import Response

if TYPE_CHECKING:
    from pjreg_cli.config.models import Registration
    from pjreg_cli.config.settings import Settings
    from pjreg_cli.engine.entry import Entry
    from pjreg_cli.engine.fleet import Fleet
    from pjreg_cli.net.pool import Pool
    from pjreg_cli.net.resolver import Resolver


class FactsOf:
    """Makes facts.  `clock` is the loop's, `wall_clock` gives seconds since 1970."""

    def __init__(
        self,
        fleet: Fleet,
        *,
        clock: Callable[[], float],
        wall_clock: Callable[[], float],
        pool: Pool,
        resolver: Resolver,
        not_open: Callable[[], Mapping[str, str]],
        holds: Callable[[Entry], bool] = lambda _entry: False,
    ) -> None:
        """`holds` tells of whom nothing may be sent at the moment."""
        self._fleet = fleet
        self._holds = holds
        self._clock = clock
        self._wall_clock = wall_clock
        self._pool = pool
        self._resolver = resolver
        self._not_open = not_open

    def named(self, name: str) -> Facts:
        """What is known of one registration, also of a name that does not exist."""
        settings, entry = self._fleet.shown.find(name) or (None, None)
        return self.of(name, settings, entry)

    def brief(self, entry: Entry, settings: Settings) -> Brief:
        """Why a registration stands as it does, in short, also one whose name another one has by
        now; the causes are loaded when somebody asks for the first time."""
        from pjreg_cli.why.diagnosis import brief

        return brief(self.of(entry.name, entry.settings, entry, whole=False), settings)

    def messages(self, name: str) -> Sequence[Message]:
        """See api.registrations.Registrations."""
        _, entry = self._fleet.shown.find(name) or (None, None)
        if entry is None:
            return ()
        wall = self._wall_clock() - self._clock()
        return remembered(self._fleet.attempts.exchanges.messages, entry.call_id, wall)

    def of(
        self, name: str, settings: Registration | None, entry: Entry | None, *, whole: bool = True
    ) -> Facts:
        """The facts of one registration; `settings` None where none is configured.  Not `whole`:
        without those that no cause asks for."""
        now_at = self._wall_clock()
        not_open = tuple(self._not_open().items())
        if entry is None or settings is None:
            word = "" if settings is None else "Unregistered"
            return Facts(name=name, word=word, now_at=now_at, not_open=not_open)
        wall = now_at - self._clock()
        past, state, evidence = entry.past, entry.state, entry.evidence()
        tried = tuple(_tried(sent, wall) for sent in entry.sent())
        last = next(reversed(list(entry.sent())), None)
        attempt = entry.attempt
        exchange = attempt.exchange if attempt is not None else None
        sent = exchange is not None and exchange.transaction is not None
        return Facts(
            name=name,
            word=word_of(entry),
            now_at=now_at,
            since_at=entry.changed_at + wall if entry.changed_at is not None else None,
            changes=entry.changes(self._clock()),
            settled_at=evidence.at if evidence is not None else None,
            method=evidence.method if evidence is not None else "register",
            code=evidence.code if evidence is not None else 0,
            reason=evidence.reason if evidence is not None else "",
            rule=evidence.rule if evidence is not None else "",
            tried=tried,
            trouble=past.trouble,
            asked_s=state.requested_s or settings.expiration,
            granted_s=evidence.granted_s if evidence is not None else None,
            granted_at=entry.granted_at + wall if entry.granted_at is not None else None,
            received=evidence.received if evidence is not None else "",
            contact=_contact(settings, entry, last),
            contact_missing=evidence is not None and evidence.contact_missing,
            in_flight=state.in_flight.value if state.in_flight is not None else "",
            in_flight_to=str(attempt.target) if attempt is not None and attempt.target else "",
            in_flight_at=exchange.sent_at + wall if exchange is not None and sent else None,
            in_flight_sends=exchange.resends + 1 if exchange is not None and sent else 0,
            in_flight_trouble=None if exchange is None else trouble_since(exchange),
            next_at=state.wake_at + wall if state.wake_at is not None else None,
            attempts=entry.attempts,
            retries=state.retries,
            told_at=past.told_at + wall if past.told_at is not None else None,
            losses=past.losses,
            certificate=_certificate(last) if whole else None,
            found=self._found(settings) if whole else (),
            not_open=not_open,
            holding=self._holds(entry),
        )

    def _found(self, settings: Registration) -> tuple[Asked, ...]:
        """What is known of the look-ups, for a registrar that is looked up."""
        try:
            uri = next_hop(settings)
            return self._resolver.asked(uri, self._pool.kinds(settings.transport))
        except PjregError:
            return ()


def remembered(messages: Iterable[Remembered], call_id: str, wall: float) -> list[Message]:
    """Those of one Call-ID, as text."""
    found = []
    for one in messages:
        if one[0] == call_id:
            if sent := len(one) == 3:
                octets = one[2]
            else:
                code, reason, headers, body = one[2:]
                octets = Response(code, reason, Headers.read(headers), body).encode()
            found.append(Message(one[1] + wall, sent, masked(octets).decode("utf-8", "replace")))
    return found


def _tried(sent: Sent, wall: float) -> Tried:
    """One request in words."""
    flow = sent.flow
    signed = sent.signed
    accounts = () if signed is None else signed if isinstance(signed, tuple) else (signed,)
    try:
        ours = str(flow.sent_by)
    except (PjregError, OSError):
        ours = "?"
    return Tried(
        target=str(flow.target),
        ours=ours,
        transport=flow.transport,
        sent_at=sent.sent_at + wall,
        took_s=max(0.0, sent.ended_at - sent.sent_at),
        sends=sent.sends,
        signed=tuple(account.name for account in accounts),
        heard=sent.heard,
        trouble=sent.trouble,
        elsewhere=sent.elsewhere,
    )


def _contact(settings: Registration, entry: Entry, last: Sent | None) -> str:
    """The Contact we offered by that flow."""
    if last is None:
        return ""
    try:
        flow = last.flow
        return str(our_contact(settings, flow.protocol, flow.contact, entry.line))
    except (PjregError, OSError):
        return ""


def _certificate(last: Sent | None) -> Certificate | None:
    return last.flow.certificate if last is not None else None
