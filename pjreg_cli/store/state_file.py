"""The state file: its rows, and how they are written and read."""

from __future__ import annotations

import json
import logging
import os
import sqlite3
from collections.abc import Mapping, Sequence
from itertools import chain, repeat
from pathlib import Path
from typing import Any, Final, NamedTuple

from pjreg_cli.cluster.resume import Resumable, left_s
from pjreg_cli.store.schema import MIGRATIONS, VERSION

_log = logging.getLogger("pjreg_cli.store")

KEPT: Final = {"attempt": 50, "transition": 500}
"""Lines of history kept of each registration, by kind."""

BOTH: Final = "both"
"""The kind of a row that holds two lines: an attempt, and the change of the word it led to."""
FROM: Final = "from"
"""The fact of such a row that is the word before."""
#: rows inserted by one statement; with 16 values each they stay below what SQLite takes (32,766)
_AT_ONCE = 512
_BUSY_S = 2.0


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


# a bare tuple, as a fleet makes thousands a second
Written = tuple[str, float, str, str, int, str, str]
"""A row as it is kept: what a `HistoryRow` has, of kind `both` where it is two of them, and its
facts as JSON."""


def lines_of(row: Written) -> tuple[HistoryRow, ...]:
    """The lines that a row holds."""
    facts = json.loads(row[6])
    if row[2] != BOTH:
        return (HistoryRow(*row[:6], facts),)
    before = facts.pop(FROM)
    attempt = HistoryRow(*row[:6], facts)._replace(kind="attempt")
    more = {FROM: before, "outcome": facts.get("outcome")}
    return attempt, attempt._replace(kind="transition", facts=more)


def history(path: Path, name: str, limit: int, kind: str = "") -> list[HistoryRow]:
    """The last `limit` lines of a registration, the oldest first, of one kind or of all.

    Needs no instance.  Without a file, or with one that cannot be read, there is no history.
    """
    where = "AND kind IN (?, ?)" if kind else ""
    values = (name, kind, BOTH, limit) if kind else (name, limit)
    found = _read(
        path,
        "SELECT name, at, kind, word, code, cause, facts FROM history"
        f" WHERE name = ? {where} ORDER BY id DESC LIMIT ?",
        values,
    )
    lines = (line for row in reversed(found) for line in lines_of(row))
    return [line for line in lines if kind in ("", line.kind)][-limit:]


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
#: the first columns are the first fields of `Resumable`, so many; the last ones follow the instants
_BEFORE = _RESUME.index("expires_at")
_BEHIND = _RESUME.index("code")


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


def open_file(path: Path) -> sqlite3.Connection:
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


def identity_of(path: Path) -> tuple[int, int]:
    """Device and number of a file; zeros for none, and for one without anything in it."""
    try:
        found = os.stat(path)
    except OSError:
        return (0, 0)
    return (found.st_dev, found.st_ino) if found.st_size else (0, 0)


def _version(connection: sqlite3.Connection) -> int:
    number: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return number


def write_history(connection: sqlite3.Connection, rows: Sequence[Written]) -> None:
    """Add rows of history.  Raises sqlite3.Error."""
    insert = "INSERT INTO history (name, at, kind, word, code, cause, facts)"
    _insert(connection, insert, rows)


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


def write_resume(
    connection: sqlite3.Connection, rows: Mapping[str, tuple[float, Resumable] | None]
) -> None:
    """Keep or drop what restarts go on with, by name; each with the instant it was so.  Raises
    sqlite3.Error."""
    gone = [(name,) for name, row in rows.items() if row is None]
    connection.executemany("DELETE FROM resume WHERE name = ?", gone)
    _insert(
        connection,
        f"INSERT OR REPLACE INTO resume ({', '.join(_RESUME)})",
        [_values(*row) for row in rows.values() if row is not None],
    )


def _values(at: float, row: Resumable) -> tuple[object, ...]:
    expires_at = None if row.expires_in_s is None else at + row.expires_in_s
    refresh_at = None if row.refresh_in_s is None else at + row.refresh_in_s
    return (*row[:_BEFORE], expires_at, refresh_at, *row[_BEHIND : len(_RESUME)])


def prune(connection: sqlite3.Connection, name: str) -> None:
    """Drop the oldest lines of a registration that has too many.  Raises sqlite3.Error."""
    for kind, kept in KEPT.items():
        # what has changed the word is kept as long as that
        both = BOTH if kind == "transition" else kind
        connection.execute(
            "DELETE FROM history WHERE name = ? AND kind IN (?, ?) AND id <= (SELECT id FROM"
            " history WHERE name = ? AND kind IN (?, ?) ORDER BY id DESC LIMIT 1 OFFSET ?)",
            (name, kind, both, name, kind, both, kept),
        )


as_json: Final = json.JSONEncoder(ensure_ascii=True, default=str).encode
"""Facts as they are kept."""
