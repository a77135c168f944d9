"""Writes down what happens to registrations, and reads it back.

Notices are gathered for a moment and handed over together; what keeps them writes in a thread of
its own.  Without a state file the last rows stay in memory.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache

from pjreg_cli.api.history import Happened
from pjreg_cli.api.notices import Notice, Notices, Settled, StateDropped
from pjreg_cli.store.past import happened
from pjreg_cli.store.state import Store
from pjreg_cli.store.state_file import BOTH, FROM, HistoryRow, Written, as_json, lines_of

#: how long rows are gathered, in seconds
GATHER_S = 0.5
#: rows kept in memory where there is no state file
KEPT = 2_000


class Memory:
    """Keeps the last rows of all registrations in memory."""

    def __init__(self, kept: int = KEPT) -> None:
        self._rows: deque[Written] = deque(maxlen=kept)

    @property
    def count(self) -> int:
        """How many rows are kept."""
        return len(self._rows)

    def record(self, rows: Iterable[Written]) -> None:
        """Keep these."""
        self._rows.extend(rows)

    def history(self, name: str, limit: int, kind: str = "") -> Sequence[HistoryRow]:
        """The last lines about a registration, the oldest first."""
        found = [line for row in self._rows if row[0] == name for line in lines_of(row)]
        return [line for line in found if kind in ("", line.kind)][-limit:]


class History:
    """The history of one instance; `store` None keeps it in memory."""

    def __init__(self, store: Store | None, wall_clock: Callable[[], float]) -> None:
        self._store = store
        self._memory = Memory()
        self._wall_clock = wall_clock
        self._rows: list[Written] = []
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
        rows, self._rows = self._rows, []
        if rows:
            (self._store or self._memory).record(rows)

    def _noticed(self, notice: Notice) -> None:
        match notice:
            case Settled():
                self._rows.append(row_of(notice))
            case StateDropped(name=name):
                at = self._wall_clock()
                self._rows.append((name, at, "transition", "Unregistered", 0, "", _NO_FACTS))
            case _:
                return
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(GATHER_S, self.flush)


def row_of(notice: Settled) -> Written:
    """What an outcome leaves in the history; its cause can only now be told."""
    evidence, word, old_word = notice.evidence, notice.word, notice.old_word
    # asked only where it is not clear: most of a fleet is fine, and stays so
    fine = 200 <= evidence.code < 300 and word == "Registered"
    cause = "fine" if fine and not evidence.contact_missing else notice.why().cause
    changed = word != old_word
    facts = _facts(
        evidence.method,
        evidence.cause,
        evidence.reason,
        evidence.rule,
        evidence.target,
        evidence.granted_s,
        notice.next_attempt_s,
        old_word if changed else None,
    )
    kind = BOTH if changed else "attempt"
    return notice.name, evidence.at, kind, word, evidence.code, cause, facts


_NO_FACTS = as_json({})


# most of a fleet has the same to tell
@lru_cache(maxsize=1024)
def _facts(
    method: str,
    outcome: str,
    reason: str,
    rule: str,
    target: str,
    granted_s: int | None,
    next_s: int,
    old_word: str | None,
) -> str:
    """What is told of an attempt, and the word that it has changed, if it has."""
    facts = {
        "method": method,
        "outcome": outcome,
        "reason": reason,
        "rule": rule,
        "target": target,
        "granted_s": granted_s,
        "next_in_s": next_s,
    }
    return as_json(facts if old_word is None else {**facts, FROM: old_word})
