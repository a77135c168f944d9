"""Rows of an SQLite file."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from pydantic import SecretStr

from pjreg_cli.config.realtime import Database, Record
from pjreg_cli.errors import ConfigError
from pjreg_cli.store.rows import open_rows


def test_columns_wanted_and_present_without_null(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite3"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute('CREATE TABLE "t""x" (id TEXT, one TEXT, two INTEGER, three TEXT)')
        connection.execute("""INSERT INTO "t""x" VALUES ('a', NULL, 7, 'x'), (NULL, 'y', 1, '')""")
    database = Database(driver="sqlite3", location=SecretStr(str(path)), title=str(path))
    with open_rows(database) as rows:
        found = list(rows.records('t"x', {"one", "two", "four"}, ("id",)))
        assert found == [Record("a", [("two", "7")])]
        assert list(rows.records('t"x', {"two"}, ("id",), only={"b"})) == []
        many = {str(n) for n in range(2000)} | {"a"}
        assert len(list(rows.records('t"x', {"two"}, ("id",), only=many))) == 1


def test_what_is_no_database_is_said(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite3"
    path.write_text("no database, but long enough to be looked at" * 30)
    database = Database(driver="sqlite3", location=SecretStr(str(path)), title=str(path))
    with pytest.raises(ConfigError, match="cannot be read"), open_rows(database) as rows:
        list(rows.records("t", {"one"}, ("id",)))
