"""The tables of a state file, as steps from one version to the next."""

from __future__ import annotations

from typing import Final

MIGRATIONS: Final = (
    """
    CREATE TABLE history (
      id INTEGER PRIMARY KEY,
      name TEXT NOT NULL,
      at REAL NOT NULL,
      kind TEXT NOT NULL,
      word TEXT NOT NULL,
      code INTEGER NOT NULL,
      cause TEXT NOT NULL,
      facts TEXT NOT NULL
    );
    CREATE INDEX history_name ON history (name, kind, id);
    CREATE TABLE resume (
      name TEXT PRIMARY KEY,
      identity TEXT NOT NULL,
      call_id TEXT NOT NULL,
      cseq INTEGER NOT NULL,
      status TEXT NOT NULL,
      line TEXT NOT NULL,
      contact TEXT NOT NULL,
      target TEXT NOT NULL,
      received TEXT NOT NULL,
      retries INTEGER NOT NULL,
      requested_s INTEGER,
      granted_s INTEGER NOT NULL,
      expires_at REAL,
      refresh_at REAL,
      code INTEGER NOT NULL,
      reason TEXT NOT NULL
    ) WITHOUT ROWID;
    """,
)
"""Number n (from 1) makes version n of version n - 1; one that was published never changes."""

VERSION: Final = len(MIGRATIONS)
