"""Writes down what happens to registrations, and reads it back.

Notices are gathered for a moment and handed over together; what keeps them writes in a thread of
its own.  Without a state file the last lines stay in memory.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence

from pjreg_cli.api.history import Happened
from pjreg_cli.api.notices import Notice, Notices, Settled, StateDropped
from pjreg_cli.api.registrations import Evidence
from pjreg_cli.store.past import happened
from pjreg_cli.store.state import Store
from pjreg_cli.store.state_file import HistoryRow

#: how long lines are gathered, in seconds
GATHER_S = 0.5
#: lines kept in memory where there is no state file
KEPT = 2_000


# a bare tuple, as a fleet makes thousands a second
Event = tuple[str, float, str, Evidence | None, str, int, str]
"""Something to be remembered: name, instant, word, evidence (None: the registration lost its
state), the word before, seconds to the next attempt, cause.  Its lines are made when they are
written or asked for."""


class Memory:
    """Keeps the last events of all registrations in memory."""

    def __init__(self, kept: int = KEPT) -> None:
        self._events: deque[Event] = deque(maxlen=kept)

    @property
    def count(self) -> int:
        """How many events are kept."""
        return len(self._events)

    def record(self, events: Iterable[Event]) -> None:
        """Keep these."""
        self._events.extend(events)

    def history(self, name: str, limit: int, kind: str = "") -> Sequence[HistoryRow]:
        """The last lines about a registration, the oldest first."""
        found = [row for event in self._events if event[0] == name for row in lines(event)]
        return [row for row in found if kind in ("", row.kind)][-limit:]


class History:
    """The history of one instance; `store` None keeps it in memory."""

    def __init__(self, store: Store | None, wall_clock: Callable[[], float]) -> None:
        self._store = store
        self._memory = Memory()
        self._wall_clock = wall_clock
        self._events: list[Event] = []
        self._timer: asyncio.TimerHandle | None = None

    def start(self, notices: Notices) -> Callable[[], None]:
        """Write down everything from now on; the result ends that."""
        unsubscribe = notices.subscribe(self._noticed, Settled, StateDropped)

        def end() -> None:
            unsubscribe()
            self.flush()

        return end

    async def of(self, name: str, limit: int, kind: str = "") -> Sequence[Happened]:
        """See api.history.Histories."""
        self.flush()
        store = self._store
        if store is None:
            return [happened(row) for row in self._memory.history(name, limit, kind)]

        def read() -> Sequence[HistoryRow]:
            store.flush(1.0)
            return store.history(name, limit, kind)

        return [happened(row) for row in await asyncio.to_thread(read)]

    def flush(self) -> None:
        """Hand over what was gathered."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        events, self._events = self._events, []
        if not events:
            return
        if self._store is None:
            self._memory.record(events)
        else:
            self._store.record([row for event in events for row in lines(event)])

    def _noticed(self, notice: Notice) -> None:
        match notice:
            case Settled():
                self._events.append(event_of(notice))
            case StateDropped(name=name):
                at = self._wall_clock()
                self._events.append((name, at, "Unregistered", None, "", 0, ""))
            case _:
                return
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(GATHER_S, self.flush)


def event_of(notice: Settled) -> Event:
    """An outcome, with its cause, which only now can be told."""
    evidence = notice.evidence
    # asked only where it is not clear: most of a fleet is fine, and stays so
    fine = 200 <= evidence.code < 300 and notice.word == "Registered"
    cause = "fine" if fine and not evidence.contact_missing else notice.why().cause
    old_word, next_s = notice.old_word, notice.next_attempt_s
    return notice.name, evidence.at, notice.word, evidence, old_word, next_s, cause


def lines(event: Event) -> list[HistoryRow]:
    """What an event leaves in the history."""
    name, at, word, evidence, old_word, next_s, cause = event
    if evidence is None:
        return [HistoryRow(name, at, "transition", word)]
    facts = {
        "method": evidence.method,
        "outcome": evidence.cause,
        "reason": evidence.reason,
        "rule": evidence.rule,
        "target": evidence.target,
        "granted_s": evidence.granted_s,
        "next_in_s": next_s,
    }
    found = [HistoryRow(name, at, "attempt", word, evidence.code, cause, facts)]
    if word != old_word:
        more = {"from": old_word, "outcome": evidence.cause}
        found.append(HistoryRow(name, at, "transition", word, evidence.code, cause, more))
    return found
