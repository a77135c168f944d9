"""Tables of configuration in an SQLite file, as Asterisk's res_config_sqlite3 keeps them."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Self

from pjreg_cli.config.realtime import Record
from pjreg_cli.errors import ConfigError, excerpt

if TYPE_CHECKING:
    from pjreg_cli.config.realtime import Database

_BUSY_S = 5.0
_AT_ONCE = 2000
#: ids of one query: SQLite takes 999 values at least
_IDS = 500


class SqliteRows:
    """An open file; everything is read in one transaction."""

    def __init__(self, connection: sqlite3.Connection, title: str) -> None:
        self._connection = connection
        self._title = title

    @classmethod
    @contextmanager
    def open(cls, database: Database) -> Iterator[Self]:
        """Open the file for reading; raises ConfigError."""
        path = Path(database.location.get_secret_value())
        if not path.is_file():
            raise ConfigError("there is no such file", str(path))
        try:
            with closing(
                sqlite3.connect(
                    f"{path.resolve().as_uri()}?mode=ro",
                    uri=True,
                    timeout=_BUSY_S,
                    isolation_level=None,
                )
            ) as connection:
                connection.execute("BEGIN")
                yield cls(connection, database.title)
        except sqlite3.Error as error:
            raise ConfigError(f"cannot be read: {error}", str(path)) from error

    def records(
        self,
        table: str,
        wanted: Collection[str],
        required: Collection[str],
        only: Collection[str] | None = None,
        shards: Collection[int] | None = None,
    ) -> Iterator[Record]:
        """See `config.realtime.Rows`."""
        info = self._connection.execute(f"PRAGMA table_info({_name(table)})").fetchall()
        present = [row[1] for row in info]
        check_columns(f"{table} of {self._title}", present, required)
        columns = [column for column in present if column in wanted]
        query = (
            f"SELECT {', '.join(map(_name, ['id', *columns]))} FROM {_name(table)}"
            " WHERE id IS NOT NULL"
        )
        if shards is not None:
            raise ConfigError("many machines cannot share an SQLite file", self._title)
        if only is None:
            yield from self._found(query, (), columns)
            return
        ids = sorted(only)
        for start in range(0, len(ids), _IDS):
            some = ids[start : start + _IDS]
            marks = ",".join("?" * len(some))
            yield from self._found(f"{query} AND id IN ({marks})", tuple(some), columns)

    def _found(self, query: str, values: tuple[str, ...], columns: list[str]) -> Iterator[Record]:
        cursor = self._connection.execute(query, values)
        while rows := cursor.fetchmany(_AT_ONCE):
            for id_, *texts in rows:
                yield record(str(id_), columns, texts)


def record(id_: str, columns: Collection[str], texts: Collection[object]) -> Record:
    """A row without what is null."""
    pairs = zip(columns, texts, strict=True)
    return Record(id_, [(column, _text(value)) for column, value in pairs if value is not None])


def check_columns(table: str, present: Collection[str], required: Collection[str]) -> None:
    """Raise ConfigError when a table is not there or lacks what it needs."""
    if not present:
        raise ConfigError("there is no such table", table)
    missing = [column for column in required if column not in present]
    if missing:
        raise ConfigError(f"it has no column {' and no column '.join(missing)}", table)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else str(value)


def _name(text: str) -> str:
    """A table or column, quoted."""
    if "\0" in text:
        raise ConfigError("is no name of a table", excerpt(text))
    return '"' + text.replace('"', '""') + '"'
