"""Tables of configuration in PostgreSQL, as Asterisk's alembic makes them."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from pjreg_cli.config import location
from pjreg_cli.config.realtime import Record
from pjreg_cli.errors import ConfigError
from pjreg_cli.store.sqlite_rows import check_columns, record

if TYPE_CHECKING:
    from pjreg_cli.config.realtime import Database

_CONNECT_S = 5
_AT_ONCE = 2000


class PostgresRows:
    """An open connection; everything is read in one transaction that writes nothing."""

    # Any: what a row holds is known to its query alone
    def __init__(
        self, connection: psycopg.Connection[tuple[Any, ...]], title: str, schema: str
    ) -> None:
        self._connection = connection
        self._title = title
        self._schema = schema
        self._cursors = 0

    @classmethod
    @contextmanager
    def open(cls, database: Database) -> Iterator[Self]:
        """Connect; raises ConfigError."""
        conninfo = database.location.get_secret_value()
        try:
            connection = psycopg.connect(
                encrypted(conninfo),
                connect_timeout=_CONNECT_S,
                client_encoding="UTF8",
            )
        except (psycopg.Error, OSError) as error:
            why = reason(error, conninfo)
            raise ConfigError(f"cannot be reached: {why}", database.title) from None
        try:
            with connection:
                connection.execute(
                    "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY;"
                    " SET LOCAL lock_timeout = '3s'; SET LOCAL statement_timeout = '60s'"
                )
                yield cls(connection, database.title, database.schema)
        except psycopg.Error as error:
            raise ConfigError(f"cannot be read: {reason(error)}", database.title) from error
        finally:
            connection.close()

    def records(
        self,
        table: str,
        wanted: Collection[str],
        required: Collection[str],
        only: Collection[str] | None = None,
        shards: Collection[int] | None = None,
    ) -> Iterator[Record]:
        """See `config.realtime.Rows`; of `shards` those of these shards alone."""
        name = sql.Identifier(*table.split("."))
        present = self._columns(table)
        check_columns(f"{table} of {self._title}", present, required)
        columns = [column for column in present if column in wanted]
        query = sql.SQL("SELECT {} FROM {} WHERE id IS NOT NULL").format(
            sql.SQL(", ").join(
                sql.SQL("{}::text").format(sql.Identifier(column)) for column in ["id", *columns]
            ),
            name,
        )
        values: list[object] = []
        if only is not None:
            query += sql.SQL(" AND id = ANY (%s)")
            values.append(sorted(only))
        if shards is not None:
            function = sql.Identifier(self._schema, "shard_of")
            query += sql.SQL(" AND {}(id) = ANY (%s::smallint[])").format(function)
            values.append(sorted(shards))
        self._cursors += 1
        with self._connection.cursor(f"rows{self._cursors}") as cursor:
            cursor.execute(query, values)
            while rows := cursor.fetchmany(_AT_ONCE):
                for id_, *texts in rows:
                    yield record(id_, columns, texts)

    def _columns(self, table: str) -> list[str]:
        found = self._connection.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(%s)"
            " AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
            (".".join(f'"{part}"' for part in table.replace('"', "").split(".")),),
        )
        return [row[0] for row in found]


def encrypted(conninfo: str) -> str:
    """How to connect, by TLS with a certificate that is checked where the server is another machine
    and nothing else is written down: the password of every account comes over it."""
    try:
        given = conninfo_to_dict(conninfo)
    except psycopg.Error:
        return conninfo  # connecting says what is wrong with it
    if given.keys() & {"sslmode", "service"} or os.environ.keys() & {"PGSSLMODE", "PGSERVICE"}:
        return conninfo
    hosts = str(given.get("host") or given.get("hostaddr") or os.environ.get("PGHOST", ""))
    if all(_is_here(host) for host in hosts.split(",")):
        return conninfo
    return make_conninfo(conninfo, sslmode="verify-full")


def _is_here(host: str) -> bool:
    return not host or host[0] in "/@" or host in ("localhost", "::1") or host.startswith("127.")


def reason(error: Exception, conninfo: str = "") -> str:
    """What went wrong, its first line and SQLSTATE: nothing that may repeat a value, nor what was
    wrong in a connection string."""
    first = next(iter(str(error).strip().splitlines()), type(error).__name__)
    first = location.cleaned(first, conninfo)
    if not isinstance(error, psycopg.Error):
        return first
    state = error.sqlstate
    return f"{first} ({state})" if state else first
