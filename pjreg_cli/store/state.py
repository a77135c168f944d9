"""What outlives an instance, in one SQLite file: history, and what restarts go on with.

One thread writes, from a bounded queue; whoever records never waits.  What cannot be written is
tried again for as long as there is room for it, then lost, counted and told: a broken, full, locked
or read-only file costs a warning and never a registration.  Readers have connections of their own.
"""

from __future__ import annotations

import json
import logging
import os
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from itertools import chain, repeat
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

from pjreg_cli.cluster.resume import Resumable, left_s
from pjreg_cli.levels import NOTICE
from pjreg_cli.store.schema import MIGRATIONS, VERSION

_log = logging.getLogger("pjreg_cli.store")

ROOM: Final = 20_000
"""Lines of history that may wait to be written."""

KEPT: Final = {"attempt": 50, "transition": 500}
"""Lines of history kept of each registration, by kind."""

_BATCH = 2000
#: rows inserted by one statement; with 16 values each they stay below what SQLite takes (32,766)
_AT_ONCE = 512
#: lines of a registration between two looks at whether it has too many
_PRUNE_AFTER = 25
_BUSY_S = 2.0
_LONGEST_PAUSE_S = 60.0
#: seconds between two looks at whether the file is still there, where nothing is to be written
_LOOK_EVERY_S = 30.0


_encoder = json.JSONEncoder(ensure_ascii=True, default=str)


def _as_json(facts: Mapping[str, object]) -> str:
    try:
        return _known_as_json(tuple(facts.items()))
    except TypeError:  # a list, say, which cannot be looked for
        return _encoder.encode(dict(facts))


# most of a fleet has the same to tell
@lru_cache(maxsize=1024, typed=True)
def _known_as_json(facts: tuple[tuple[str, object], ...]) -> str:
    return _encoder.encode(dict(facts))


class HistoryRow(NamedTuple):
    """Something that has happened to a registration."""

    name: str
    at: float
    """Seconds since 1970."""
    kind: str
    """`transition` (its word has changed) or `attempt` (one has settled)."""
    word: str
    """`Registered`, `Rejected`, `Unregistered`, ... from then on."""
    code: int = 0
    cause: str = ""
    facts: Mapping[str, object] = {}
    """More, as JSON knows it.  No secrets."""


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
        self._history: deque[HistoryRow] = deque()
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

    def record(self, rows: Iterable[HistoryRow]) -> None:
        """Add lines of history; those for which there is no room are lost and counted."""
        with self._work:
            for row in rows:
                if len(self._history) < self._room:
                    self._history.append(row)
                else:
                    self.lost += 1
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
        left = len(self._history)
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
                    lambda: self._history or self._resume or self._closing, _LOOK_EVERY_S
                )
                lines = [self._history.popleft() for _ in range(min(_BATCH, len(self._history)))]
                rows, self._resume = self._resume, {}
                closing = self._closing
                self._busy = True
            failure = self._attempt(lines, rows) if lines or rows or self._missing() else ""
            if self._gone and self._connection is not None:
                self._gone = False
                self.begun_anew()
            with self._work:
                self._busy = False
                if failure:
                    self._put_back(lines, rows)
                    pause_s = min(max(1.0, pause_s * 2), _LONGEST_PAUSE_S)
                else:
                    pause_s = 0.0
                self._tell(failure)
                self._work.notify_all()
                if closing and (failure or not (self._history or self._resume)):
                    break
        if self._connection is not None:
            self._connection.close()

    def _attempt(
        self, lines: list[HistoryRow], rows: dict[str, tuple[float, Resumable] | None]
    ) -> str:
        """Write one batch; why it was not written, empty when it was."""
        try:
            if self._connection is not None and self._missing():
                # SQLite would go on with what nobody can read any more
                _log.warning(
                    "%s was removed, emptied or replaced: what it held is lost, a new one is begun;"
                    " registrations go on",
                    self.path,
                )
                self._gone = True
                self._connection.close()
                self._connection = None
            if self._connection is None:
                self._connection = _open(self.path)
                self._identity = _identity(self.path)
            connection = self._connection
            with connection:
                connection.execute("BEGIN IMMEDIATE")
                _write_history(connection, lines)
                _write_resume(connection, rows)
                self._prune(connection, lines)
        except (sqlite3.Error, OSError, ValueError) as error:
            if self._connection is not None:
                self._connection.close()
                self._connection = None
            return self._put_aside(error) or str(error)
        return ""

    def _missing(self) -> bool:
        """Whether the file that is open has been removed, emptied or replaced."""
        return self._connection is not None and _identity(self.path) != self._identity

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
        self, lines: list[HistoryRow], rows: dict[str, tuple[float, Resumable] | None]
    ) -> None:
        room = self._room - len(self._history)
        kept = lines[len(lines) - min(room, len(lines)) :]
        self.lost += len(lines) - len(kept)
        self._history.extendleft(reversed(kept))
        self._resume = rows | self._resume

    def _tell(self, failure: str) -> None:
        """Say it once when it begins and once when it ends."""
        before, self.trouble = self.trouble, failure
        if failure and not before:
            _log.warning("%s cannot be written: %s; registrations go on", self.path, failure)
        elif before and not failure:
            _log.log(NOTICE, "%s is written again; %d lines were lost", self.path, self.lost)

    def _prune(self, connection: sqlite3.Connection, lines: list[HistoryRow]) -> None:
        """Drop the oldest lines of who has too many."""
        for line in lines:
            self._since_pruned[line.name] = self._since_pruned.get(line.name, 0) + 1
        for name in {line.name for line in lines}:
            if self._since_pruned[name] < _PRUNE_AFTER:
                continue
            self._since_pruned[name] = 0
            for kind, kept in KEPT.items():
                connection.execute(
                    "DELETE FROM history WHERE name = ? AND kind = ? AND id <= (SELECT id FROM"
                    " history WHERE name = ? AND kind = ? ORDER BY id DESC LIMIT 1 OFFSET ?)",
                    (name, kind, name, kind, kept),
                )


def _nothing() -> None:
    """Nobody remembers anything."""


# -- the file ---------------------------------------------------------------------------------


def history(path: Path, name: str, limit: int, kind: str = "") -> list[HistoryRow]:
    """The last `limit` lines of a registration, the oldest first, of one kind or of all.

    Needs no instance.  Without a file, or with one that cannot be read, there is no history.
    """
    where, values = ("AND kind = ?", (name, kind, limit)) if kind else ("", (name, limit))
    found = _read(
        path,
        "SELECT name, at, kind, word, code, cause, facts FROM history"
        f" WHERE name = ? {where} ORDER BY id DESC LIMIT ?",
        values,
    )
    return [HistoryRow._make((*row[:6], json.loads(row[6]))) for row in reversed(found)]


def resumable(path: Path, at: float) -> dict[str, Resumable]:
    """What can be gone on with, by name; `at` is now, in seconds since 1970."""
    columns = ", ".join(_RESUME)
    found = {}
    for row in _read(path, f"SELECT {columns} FROM resume", ()):
        values = dict(zip(_RESUME, row, strict=True))
        for what in ("expires", "refresh"):
            instant = values.pop(f"{what}_at")
            values[f"{what}_in_s"] = None if instant is None else instant - at
        found[values["name"]] = left_s(Resumable(**values))
    return found


_RESUME = (
    "name", "identity", "call_id", "cseq", "status", "line", "contact", "target", "received",
    "retries", "requested_s", "granted_s", "expires_at", "refresh_at", "code", "reason",
)  # fmt: skip


# Any: what a column holds is known to the query alone
def _read(path: Path, query: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
    if not path.is_file():
        return []
    try:
        connection = sqlite3.connect(
            f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=_BUSY_S
        )
        try:
            if _version(connection) != VERSION:
                return []
            return connection.execute(query, values).fetchall()
        finally:
            connection.close()
    except (sqlite3.Error, ValueError) as error:
        _log.warning("%s cannot be read: %s", path, error)
        return []


def _open(path: Path) -> sqlite3.Connection:
    """Open for writing, and bring its tables up to date; raises sqlite3.Error or OSError, and
    ValueError for a file of a newer program."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    connection = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        version = _version(connection)
        if version > VERSION:
            raise ValueError(f"it is of a newer program (format {version}, ours is {VERSION})")
        for number, statements in enumerate(MIGRATIONS[version:], version + 1):
            connection.executescript(
                f"BEGIN IMMEDIATE; {statements} PRAGMA user_version = {number}; COMMIT"
            )
    except BaseException:
        connection.close()
        raise
    return connection


def _identity(path: Path) -> tuple[int, int]:
    """Device and number of a file; zeros for none, and for one without anything in it."""
    try:
        found = os.stat(path)
    except OSError:
        return (0, 0)
    return (found.st_dev, found.st_ino) if found.st_size else (0, 0)


def _version(connection: sqlite3.Connection) -> int:
    number: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return number


def _write_history(connection: sqlite3.Connection, lines: list[HistoryRow]) -> None:
    _insert(
        connection,
        "INSERT INTO history (name, at, kind, word, code, cause, facts)",
        [(*line[:6], _as_json(line.facts)) for line in lines],
    )


def _insert(
    connection: sqlite3.Connection, insert: str, rows: Sequence[tuple[object, ...]]
) -> None:
    """Insert many rows at a time: at every step of SQLite this thread lets go of the interpreter,
    and to get it back from a busy loop takes longer than the row."""
    at, number = 0, _AT_ONCE
    while at < len(rows):
        while number > len(rows) - at:
            number //= 2  # few sizes, so that SQLite knows their statements again
        values = tuple(chain.from_iterable(rows[at : at + number]))
        marks = f"({','.join('?' * (len(values) // number))})"
        connection.execute(f"{insert} VALUES {','.join(repeat(marks, number))}", values)
        at += number


def _write_resume(
    connection: sqlite3.Connection, rows: Mapping[str, tuple[float, Resumable] | None]
) -> None:
    gone = [(name,) for name, row in rows.items() if row is None]
    connection.executemany("DELETE FROM resume WHERE name = ?", gone)
    _insert(
        connection,
        f"INSERT OR REPLACE INTO resume ({', '.join(_RESUME)})",
        [_values(*row) for row in rows.values() if row is not None],
    )


def _values(at: float, row: Resumable) -> tuple[object, ...]:
    values = row._asdict()
    for what in ("expires", "refresh"):
        left = values.pop(f"{what}_in_s")
        values[f"{what}_at"] = None if left is None else at + left
    return tuple(values[name] for name in _RESUME)
