"""Writes down what happens to registrations, and reads it back.

Notices are gathered for a moment and handed over together; what keeps them writes in a thread of
its own.  Without a state file the last lines stay in memory.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from pjreg_cli.api.history import Happened
from pjreg_cli.api.notices import Notice, Notices, Settled, StateDropped
from pjreg_cli.store.past import happened
from pjreg_cli.store.state import HistoryRow, Store

#: how long lines are gathered, in seconds
GATHER_S = 0.5
#: lines kept in memory where there is no state file
KEPT = 5_000


class Keeper(Protocol):
    """Where lines of history go; never waits and never raises."""

    def record(self, rows: Iterable[HistoryRow]) -> None:
        """Keep these."""
        ...

    def history(self, name: str, limit: int, kind: str = "") -> Sequence[HistoryRow]:
        """The last lines about a registration, the oldest first."""
        ...


class Memory:
    """Keeps the last lines of all registrations in memory."""

    def __init__(self, kept: int = KEPT) -> None:
        self._rows: deque[HistoryRow] = deque(maxlen=kept)

    @property
    def count(self) -> int:
        """How many lines are kept."""
        return len(self._rows)

    def record(self, rows: Iterable[HistoryRow]) -> None:
        """See Keeper."""
        self._rows.extend(rows)

    def history(self, name: str, limit: int, kind: str = "") -> Sequence[HistoryRow]:
        """See Keeper."""
        found = [row for row in self._rows if row.name == name and kind in ("", row.kind)]
        return found[-limit:]


class History:
    """The history of one instance; `store` None keeps it in memory."""

    def __init__(self, store: Store | None, wall_clock: Callable[[], float]) -> None:
        self._store = store
        self._keeper: Keeper = store if store is not None else Memory()
        self._wall_clock = wall_clock
        self._rows: list[HistoryRow] = []
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
            return [happened(row) for row in self._keeper.history(name, limit, kind)]

        def read() -> Sequence[HistoryRow]:
            store.flush(1.0)
            return store.history(name, limit, kind)

        return [happened(row) for row in await asyncio.to_thread(read)]

    def flush(self) -> None:
        """Hand over what was gathered."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        rows, self._rows = self._rows, []
        if rows:
            self._keeper.record(rows)

    def _noticed(self, notice: Notice) -> None:
        match notice:
            case Settled():
                self._rows += lines(notice)
            case StateDropped(name=name):
                at = self._wall_clock()
                self._rows.append(HistoryRow(name, at, "transition", "Unregistered"))
            case _:
                return
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(GATHER_S, self.flush)


def lines(notice: Settled) -> list[HistoryRow]:
    """What an outcome leaves in the history."""
    evidence = notice.evidence
    # asked only where it is not clear: most of a fleet is fine, and stays so
    fine = 200 <= evidence.code < 300 and notice.word == "Registered"
    cause = "fine" if fine and not evidence.contact_missing else notice.why().cause
    facts = {
        "method": evidence.method,
        "reason": evidence.reason,
        "rule": evidence.rule,
        "target": evidence.target,
        "granted_s": evidence.granted_s,
        "next_in_s": notice.next_attempt_s,
    }
    found = [
        HistoryRow(notice.name, evidence.at, "attempt", notice.word, evidence.code, cause, facts)
    ]
    if notice.word != notice.old_word:
        more = {"from": notice.old_word}
        found.append(
            HistoryRow(
                notice.name, evidence.at, "transition", notice.word, evidence.code, cause, more
            )
        )
    return found
