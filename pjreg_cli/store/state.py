"""What outlives an instance, in one SQLite file: history, and what restarts go on with.

One thread writes, from a bounded queue; whoever records never waits.  What cannot be written is
tried again for as long as there is room for it, then lost, counted and told: a broken, full, locked
or read-only file costs a warning and never a registration.  Readers have connections of their own.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Self

from pjreg_cli.cluster.resume import Resumable
from pjreg_cli.levels import NOTICE
from pjreg_cli.store.state_file import (
    BOTH,
    HistoryRow,
    Written,
    history,
    identity_of,
    open_file,
    prune,
    resumable,
    write_history,
    write_resume,
)

_log = logging.getLogger("pjreg_cli.store")

ROOM: Final = 20_000
"""Rows of history that may wait to be written."""

_BATCH = 2000
#: rows of a registration between two looks at whether it has too many
_PRUNE_AFTER = 25
#: seconds after which what could not be written is tried again, at first and at most
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 60.0
#: seconds between two looks at whether the file is still there, where nothing is to be written
_LOOK_EVERY_S = 30.0


def now() -> float:
    """Seconds since 1970."""
    return datetime.now(tz=UTC).timestamp()


class Store:
    """The state file of one configuration."""

    def __init__(self, path: Path, clock: Callable[[], float] = now, room: int = ROOM) -> None:
        self.path = path
        self.lost = 0
        """Lines of history that were never written."""
        self.trouble = ""
        """Why nothing can be written at the moment; empty when it can."""
        self.begun_anew: Callable[[], None] = _nothing
        """Called by the thread when the file that was written until then is no more, and another
        takes its place: what is to outlive the program must be remembered once more."""
        self._clock = clock
        self._room = room
        self._history: deque[Written] = deque()
        self._resume: dict[str, tuple[float, Resumable] | None] = {}
        self._since_pruned: dict[str, int] = {}
        self._connection: sqlite3.Connection | None = None
        self._identity = (0, 0)
        """Device and number of the file that is open."""
        self._gone = False
        """The file that was open is not there any more, or is of no use."""
        self._work = threading.Condition()
        self._closing = False
        self._busy = False
        self._thread = threading.Thread(target=self._run, name="state", daemon=True)

    @classmethod
    def open(cls, path: Path, clock: Callable[[], float] = now, room: int = ROOM) -> Self:
        """Begin to write to `path`, which need not exist.  Raises nothing for what is wrong with
        it: `trouble` and the log say so."""
        store = cls(path, clock, room)
        store._thread.start()
        return store

    # -- writing ------------------------------------------------------------------------------

    def record(self, rows: Sequence[Written]) -> None:
        """Add rows of history; those for which there is no room are lost, and their lines
        counted."""
        with self._work:
            room = max(0, self._room - len(self._history))
            self._history.extend(rows[:room])
            self.lost += _lines(rows[room:])
            self._work.notify()

    def remember(self, rows: Iterable[Resumable]) -> None:
        """Keep what these registrations would go on with; the last of one name counts."""
        at = self._clock()
        with self._work:
            self._resume.update((row.name, (at, row)) for row in rows)
            self._work.notify()

    def forget(self, names: Iterable[str]) -> None:
        """These are not to be gone on with."""
        with self._work:
            self._resume.update(dict.fromkeys(names))
            self._work.notify()

    def flush(self, within_s: float = 5.0) -> bool:
        """Wait until everything is written; whether it is."""

        def written() -> bool:
            return not (self._history or self._resume or self._busy)

        with self._work:
            self._work.notify_all()
            return self._work.wait_for(lambda: written() or bool(self.trouble), within_s) and (
                written()
            )

    def close(self, within_s: float = 2.0) -> None:
        """Write what is left, for at most `within_s` seconds, and end."""
        with self._work:
            self._closing = True
            self._work.notify_all()
        if self._thread.is_alive():
            self._thread.join(within_s)
        left = _lines(self._history)
        if self.lost or left:
            _log.warning("%s: %d lines of history were lost", self.path, self.lost + left)

    # -- reading ------------------------------------------------------------------------------

    def history(self, name: str, limit: int, kind: str = "") -> list[HistoryRow]:
        """See `history`; what waits to be written is not in it."""
        return history(self.path, name, limit, kind)

    def resumable(self) -> dict[str, Resumable]:
        """See `resumable`."""
        return resumable(self.path, self._clock())

    # -- the thread ---------------------------------------------------------------------------

    def _run(self) -> None:
        pause_s = 0.0
        while True:
            with self._work:
                if pause_s and not self._closing:
                    self._work.wait_for(lambda: self._closing, pause_s)
                self._work.wait_for(
                    lambda: self._history or self._resume or self._closing or self._gone,
                    _LOOK_EVERY_S,
                )
                rows = [self._history.popleft() for _ in range(min(_BATCH, len(self._history)))]
                states, self._resume = self._resume, {}
                closing = self._closing
                self._busy = True
            gone = self._gone
            wanted = rows or states or gone or self._missing()
            failure = self._attempt(rows, states) if wanted else ""
            another = self._gone and not gone
            if self._gone and self._connection is not None:
                self._gone = False
                self.begun_anew()
            with self._work:
                self._busy = False
                if failure:
                    self._put_back(rows, states)
                    pause_s = min(max(_FIRST_PAUSE_S, pause_s * 2), _LONGEST_PAUSE_S)
                else:
                    pause_s = 0.0
                self._tell(failure)
                self._work.notify_all()
                # a file that is gone makes room for another, also at the end
                if closing and ((failure and not another) or not (self._history or self._resume)):
                    break
        if self._connection is not None:
            self._connection.close()

    def _attempt(
        self, rows: list[Written], states: dict[str, tuple[float, Resumable] | None]
    ) -> str:
        """Write one batch; why it was not written, empty when it was."""
        try:
            if self._missing():
                # SQLite would go on with what nobody can read any more
                self._gone = True
                raise OSError("it was removed, emptied or replaced; a new one is begun")
            if self._connection is None:
                self._connection = open_file(self.path)
                self._identity = identity_of(self.path)
            connection = self._connection
            with connection:
                connection.execute("BEGIN IMMEDIATE")
                write_history(connection, rows)
                write_resume(connection, states)
                self._prune(connection, rows)
        except (sqlite3.Error, OSError, ValueError) as error:
            if self._connection is not None:
                self._connection.close()
                self._connection = None
            return self._put_aside(error) or str(error)
        return ""

    def _missing(self) -> bool:
        """Whether the file that is open has been removed, emptied or replaced."""
        return self._connection is not None and identity_of(self.path) != self._identity

    def _put_aside(self, error: Exception) -> str:
        """A file that is no database any more makes room for a new one."""
        corrupt = getattr(error, "sqlite_errorcode", 0) in (
            sqlite3.SQLITE_CORRUPT,
            sqlite3.SQLITE_NOTADB,
        )
        if not corrupt:
            return ""
        self._gone = True
        aside = self.path.with_name(self.path.name + ".broken")
        try:
            os.replace(self.path, aside)
            for more in ("-wal", "-shm"):
                self.path.with_name(self.path.name + more).unlink(missing_ok=True)
        except OSError as why:
            return f"{error}; it cannot be put aside: {why}"
        return f"{error}; it is kept as {aside.name} and a new one is begun"

    def _put_back(
        self, rows: list[Written], states: dict[str, tuple[float, Resumable] | None]
    ) -> None:
        room = self._room - len(self._history)
        first = len(rows) - min(room, len(rows))
        self.lost += _lines(rows[:first])
        self._history.extendleft(reversed(rows[first:]))
        self._resume = states | self._resume

    def _tell(self, failure: str) -> None:
        """Say it once when it begins and once when it ends."""
        before, self.trouble = self.trouble, failure
        if failure and not before:
            _log.warning("%s cannot be written: %s; registrations go on", self.path, failure)
        elif before and not failure:
            _log.log(NOTICE, "%s is written again; %d lines were lost", self.path, self.lost)

    def _prune(self, connection: sqlite3.Connection, rows: list[Written]) -> None:
        """Drop the oldest rows of who has too many."""
        since = self._since_pruned
        for row in rows:
            name = row[0]
            number = since[name] = since.get(name, 0) + 1
            if number >= _PRUNE_AFTER:
                since[name] = 0
                prune(connection, name)


def _lines(rows: Iterable[Written]) -> int:
    """How many lines these rows hold."""
    return sum(2 if row[2] == BOTH else 1 for row in rows)


def _nothing() -> None:
    """Nobody remembers anything."""
