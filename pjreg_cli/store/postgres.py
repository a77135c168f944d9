"""What a fleet shares, in PostgreSQL: leases, owners, and what registrations go on with."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, assert_never

from pjreg_cli.cluster.lease import wanted
from pjreg_cli.cluster.messages import (
    Adopt,
    Beat,
    Claim,
    Epochs,
    Fence,
    Join,
    Member,
    Plan,
    Quarantine,
    Release,
    Renew,
    Request,
    Shard,
    Times,
)
from pjreg_cli.cluster.store import Counts, Identity, Taken
from pjreg_cli.config.shards import SHARDS
from pjreg_cli.errors import StoreError
from pjreg_cli.store.connection import Connection, rows_of
from pjreg_cli.store.sql import FORMAT, OLDEST, USUAL, Names
from pjreg_cli.store.states import StateTable

Values = Sequence[object] | Mapping[str, object]

_ALIVE = "state IN ('live', 'draining')"


class FleetTables(StateTable):
    """The statements of one instance, over a connection of its own for each purpose."""

    def __init__(
        self, conninfo: str, identity: Identity, names: Names = USUAL, lease_commit: str = "on"
    ) -> None:
        """`lease_commit` is a value of `synchronous_commit`."""
        super().__init__(conninfo, identity.name, names)
        self._identity = identity
        self._lease_commit = lease_commit
        self._talk: Connection | None = None
        self._beats = 0

    # -- the conversation ---------------------------------------------------------------------

    async def open(self) -> Times:
        """Connect, and check that this is a fleet that we can be part of; raises StoreError."""
        await self.close_conversation()
        talk = await Connection.open(
            self._conninfo, self._identity.name, setup=f"LISTEN {self._names.schema}"
        )
        self._talk = talk
        version = talk.inner.info.server_version
        if version < OLDEST:
            raise StoreError(
                f"PostgreSQL {OLDEST // 10000} or newer is needed, this is {version // 10000}",
                fatal=True,
            )
        try:
            rows = await self._ask("SELECT format, lease_ms, shards FROM pjreg.cluster")
        except StoreError as error:
            if error.state in ("42P01", "3F000"):
                raise StoreError(
                    f"there is no schema {self._names.schema} of a fleet:"
                    " pjreg-cli pjreg cluster schema",
                    error.state,
                    fatal=True,
                ) from error
            if error.state == "42501":
                raise StoreError(str(error), error.state, fatal=True) from error
            raise
        if not rows or rows[0][0] != FORMAT:
            found = rows[0][0] if rows else "none"
            raise StoreError(
                f"the schema {self._names.schema} has format {found}, this program needs {FORMAT}",
                fatal=True,
            )
        if rows[0][2] != SHARDS:
            raise StoreError(
                f"the schema {self._names.schema} has {rows[0][2]} shards,"
                f" this program needs {SHARDS}",
                fatal=True,
            )
        self._times = Times.of(rows[0][1])
        # who is stopped inside a transaction must not keep others from ending its lease
        patience_ms = round(self._times.answer_s * 1000)
        await self._ask(f"SET idle_in_transaction_session_timeout = {patience_ms}")
        await self._ask(f"SET synchronous_commit = {self._lease_commit}")
        return self._times

    async def ask(self, request: Request, me: int | None, counts: Counts) -> Any:
        """Carry out a request of `me`; its answer, as `cluster.lease.Answered` has it.

        Raises StoreError when it is not answered in time: it may have been carried out.  Any:
        each request has an answer of its own.
        """
        match request:
            case Join():
                return await self._join()
            case Renew():
                return await self._renew(me, counts)
            case Fence():
                return await self._ask(
                    "UPDATE pjreg.instance SET state = 'fenced', ended_at = clock_timestamp(),"
                    f" ended_by = %s WHERE incarnation = %s AND beat = %s AND {_ALIVE}"
                    " AND expires_at < clock_timestamp() AND pjreg.settled() RETURNING name",
                    (self._identity.name, request.incarnation, request.beat),
                )
            case Plan():
                return await self._plan()
            case Quarantine():
                return await self._quarantine()
            case Claim():
                return await self._claim(request.shards, me)
            case Adopt():
                return await self._adopt(request.shards, me)
            case Release():
                return await self._release(request, me)
        assert_never(request)

    async def told(self, within_s: float) -> frozenset[str]:
        """Wait for a notification of the fleet; what was said."""
        talk = self._conversation()
        notifies = talk.inner.notifies(timeout=max(within_s, 0.0), stop_after=1)

        async def first() -> frozenset[str]:
            return frozenset([one.payload async for one in notifies])

        return await talk.run(within_s + self._times.answer_s, first())

    async def requests(self, me: int | None) -> list[tuple[str, str]]:
        """Verb and name of what operators want done with registrations of ours, marked as done."""
        rows = await self._ask(
            "UPDATE pjreg.request r SET done_at = clock_timestamp() FROM pjreg.shard s"
            " WHERE s.shard = r.shard AND s.owner = %s AND r.done_at IS NULL"
            " AND r.asked_at > clock_timestamp() - interval '10 s' RETURNING r.verb, r.id",
            (me,),
        )
        return [(verb, name) for verb, name in rows]

    async def close_conversation(self) -> None:
        """End it; the next `open` begins another."""
        talk, self._talk = self._talk, None
        if talk is not None:
            talk.cut()
            await talk.close()

    async def close(self) -> None:
        """End everything."""
        await self.close_conversation()
        await super().close()

    def _conversation(self) -> Connection:
        if self._talk is None or self._talk.closed:
            raise StoreError("not connected")
        return self._talk

    async def _ask(self, query: str, values: Values = ()) -> list[tuple[Any, ...]]:
        talk = self._conversation()
        return await talk.run(self._times.answer_s, rows_of(talk, self._sql(query), values))

    async def _tell(self, what: str) -> None:
        await self._ask("SELECT pg_notify(%s, %s)", (self._names.schema, what))

    # -- requests -----------------------------------------------------------------------------

    async def _join(self) -> int | Taken:
        """Make our row; Taken when somebody alive has our name and not our lock file."""
        own, talk = self._identity, self._conversation()
        fresh = secrets.randbits(62)
        async with self._transaction():
            found = await self._ask(
                "SELECT incarnation, beat, expires_at < clock_timestamp(), proof, host"
                f" FROM pjreg.instance WHERE name = %s AND {_ALIVE} FOR UPDATE",
                (own.name,),
            )
            for incarnation, beat, expired, proof, host in found:
                if proof != own.proof:
                    return Taken(incarnation, beat, expired, host)
                await self._ask(
                    "UPDATE pjreg.instance SET state = 'fenced', ended_at = clock_timestamp(),"
                    " ended_by = %s WHERE incarnation = %s",
                    (own.name, incarnation),
                )
            await self._ask(
                "INSERT INTO pjreg.instance (incarnation, name, state, expires_at, proof, capacity,"
                " host, version) VALUES (%s, %s, 'live',"
                " clock_timestamp() + make_interval(secs => %s), %s, %s, %s, %s)",
                (
                    fresh, own.name, self._times.lease_s, own.proof, own.capacity, own.host,
                    own.version,
                ),
            )  # fmt: skip
        assert talk is self._conversation()
        return fresh

    async def _renew(self, me: int | None, counts: Counts) -> Beat:
        talk = self._conversation()
        self._beats += 1
        shown = ""
        values: list[object] = [self._times.lease_s]
        if self._beats % 5 == 1:
            shown = ", registered = %s, rejected = %s, unregistered = %s"
            values += counts
        # by itself: in a pipeline its row would be locked for as long as we take to send the rest
        renewed = await self._ask(
            "UPDATE pjreg.instance SET beat = beat + 1, expires_at = clock_timestamp()"
            f" + make_interval(secs => %s){shown} WHERE incarnation = %s AND {_ALIVE}"
            " RETURNING beat",
            (*values, me),
        )
        queries: list[tuple[str, Sequence[object]]] = [
            (
                "SELECT timeline <> pjreg.timeline(), quarantine_until > clock_timestamp(),"
                " (SELECT greatest(reltuples, 0)::bigint FROM pg_class"
                " WHERE oid = to_regclass('ps_registrations')) FROM pjreg.cluster",
                (),
            ),
            (
                "SELECT incarnation, name, beat, expires_at < clock_timestamp(),"
                f" state = 'draining', capacity FROM pjreg.instance WHERE {_ALIVE}",
                (),
            ),
            ("SELECT shard, epoch, owner, wanted FROM pjreg.shard", ()),
        ]

        async def all_at_once() -> list[list[tuple[Any, ...]]]:
            async with talk.inner.pipeline():
                cursors = [await talk.inner.execute(self._sql(q), v or None) for q, v in queries]
                return [await cursor.fetchall() for cursor in cursors]

        state, members, shards = await talk.run(self._times.answer_s, all_at_once())
        return Beat(
            alive=bool(renewed),
            moved=bool(state[0][0]),
            quarantined=bool(state[0][1]),
            members=tuple(Member(*row) for row in members),
            shards=tuple(Shard(*row) for row in shards),
            accounts=state[0][2] or 0,
        )

    async def _plan(self) -> None:
        async with self._transaction():
            await self._ask("SELECT FROM pjreg.cluster FOR UPDATE")
            members = await self._ask(
                "SELECT incarnation, name, beat, false, state = 'draining', capacity"
                f" FROM pjreg.instance WHERE {_ALIVE}"
            )
            shards = await self._ask("SELECT shard, owner, wanted FROM pjreg.shard FOR UPDATE")
            ((accounts,),) = await self._ask(
                "SELECT coalesce((SELECT greatest(reltuples, 0)::bigint FROM pg_class"
                " WHERE oid = to_regclass('ps_registrations')), 0)"
            )
            then = wanted(
                tuple(Member(*row) for row in members),
                {number: owner for number, owner, _ in shards},
                accounts,
            )
            changed = [(number, then[number]) for number, _, was in shards if then[number] != was]
            await self._ask(
                "UPDATE pjreg.shard t SET wanted = u.wanted FROM unnest(%s::smallint[],"
                " %s::bigint[]) u (shard, wanted) WHERE t.shard = u.shard",
                ([number for number, _ in changed], [owner for _, owner in changed]),
            )
            await self._tell("plan")

    async def _quarantine(self) -> None:
        async with self._transaction():
            noted = await self._ask(
                "UPDATE pjreg.cluster SET timeline = pjreg.timeline(), quarantine_until ="
                " clock_timestamp() + make_interval(secs => %s)"
                " WHERE timeline <> pjreg.timeline() RETURNING 1",
                (self._times.lease_s,),
            )
            if noted:
                await self._ask("UPDATE pjreg.shard SET epoch = epoch + 1000")

    async def _claim(self, shards: tuple[int, ...], me: int | None) -> Epochs:
        found = await self._ask(
            "UPDATE pjreg.shard t SET owner = %(me)s, epoch = epoch + 1, since = clock_timestamp()"
            " WHERE shard = ANY (%(shards)s) AND wanted = %(me)s AND (owner IS NULL OR NOT EXISTS"
            f" (SELECT FROM pjreg.instance i WHERE i.incarnation = t.owner AND i.{_ALIVE}))"
            " AND EXISTS (SELECT FROM pjreg.instance i WHERE i.incarnation = %(me)s"
            " AND i.state = 'live') AND pjreg.settled() RETURNING shard, epoch",
            {"me": me, "shards": list(shards)},
        )
        return tuple((shard, epoch) for shard, epoch in found)

    async def _adopt(self, shards: Epochs, me: int | None) -> Epochs:
        found = await self._ask(
            "UPDATE pjreg.shard t SET epoch = t.epoch + 1, since = clock_timestamp()"
            " FROM unnest(%s::smallint[], %s::bigint[]) u (shard, epoch)"
            " WHERE t.shard = u.shard AND t.epoch = u.epoch AND t.owner = %s"
            " AND EXISTS (SELECT FROM pjreg.instance i WHERE i.incarnation = %s"
            " AND i.state = 'live') AND pjreg.settled() RETURNING t.shard, t.epoch",
            (*_columns(shards), me, me),
        )
        return tuple((shard, epoch) for shard, epoch in found)

    async def _release(self, request: Release, me: int | None) -> None:
        async with self._transaction():
            await self._ask(
                "UPDATE pjreg.shard t SET owner = NULL, since = clock_timestamp()"
                " FROM unnest(%s::smallint[], %s::bigint[]) u (shard, epoch)"
                " WHERE t.shard = u.shard AND t.epoch = u.epoch AND t.owner = %s",
                (*_columns(request.shards), me),
            )
            if request.leave:
                await self._ask(
                    "UPDATE pjreg.instance SET state = 'left', ended_at = clock_timestamp()"
                    f" WHERE incarnation = %s AND {_ALIVE}",
                    (me,),
                )
            await self._tell("released")

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[None]:
        await self._ask("BEGIN")
        try:
            yield
        except BaseException:
            talk = self._talk
            if talk is not None:
                talk.cut()  # ends the transaction with the session
            raise
        await self._ask("COMMIT")


def _columns(pairs: Epochs) -> tuple[list[int], list[int]]:
    return [shard for shard, _ in pairs], [epoch for _, epoch in pairs]
