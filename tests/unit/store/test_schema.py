"""Every version of the tables leads to the next."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from pjreg_cli.store.schema import MIGRATIONS, VERSION


def test_all_migrations_run_in_order() -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        for statements in MIGRATIONS:
            connection.executescript(statements)
        tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
    assert {"history", "resume"} <= tables
    assert len(MIGRATIONS) == VERSION
