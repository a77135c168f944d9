"""What front ends are shown of the engine: the port's views, made when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from heapq import nsmallest
from itertools import islice
from math import inf
from typing import TYPE_CHECKING, Protocol

from pjreg_cli.api.findings import BY_DESIGN, Facts, Finding, Tried
from pjreg_cli.api.registrations import Measure, RegistrationRow, RegistrationView, UnderWay
from pjreg_cli.config.secrets import masked_uri
from pjreg_cli.config.shown import (
    registration_options,
)
from pjreg_cli.registration.state import Cause, Flight, Status

if TYPE_CHECKING:
    from pjreg_cli.config.models import Registration
    from pjreg_cli.config.settings import Settings
    from pjreg_cli.engine.entry import Entry

#: the word for a registration that was removed and still has an unregister under way
STOPPED = "Stopped"
#: causes of failures that are those of this host and its network
_STRANDING = (Cause.SEND_FAILED.value, Cause.UNRESOLVED.value)


class Held(Protocol):
    """As much of the engine as its views look at."""

    def words(self) -> Mapping[str, int]:
        """How many registrations each word is shown for."""
        ...

    def held(self) -> Iterable[tuple[Registration, Entry | None]]:
        """Every registration to show and its state, sorted by name byte by byte."""
        ...

    def find(self, name: str) -> tuple[Registration, Entry | None] | None: ...


def word_of(entry: Entry) -> str:
    """The word shown for the status of a registration."""
    if entry.removed and entry.state.leaving:
        return STOPPED
    return entry.state.status.word


def next_attempt_s(entry: Entry, now: float) -> int:
    """Seconds until the next REGISTER is due, 0 when none is or it is under way."""
    at = entry.state.wake_at
    return max(0, round(at - now)) if at is not None else 0


def row_of(
    settings: Registration, entry: Entry | None, now: float, reveal: bool = False
) -> RegistrationRow:
    """A line of the table; a password inside the URI is masked unless `reveal`."""
    auth = settings.outbound_auth[0] if settings.outbound_auth else ""
    server_uri = masked_uri(settings.server_uri, reveal)
    if entry is None:
        return RegistrationRow(settings.name, server_uri, auth, None, None)
    at = entry.state.next_attempt_at
    due_s = None if at is None else int(at - now)
    return RegistrationRow(settings.name, server_uri, auth, word_of(entry), due_s)


def under_way_of(entry: Entry, now: float) -> UnderWay | None:
    """The request without a final answer, if there is one."""
    flight, attempt = entry.state.in_flight, entry.attempt
    if flight is None:
        return None
    exchange = attempt.exchange if attempt is not None else None
    sent = exchange is not None and exchange.transaction is not None
    return UnderWay(
        method=flight.value,
        since_s=max(0.0, now - exchange.sent_at) if exchange is not None and sent else None,
        resends=exchange.resends if exchange is not None else 0,
        target=str(attempt.target or "") if attempt is not None else "",
    )


class RegistrationViews:
    """The showing half of api.registrations.Registrations; `facts` are those of a name."""

    def __init__(
        self,
        held: Held,
        clock: Callable[[], float],
        facts: Callable[[str], Facts],
        settings: Callable[[], Settings],
        wall_clock: Callable[[], float],
        reveal: bool = False,
    ) -> None:
        """Passwords inside URIs are masked unless `reveal`."""
        self._wall_clock = wall_clock
        self._held = held
        self._reveal = reveal
        self._clock = clock
        self._facts = facts
        self._settings = settings

    def finding(self, name: str) -> Finding:
        from pjreg_cli.why.diagnosis import diagnose
        from pjreg_cli.why.places import located

        return located(diagnose(self._facts(name), self._settings()))

    def refused(self) -> Sequence[str]:
        settings = self._settings()
        return sorted(name for name in settings.refused if name not in settings.registrations)

    def measures(self) -> Iterator[Measure]:
        now, wall_at = self._clock(), self._wall_clock()
        for settings, entry in self._held.held():
            if entry is None:
                yield Measure(settings.name, "Unregistered", 0, 0, None, None, None)
                continue
            word, course = word_of(entry), entry.course
            ends_in_s = entry.ends_in_s(now) if word == "Registered" else None
            yield Measure(
                settings.name,
                word,
                0 if course is None else course.code,
                entry.state.retries,
                entry.took_s(),
                None if ends_in_s is None else wall_at + ends_in_s,
                ends_in_s,
            )

    def foremost(
        self, limit: int, order: str, match: Callable[[str], bool] | None = None
    ) -> Sequence[RegistrationView]:
        held = self._held.held()
        if match is not None:
            held = ((settings, entry) for settings, entry in held if match(settings.name))
        if order == "name":
            return [self._view(*one) for one in islice(held, limit)]
        key = _in_trouble if order == "trouble" else _due
        return [self._view(*one) for one in nsmallest(limit, held, key=key)]

    def tried(self, name: str) -> Sequence[Tried]:
        return self._facts(name).tried

    def cause(self, name: str) -> str:
        from pjreg_cli.why.diagnosis import cause_of

        return cause_of(self._facts(name), self._settings())

    def names(self) -> Sequence[str]:
        return [settings.name for settings, _entry in self._held.held()]

    def count(self) -> Mapping[str, int]:
        return self._held.words()

    def rows(self) -> Iterator[RegistrationRow]:
        now = self._clock()
        return (row_of(settings, entry, now, self._reveal) for settings, entry in self._held.held())

    def row(self, name: str) -> RegistrationRow | None:
        found = self._held.find(name)
        return None if found is None else row_of(*found, self._clock(), self._reveal)

    def view(self, name: str) -> RegistrationView | None:
        found = self._held.find(name)
        return None if found is None else self._view(*found)

    def views(self) -> Iterator[RegistrationView]:
        return (self._view(settings, entry) for settings, entry in self._held.held())

    def _ends_at(self, entry: Entry, now: float) -> float | None:
        ends_in_s = entry.ends_in_s(now)
        return None if ends_in_s is None else self._wall_clock() + ends_in_s

    def _since_at(self, entry: Entry, now: float) -> float | None:
        changed_at = entry.changed_at
        return None if changed_at is None else changed_at - now + self._wall_clock()

    def _view(self, settings: Registration, entry: Entry | None) -> RegistrationView:
        now = self._clock()
        return RegistrationView(
            row=row_of(settings, entry, now, self._reveal),
            client_uri=masked_uri(settings.client_uri, self._reveal),
            options=registration_options(settings, self._reveal),
            auths=settings.outbound_auth,
            next_attempt_s=0 if entry is None else next_attempt_s(entry, now),
            attempts=0 if entry is None else entry.attempts,
            retries=0 if entry is None else entry.state.retries,
            evidence=None if entry is None else entry.evidence(),
            source=settings.source,
            since_at=None if entry is None else self._since_at(entry, now),
            ends_at=None if entry is None else self._ends_at(entry, now),
            cause=partial(self.cause, settings.name),
            under_way=None if entry is None else under_way_of(entry, now),
            limping=entry is not None and is_limping(entry),
        )


def is_limping(entry: Entry) -> bool:
    """Whether a registration stands, and yet not as it should."""
    course = entry.course
    return entry.state.status is Status.REGISTERED and (
        entry.past.losses >= BY_DESIGN or (course is not None and course.contact_missing)
    )


def is_stranded(entry: Entry) -> bool:
    """Whether the last attempt of a registration never reached anybody, and nothing is under way:
    there was no address, no route, no name server, no connection."""
    state, course = entry.state, entry.course
    return (
        course is not None
        and course.cause in _STRANDING
        and state.in_flight is None
        and state.status in (Status.REJECTED_TEMPORARY, Status.REJECTED_PERMANENT)
        and not state.refused
    )


#: those in trouble first
_TROUBLE = {
    Status.REJECTED_PERMANENT: 0,
    Status.REJECTED_TEMPORARY: 1,
    Status.STOPPING: 2,
    Status.STOPPED: 2,
    Status.UNREGISTERED: 3,
    Status.REGISTERED: 4,
}


def _in_trouble(one: tuple[Registration, Entry | None]) -> tuple[float, float]:
    """Sorts by trouble, and then the one first that has it the longest."""
    entry = one[1]
    if entry is None:
        return 3, 0.0
    changed_at = entry.changed_at
    rank = _TROUBLE[entry.state.status] - (0.5 if is_limping(entry) else 0.0)
    return rank, changed_at or 0.0


def _due(one: tuple[Registration, Entry | None]) -> float:
    """Sorts by the next attempt; those without any come last."""
    at = one[1].state.wake_at if one[1] is not None else None
    return inf if at is None else at


def is_settled(entry: Entry) -> bool:
    """Whether a first outcome is there, and nothing is under way."""
    state = entry.state
    if state.in_flight is not None:
        return False
    return entry.course is not None or state.status is not Status.UNREGISTERED


def is_idle(entry: Entry) -> bool:
    """Whether nothing is on its way and nothing is due."""
    return entry.state.wake_at is None and entry.state.in_flight is None


def is_unregistering(entry: Entry) -> bool:
    """Whether it is being taken off, by the operator's wish."""
    state = entry.state
    return state.in_flight is Flight.UNREGISTER or (
        state.in_flight is not None and state.unregister_due
    )
