"""What the registrations of a fleet go on with, in PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from pjreg_cli.cluster.messages import Times
from pjreg_cli.cluster.resume import Resumable, left_s
from pjreg_cli.store.connection import Connection, rows_of
from pjreg_cli.store.sql import Names

#: how long reading the states of shards may take, each step of it and in all, in seconds
_STEP_S = 10.0
_WHOLE_S = 60.0
#: rows that come at once: making these keeps everybody else waiting
_AT_ONCE = 500

COLUMNS: Final = (
    "shard", "id", "epoch", "identity", "call_id", "cseq", "line", "contact", "target",
    "received", "status", "retries", "requested_s", "granted_s", "expires_at", "refresh_at",
    "code", "reason",
)  # fmt: skip
"""Of `pjreg.state`."""

_TYPES = (
    "smallint", "text", "bigint", "text", "text", "bigint", "text", "text", "text", "text",
    "text", "integer", "bigint", "bigint", "float8", "float8", "smallint", "text",
)  # fmt: skip


class StateTable:
    """Written over one connection, read over another for each reading."""

    def __init__(self, conninfo: str, name: str, names: Names) -> None:
        self._conninfo = conninfo
        self._name = name
        self._names = names
        self._times = Times()
        self._writer: Connection | None = None

    def _sql(self, query: str) -> bytes:
        return self._names.applied(query).encode()

    async def close(self) -> None:
        """End everything."""
        writer, self._writer = self._writer, None
        if writer is not None:
            await writer.close()

    async def write(self, rows: Sequence[Resumable], me: int | None) -> None:
        """Keep what these registrations go on with, as far as we own their shards under the epochs
        that they name; raises StoreError."""
        left = sorted(rows, key=_key)
        # nearly all have a row, and changing those alone costs half
        there = set(await self._put(_UPDATE, left, me))
        if new := [row for row in left if _key(row) not in there]:
            await self._put(_UPSERT, new, me)

    async def _put(
        self, query: str, rows: Sequence[Resumable], me: int | None
    ) -> list[tuple[Any, ...]]:
        """What a statement returns that is given the columns of `rows`.  Any: see `rows_of`."""
        writer = await self._open_writer()
        lists = [list(column) for column in zip(*map(_values, rows), strict=True)]
        return await writer.run(
            3 * self._times.answer_s / 2, rows_of(writer, self._sql(query), (*lists, me))
        )

    async def _open_writer(self) -> Connection:
        if self._writer is None or self._writer.closed:
            self._writer = await Connection.open(
                self._conninfo,
                f"{self._name} journal",
                # one plan for all would look through whole shards: nobody knows how many rows come
                setup="SET synchronous_commit = off; SET plan_cache_mode = force_custom_plan",
            )
        return self._writer

    async def forget(self, rows: Sequence[tuple[int, str]], me: int | None) -> None:
        """Keep nothing of these (shard, name), as far as we own their shards; raises StoreError."""
        writer = await self._open_writer()
        values = ([shard for shard, _ in rows], [name for _, name in rows], me)
        query = (
            "DELETE FROM pjreg.state t USING unnest(%s::smallint[], %s::text[]) u (shard, id)"
            " JOIN pjreg.shard s ON s.shard = u.shard AND s.owner = %s"
            " WHERE t.shard = u.shard AND t.id = u.id"
        )
        await writer.run(
            self._times.answer_s, rows_of(writer, self._sql(query), values, fetch=False)
        )

    async def states(self, shards: Iterable[int]) -> dict[str, Resumable]:
        """What the registrations of these shards go on with, by name; raises StoreError."""
        connection = await Connection.open(self._conninfo, f"{self._name} load")
        found: dict[str, Resumable] = {}

        async def read() -> None:
            async with connection.inner.transaction(), connection.inner.cursor("states") as cursor:
                await connection.run(_STEP_S, cursor.execute(self._sql(_STATES), (list(shards),)))
                while rows := await connection.run(_STEP_S, cursor.fetchmany(_AT_ONCE)):
                    for row in rows:
                        one = _resumable(row)
                        found[one.name] = one

        try:
            await connection.run(_WHOLE_S, read())
        finally:
            await connection.close()
        return found


def _key(row: Resumable) -> tuple[int, str]:
    return row.shard, row.name


def _values(row: Resumable) -> tuple[object, ...]:
    return (
        row.shard, row.name, row.epoch, row.identity, row.call_id, row.cseq, row.line, row.contact,
        row.target, row.received, row.status, row.retries, row.requested_s, row.granted_s,
        row.expires_in_s, row.refresh_in_s, row.code, row.reason.replace("\0", ""),
    )  # fmt: skip


def _resumable(row: tuple[Any, ...]) -> Resumable:
    values = dict(zip(COLUMNS, row, strict=True))
    return left_s(
        Resumable(
            name=values.pop("id"),
            expires_in_s=values.pop("expires_at"),
            refresh_in_s=values.pop("refresh_at"),
            **values,
        )
    )


def _selected(column: str) -> str:
    if column.endswith("_at"):
        return f"extract(epoch FROM {column} - clock_timestamp())::float8"
    return column


def _written(column: str) -> str:
    if column.endswith("_at"):
        return f"clock_timestamp() + make_interval(secs => u.{column})"
    return f"u.{column}"


_STATES = f"SELECT {', '.join(map(_selected, COLUMNS))} FROM pjreg.state WHERE shard = ANY (%s)"
_GIVEN = (
    f" FROM unnest({', '.join(f'%s::{kind}[]' for kind in _TYPES)}) u ({', '.join(COLUMNS)})"
    " JOIN pjreg.shard s ON s.shard = u.shard AND s.owner = %s AND s.epoch = u.epoch"
)
_UPDATE = (
    "UPDATE pjreg.state t SET"
    f" {', '.join(f'{column} = {_written(column)}' for column in COLUMNS[2:])},"
    f" settled_at = clock_timestamp(){_GIVEN}"
    " WHERE t.shard = u.shard AND t.id = u.id AND t.epoch <= u.epoch RETURNING t.shard, t.id"
)
_UPSERT = (
    f"INSERT INTO pjreg.state AS t ({', '.join(COLUMNS)}, settled_at)"
    f" SELECT {', '.join(map(_written, COLUMNS))}, clock_timestamp(){_GIVEN}"
    " ON CONFLICT (shard, id) DO UPDATE SET"
    f" {', '.join(f'{column} = excluded.{column}' for column in (*COLUMNS[2:], 'settled_at'))}"
    " WHERE t.epoch <= excluded.epoch"
)
