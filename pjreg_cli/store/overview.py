"""A fleet as its operator sees and steers it, asked of its database."""

from __future__ import annotations

import asyncio
import getpass
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Mapping,
    Sequence,
)
from contextlib import asynccontextmanager
from sys import intern
from typing import TYPE_CHECKING, Any, Final

from pjreg_cli.api.cluster import (
    ClusterView,
    FleetRow,
    Found,
    MachineRow,
    ShardRow,
    ThisMachine,
    Wanted,
)
from pjreg_cli.api.registrations import RegistrationRow
from pjreg_cli.config.shards import SHARDS, shard_of
from pjreg_cli.errors import StoreError
from pjreg_cli.registration.state import Status
from pjreg_cli.store.sql import FORMAT, OLDEST, Names, names_of, schema

if TYPE_CHECKING:
    from pjreg_cli.config.settings import Settings
    from pjreg_cli.store.connection import Connection

_WITHIN_S = 5.0
#: of very many rows so many come at once, within so many seconds
_AT_ONCE = 2000
_MANY_S = 20.0
#: what a machine does with which table
_RIGHTS: Final = (
    ("ps_registrations", "SELECT"),
    ("ps_auths", "SELECT"),
    ("pjreg.cluster", "UPDATE"),
    ("pjreg.instance", "INSERT"),
    ("pjreg.instance", "UPDATE"),
    ("pjreg.shard", "UPDATE"),
    ("pjreg.state", "INSERT"),
    ("pjreg.state", "UPDATE"),
    ("pjreg.state", "DELETE"),
    ("pjreg.request", "INSERT"),
    ("pjreg.request", "UPDATE"),
)
_COLUMNS: Final = (
    ("ps_registrations", "client_uri"),
    ("ps_registrations", "server_uri"),
    ("ps_auths", "username"),
)
#: machines that have ended are shown for so long, in seconds
_SHOWN_S = 3600
#: how often it is looked whether a request has been carried out
_LOOK_S = 0.1


class Overview:
    """`api.cluster.Cluster` by the settings in force; each question has its own connection."""

    def __init__(
        self,
        settings: Callable[[], Settings],
        this: Callable[[], ThisMachine | None] = lambda: None,
    ) -> None:
        self._settings = settings
        self.this = this

    @property
    def name(self) -> str:
        """See api.cluster.Cluster."""
        return self._settings().cluster.name

    def schema(self, *, triggers: bool, lease_ms: int) -> str:
        """See api.cluster.Cluster."""
        names = names_of(self._settings())
        return schema(triggers=triggers, lease_ms=lease_ms, names=names)

    async def view(self) -> ClusterView:
        """See api.cluster.Cluster."""
        loop = asyncio.get_running_loop()
        async with self._open() as ask:
            asked_at = loop.time()
            ((timeline, lease_ms, shards, unowned),) = await ask(
                "SELECT pjreg.timeline(), lease_ms, (SELECT count(*) FROM pjreg.shard),"
                " (SELECT count(*) FROM pjreg.shard s WHERE NOT EXISTS (SELECT FROM pjreg.instance"
                " i WHERE i.incarnation = s.owner AND i.state IN ('live', 'draining')))"
                " FROM pjreg.cluster"
            )
            answers_s = loop.time() - asked_at
            machines = await ask(
                "SELECT DISTINCT ON (name) name, state, host, (SELECT count(*) FROM pjreg.shard s"
                " WHERE s.owner = i.incarnation), registered, rejected, unregistered,"
                " extract(epoch FROM clock_timestamp() - coalesce(ended_at,"
                " expires_at - make_interval(secs => %s)))::float8, coalesce(ended_by, '')"
                " FROM pjreg.instance i WHERE state IN ('live', 'draining')"
                " OR ended_at > clock_timestamp() - make_interval(secs => %s)"
                " ORDER BY name, joined_at DESC",
                (lease_ms / 1000, _SHOWN_S),
            )
        settings = self._settings()
        table = settings.mapped.table
        return ClusterView(
            schema=settings.cluster.schema,
            database="" if table is None else table.database.title,
            answers_s=answers_s,
            timeline=timeline,
            lease_s=lease_ms / 1000,
            shards=shards,
            unowned=unowned,
            machines=tuple(MachineRow(*row) for row in machines),
            this=self.this(),
        )

    async def shards(self) -> Sequence[ShardRow]:
        """See api.cluster.Cluster."""
        async with self._open() as ask:
            rows = await ask(
                "SELECT s.shard, coalesce(o.name, ''), s.epoch,"
                " extract(epoch FROM clock_timestamp() - s.since)::float8, coalesce(w.name, '')"
                " FROM pjreg.shard s LEFT JOIN pjreg.instance o ON o.incarnation = s.owner"
                " AND o.state IN ('live', 'draining')"
                " LEFT JOIN pjreg.instance w ON w.incarnation = s.wanted ORDER BY s.shard"
            )
        return [ShardRow(*row) for row in rows]

    async def registrations(self, wanted: Wanted) -> AsyncGenerator[Sequence[FleetRow], None]:
        """See api.cluster.Cluster.  Each page is a question of its own: who reads slowly holds no
        transaction, and nothing in memory."""
        statuses = [status.value for status in Status if status.word == wanted.word]
        query = (
            # of each page, whatever of it is wanted, the last name comes back
            "WITH r AS MATERIALIZED (SELECT id, server_uri, outbound_auth FROM ps_registrations"
            " WHERE id > %(after)s ORDER BY id LIMIT %(most)s)"
            " SELECT p.last, q.* FROM (SELECT max(id) AS last FROM r) p LEFT JOIN ("
            "SELECT r.id, r.server_uri, trim(split_part(coalesce(r.outbound_auth, ''), ',', 1)),"
            " t.status, extract(epoch FROM t.refresh_at - clock_timestamp())::float8,"
            " coalesce(i.name, '')"
            " FROM r JOIN pjreg.shard s ON s.shard = pjreg.shard_of(r.id)"
            " LEFT JOIN pjreg.instance i ON i.incarnation = s.owner"
            " AND i.state IN ('live', 'draining')"
            # looked up by its index: a plan that reads all states for each page is never good
            " LEFT JOIN LATERAL (SELECT status, refresh_at FROM pjreg.state"
            " WHERE shard = s.shard AND id = r.id OFFSET 0) t ON true"
            " WHERE (%(word)s = '' OR coalesce(t.status, 'unregistered') = ANY (%(statuses)s))"
            " AND (%(instance)s = '' OR i.name = %(instance)s)"
            ") q ON true ORDER BY q.id"
        )
        values: dict[str, object] = {
            "word": wanted.word, "statuses": statuses, "instance": wanted.instance,
            "after": "", "most": _AT_ONCE,
        }  # fmt: skip
        fits = wanted.fits
        async with self._open() as ask:
            while (rows := await ask.many(query, values))[0][0] is not None:
                values["after"] = rows[0][0]
                yield [
                    _row(*row)
                    for _, *row in rows
                    if row[0] is not None and (fits is None or fits(row[0]))
                ]

    async def find(self, name: str) -> Found | None:
        """See api.cluster.Cluster."""
        async with self._open() as ask:
            rows = await ask(
                "SELECT r.id, s.shard, coalesce(i.name, ''), coalesce(t.status, 'unregistered'),"
                " coalesce(t.code, 0), coalesce(t.reason, ''),"
                " extract(epoch FROM t.refresh_at - clock_timestamp())::float8,"
                " extract(epoch FROM t.expires_at - clock_timestamp())::float8,"
                " extract(epoch FROM clock_timestamp() - t.settled_at)::float8"
                " FROM ps_registrations r JOIN pjreg.shard s ON s.shard = pjreg.shard_of(r.id)"
                " LEFT JOIN pjreg.instance i ON i.incarnation = s.owner"
                " AND i.state IN ('live', 'draining')"
                " LEFT JOIN pjreg.state t ON t.shard = s.shard AND t.id = r.id WHERE r.id = %s",
                (name,),
            )
        return Found(*rows[0]) if rows else None

    async def send(self, verb: str, name: str, within_s: float) -> str:
        """See api.cluster.Cluster."""
        found = await self.find(name)
        if found is None:
            return f"the fleet has no registration {name}"
        if not found.owner:
            return f"nobody owns shard {found.shard} at the moment"
        loop = asyncio.get_running_loop()
        async with self._open() as ask:
            ((number,),) = await ask(
                "INSERT INTO pjreg.request (shard, id, verb, asked_by) VALUES (%s, %s, %s, %s)"
                " RETURNING number",
                (shard_of(name), name, verb, f"{getpass.getuser()} {self.name}".strip()),
            )
            await ask("SELECT pg_notify(%s, 'request')", (ask.names.schema,))
            end = loop.time() + within_s
            while loop.time() < end:
                if await ask(
                    "SELECT 1 FROM pjreg.request WHERE number = %s AND done_at IS NOT NULL",
                    (number,),
                ):
                    return ""
                await asyncio.sleep(_LOOK_S)
        return f"{found.owner} has not done it within {within_s:.0f} s"

    async def drain(self, name: str, on: bool) -> bool:
        """See api.cluster.Cluster."""
        async with self._open() as ask:
            changed = await ask(
                "UPDATE pjreg.instance SET state = %s WHERE name = %s"
                " AND state IN ('live', 'draining') RETURNING 1",
                ("draining" if on else "live", name),
            )
            await ask("SELECT pg_notify(%s, 'plan')", (ask.names.schema,))
        return bool(changed)

    async def reload(self) -> int:
        """See api.cluster.Cluster."""
        async with self._open() as ask:
            await ask("SELECT pg_notify(%s, 'reload')", (ask.names.schema,))
            ((alive,),) = await ask(
                "SELECT count(*) FROM pjreg.instance WHERE state IN ('live', 'draining')"
            )
        return int(alive)

    async def check(self) -> Sequence[tuple[bool, str]]:
        """See api.cluster.Cluster."""
        async with self._open() as ask:
            from pjreg_cli.store.states import COLUMNS

            ((version, encrypted, most, local),) = await ask(
                "SELECT current_setting('server_version_num')::int, coalesce((SELECT ssl FROM"
                " pg_stat_ssl WHERE pid = pg_backend_pid()), false),"
                " current_setting('max_connections')::int,"
                " inet_server_addr() IS NULL OR host(inet_server_addr()) IN ('127.0.0.1', '::1')"
            )
            ((made, index),) = await ask(
                "SELECT to_regclass('pjreg.cluster') IS NOT NULL,"
                " to_regclass('ps_registrations') IS NULL"  # which is said below
                " OR EXISTS (SELECT FROM pg_index WHERE indrelid = to_regclass('ps_registrations')"
                " AND strpos(pg_get_indexdef(indexrelid), 'shard_of') > 0)"
            )
            ((format_, shards, alive),) = (
                await ask(
                    "SELECT max(format), max(shards), (SELECT count(*) FROM pjreg.instance"
                    " WHERE state IN ('live', 'draining')) FROM pjreg.cluster"
                )
                if made
                else [(None, None, 0)]
            )
            rights = await ask(
                "SELECT name, privilege, CASE WHEN to_regclass(name) IS NOT NULL"
                " THEN has_table_privilege(to_regclass(name), privilege) END"
                " FROM unnest(%s::text[], %s::text[]) v (name, privilege)",
                ask.columns(_RIGHTS),
            )
            columns = await ask(
                "SELECT name || '.' || wanted FROM unnest(%s::text[], %s::text[]) v (name, wanted)"
                " WHERE to_regclass(name) IS NOT NULL AND NOT EXISTS (SELECT FROM pg_attribute"
                " WHERE attrelid = to_regclass(name) AND attname = wanted AND NOT attisdropped)",
                ask.columns([*_COLUMNS, *(("pjreg.state", column) for column in COLUMNS)]),
            )
        found = [
            (
                version >= OLDEST,
                f"PostgreSQL {version // 10000}, {OLDEST // 10000} or newer is needed",
            ),
            (encrypted or local, "the connection is encrypted, or stays on this machine"),
            (bool(index), "ps_registrations has the index of its shards"),
            (format_ == FORMAT, f"the tables have format {format_ or 'none'}, {FORMAT} is needed"),
            (shards == SHARDS, f"there are {shards or 'no'} shards, {SHARDS} are needed"),
            (most >= 3 * alive + 10, f"max_connections is {most}, for {alive} machines"),
        ]
        found += [(bool(ok), _right(table, right, ok)) for table, right, ok in rights]
        return [*found, *((False, f"there is no column {name}") for (name,) in columns)]

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[_Asking]:
        """Ask over one connection."""
        settings = self._settings()
        table = settings.mapped.table
        if not settings.cluster.name or table is None or table.database.driver != "pgsql":
            raise StoreError("this is no machine of a fleet: [cluster] of pjreg.conf names none")
        try:
            from pjreg_cli.store.connection import Connection, rows_of
        except ImportError as error:
            raise StoreError("PostgreSQL needs a driver: pip install 'pjreg-cli[postgres]'") from (
                error
            )
        connection: Connection = await Connection.open(
            table.database.location.get_secret_value(), "pjreg-cli"
        )
        try:
            yield _Asking(connection, names_of(settings), rows_of)
        finally:
            await connection.close()


def _row(
    name: str, uri: str | None, auth: str, status: str | None, due_s: float | None, instance: str
) -> FleetRow:
    word = None if status is None else Status(status).word
    due = None if due_s is None else round(due_s)
    return FleetRow(RegistrationRow(name, intern(uri or ""), auth, word, due), intern(instance))


def _right(table: str, right: str, has: bool | None) -> str:
    return f"{right} on {table}" if has is not None else f"{right} on {table}, which is not there"


class _Asking:
    """Asks over one connection, about the tables of one schema.  Any: each question has an answer
    of its own."""

    def __init__(
        self,
        connection: Connection,
        names: Names,
        rows_of: Callable[[Connection, bytes, Any], Awaitable[list[tuple[Any, ...]]]],
    ) -> None:
        self._connection = connection
        self.names = names
        self._rows_of = rows_of

    def _sql(self, query: str) -> bytes:
        return self.names.applied(query).encode()

    async def __call__(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """All rows at once."""
        rows = self._rows_of(self._connection, self._sql(query), values)
        return await self._connection.run(_WITHIN_S, rows)

    def columns(self, pairs: Iterable[tuple[str, str]]) -> tuple[list[str], list[str]]:
        """Pairs of a table and something of it, as two arrays; of tables that there should be."""
        wanted = [pair for pair in pairs if pair[0] != "ps_auths" or self.names.auths]
        return [self.names.applied(name) for name, _ in wanted], [what for _, what in wanted]

    async def many(self, query: str, values: Mapping[str, object]) -> list[tuple[Any, ...]]:
        """The same for a question that may take long."""
        rows = self._rows_of(self._connection, self._sql(query), values)
        return await self._connection.run(_MANY_S, rows)
