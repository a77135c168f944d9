"""What a machine of a fleet does with the shards it is given: the engine's side of ownership."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from pjreg_cli.cluster.store import Counts
from pjreg_cli.errors import StoreError

if TYPE_CHECKING:
    from pjreg_cli.cluster.messages import Epochs
    from pjreg_cli.cluster.resume import Resumable
    from pjreg_cli.cluster.store import FleetStore
    from pjreg_cli.engine.ownership import Ownership
    from pjreg_cli.spawner import Spawner

#: how often states are written, in seconds, and how many at once
WRITE_S = 0.2
_AT_ONCE = 2000
#: so long before a binding ends a refresh is sent even while we hold, where that is allowed
LATE_S = 10.0


#: how long states may be unwritten before that is told, in seconds
BEHIND_S = 2.0

_log = logging.getLogger("pjreg_cli.engine")


class Owned(Protocol):
    """As much of the engine as shards concern."""

    async def take_up(
        self,
        shards: frozenset[int],
        states: Mapping[str, Resumable],
        still: Callable[[int], bool],
    ) -> int:
        """Read the rows of shards, and go on with their registrations; how many there are."""
        ...

    def let_go(self, shards: frozenset[int], keep: bool) -> int:
        """Forget the registrations of shards; hand over first what is to be kept of them.  How
        many there are."""
        ...

    def risen(self, epochs: Mapping[int, int]) -> None:
        """Shards are owned under these epochs now."""
        ...

    def go_on(self, rate: float) -> None:
        """Send what is overdue."""
        ...

    def send_late(self, within_s: float) -> int:
        """Send the refreshes of bindings that end so soon."""
        ...

    def written(self, rows: Iterable[Resumable]) -> None:
        """These have been written down."""
        ...

    def carry_out(self, verb: str, name: str) -> None:
        """Register or unregister."""
        ...

    async def read_again(self) -> None:
        """Read the rows of our shards."""
        ...

    def words(self) -> Mapping[str, int]:
        """How many registrations are shown as what."""
        ...

    def hand_over(self) -> None:
        """Tell the keeper of everything that has changed."""
        ...


class Tenancy:
    """Keeps what registrations of the fleet go on with, and moves them in and out."""

    def __init__(
        self,
        store: FleetStore,
        *,
        takeover: str,
        rate: int,
        margin_s: int,
        late: bool,
        spawn: Spawner,
    ) -> None:
        """`late`: refreshes without which a binding would end are sent even while we hold."""
        self.takeover = takeover
        self.lost = 0
        """Rows that were kept for shards that are not ours any more."""
        self._store = store
        self.rate = rate
        self.margin_s = margin_s
        self._late = late
        self._spawn = spawn
        self._engine: Owned
        self._ownership: Ownership
        self._rows: dict[str, Resumable] = {}
        self._gone: dict[str, int] = {}
        self._since: float | None = None
        self._behind = False
        self._writing = asyncio.Lock()
        self._tasks: list[asyncio.Task[None]] = []

    def attach(self, engine: Owned, ownership: Ownership) -> None:
        """Begin to serve these two."""
        self._engine, self._ownership = engine, ownership
        self._tasks = [self._spawn(self._write_on(), "journal")]
        if self._late:
            self._tasks.append(self._spawn(self._send_late(), "late refreshes"))

    async def close(self) -> None:
        """End; what is not written stays so."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    # -- share.Share --------------------------------------------------------------------------

    def may_send(self, shard: int) -> bool:
        """See `share.Share`."""
        return self._ownership.may_send(shard)

    def epoch(self, shard: int) -> int:
        """See `share.Share`."""
        tenure = self._ownership.lease.held.get(shard)
        return 0 if tenure is None else tenure.epoch

    # -- ownership.Holder ---------------------------------------------------------------------

    async def take_up(self, shards: frozenset[int], still: Callable[[int], bool]) -> int:
        """See `ownership.Holder`."""
        states = await self._store.states(shards)
        return await self._engine.take_up(shards, states, still)

    def let_go(self, shards: frozenset[int], keep: bool) -> int:
        """See `ownership.Holder`."""
        gone = self._engine.let_go(shards, keep)
        if not keep:
            self._rows = {n: row for n, row in self._rows.items() if row.shard not in shards}
        return gone

    def risen(self, shards: Epochs) -> None:
        """See `ownership.Holder`."""
        epochs = dict(shards)
        self._engine.risen(epochs)
        self._rows = {
            name: row._replace(epoch=epochs.get(row.shard, row.epoch))
            for name, row in self._rows.items()
        }

    def go_on(self) -> None:
        """See `ownership.Holder`."""
        self._engine.go_on(self.rate)

    def carry_out(self, verb: str, name: str) -> None:
        """See `ownership.Holder`."""
        self._engine.carry_out(verb, name)

    async def read_again(self) -> None:
        """See `ownership.Holder`."""
        await self._engine.read_again()

    def counts(self) -> Counts:
        """See `ownership.Holder`."""
        words = self._engine.words()
        return Counts(*(words.get(word, 0) for word in ("Registered", "Rejected", "Unregistered")))

    async def flush(self) -> None:
        """See `ownership.Holder`."""
        self._engine.hand_over()
        while self._rows or self._gone:
            await self._write()

    # -- journal.Keeper -----------------------------------------------------------------------

    def remember(self, rows: Iterable[Resumable]) -> None:
        """See `journal.Keeper`; this machine's own registrations are in no shard."""
        self._rows.update((row.name, row) for row in rows if row.epoch)
        if self._rows and self._since is None:
            self._since = asyncio.get_running_loop().time()

    def forget(self, names: Iterable[str]) -> None:
        """See `journal.Keeper`."""
        for name in names:
            row = self._rows.pop(name, None)
            if row is not None:
                self._gone[name] = row.shard

    @property
    def behind_s(self) -> float:
        """For how long the oldest state has waited to be written."""
        since = self._since
        return 0.0 if since is None else asyncio.get_running_loop().time() - since

    async def _write_on(self) -> None:
        while True:
            await asyncio.sleep(WRITE_S)
            if not (self._rows or self._gone) or self._ownership.lease.incarnation is None:
                continue
            try:
                await self._write()
            except StoreError as error:
                self._fell_behind(error)
                await asyncio.sleep(WRITE_S)
            else:
                if self._behind:
                    _log.warning("what registrations go on with is written again")
                    self._behind = False

    def _fell_behind(self, error: StoreError) -> None:
        """Tell once what the beat does not tell of."""
        if self.behind_s >= BEHIND_S and not self._behind and not self._ownership.trouble:
            _log.error("what registrations go on with cannot be written: %s", error)
            self._behind = True

    async def _write(self) -> None:
        """Write one batch; raises StoreError, and keeps what was not written."""
        async with self._writing:
            me = self._ownership.lease.incarnation
            batch: Sequence[Resumable] = tuple(self._rows.values())[:_AT_ONCE]
            if batch:
                await self._store.write(batch, me)
                for row in batch:
                    if self._rows.get(row.name) is row:
                        del self._rows[row.name]
                self._engine.written(batch)
            gone, self._gone = self._gone, {}
            if gone:
                await self._store.forget([(shard, name) for name, shard in gone.items()], me)
            self._since = asyncio.get_running_loop().time() if self._rows else None

    async def _send_late(self) -> None:
        while True:
            await asyncio.sleep(LATE_S / 20)
            if self._ownership.holding and self._ownership.lease.incarnation is not None:
                self._engine.send_late(LATE_S)
