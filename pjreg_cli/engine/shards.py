"""The registrations of shards that come and go: read, gone on with, let go of."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import replace
from math import inf
from types import MappingProxyType
from typing import TYPE_CHECKING

from pjreg_cli.config.load import Scope, reload
from pjreg_cli.config.rows import of_table
from pjreg_cli.config.shards import shard_of
from pjreg_cli.engine.tasks import spawn
from pjreg_cli.errors import StoreError

if TYPE_CHECKING:
    from pjreg_cli.cluster.resume import Resumable
    from pjreg_cli.config.models import Registration
    from pjreg_cli.config.settings import Reload, Settings
    from pjreg_cli.engine.entry import Entry
    from pjreg_cli.engine.fleet import Fleet
    from pjreg_cli.engine.share import Share
    from pjreg_cli.engine.verbs import Registrations
    from pjreg_cli.net.flow import Flow

#: registrations forgotten in one go before the loop may look at its sockets again
BATCH = 200


class Shards:
    """The engine's side of `tenancy.Owned`."""

    def __init__(
        self,
        share: Share,
        fleet: Fleet,
        *,
        current: Callable[[], Settings],
        reading: asyncio.Lock,
        apply: Callable[[Reload], Awaitable[object]],
        show: Callable[[Settings], None],
        resumable: dict[str, Resumable],
        hand_over: Callable[[], None],
        prune: Callable[[Collection[Flow]], None],
        reload: Callable[[Scope], Awaitable[object]],
        registrations: Callable[[], Registrations],
    ) -> None:
        """`apply` makes settings effective, `show` shows their registrations, `resumable` is what
        those that are started go on with, `hand_over` tells the keeper what has changed."""
        self._share = share
        self._fleet = fleet
        self._current = current
        self._reading = reading
        self._apply = apply
        self._show = show
        self._resumable = resumable
        self._prune = prune
        self._reload = reload
        self._registrations = registrations
        self.hand_over = hand_over
        self._coming: Callable[[], frozenset[int]] = frozenset
        """Those that are being taken up, as far as they are still ours."""
        self.words = fleet.shown.words

    async def take_up(
        self,
        shards: frozenset[int],
        states: Mapping[str, Resumable],
        still: Callable[[int], bool],
    ) -> int:
        """See tenancy.Owned; raises StoreError when the rows cannot be read."""
        async with self._reading:
            ours = frozenset(shard for shard in shards if still(shard))
            settings = self._current()
            shown = (settings.shards or frozenset()) | ours
            asked = replace(settings, shards=shown, fresh=ours)
            result = await asyncio.to_thread(reload, asked, Scope.REGISTRATIONS)
            if result.settings.unread:
                raise StoreError("; ".join(map(str, result.errors)))
            ours = frozenset(shard for shard in ours if still(shard))
            mine = {name: row for name, row in states.items() if row.shard in ours}
            self._resumable.update(mine)
            self._coming = lambda: frozenset(filter(still, ours))
            try:
                await self._apply(self.still_ours(result, ours))
            finally:
                self._coming = frozenset
            for name in mine:
                self._resumable.pop(name, None)  # of a section that is gone
        return sum(one.shard in ours for one in self._fleet.entries.values())

    def let_go(self, shards: frozenset[int], keep: bool) -> int:
        """See tenancy.Owned; from here on nothing is sent, the rest takes its time."""
        if keep:
            self.hand_over()
        gone = self._fleet.release(shards)
        settings, entries = self._current(), self._fleet.entries
        names = {entry.name for entry in gone}
        # one that was read and is not begun yet has no entry to know its shard by
        left = {
            name: one
            for name, one in settings.registrations.items()
            if name not in names and (name in entries or not _is_in(one, shards))
        }
        kept = (settings.shards or frozenset()) - shards
        self._show(replace(settings, registrations=MappingProxyType(left), shards=kept))
        spawn(self._forget(gone), "forget")
        if not keep:
            self._prune(())  # what a connection still holds of ours must not arrive
        return len(gone)

    async def _forget(self, gone: list[Entry]) -> None:
        for number, entry in enumerate(gone, 1):
            self._fleet.forget(entry)
            if number % BATCH == 0:
                await asyncio.sleep(0)

    def ours(self, settings: Settings) -> Settings:
        """Settings that are about to come into force, without what was let go of since they were
        read."""
        if settings.shards is None:
            return settings
        kept = self._coming() | (self._current().shards or frozenset())
        return _without(settings, settings.shards - kept)

    def still_ours(self, result: Reload, taken: frozenset[int] = frozenset()) -> Reload:
        """The outcome of reading without what was let go of while it was read; `taken` are new."""
        settings = result.settings
        if settings.shards is None:
            return result
        lost = settings.shards - taken - (self._current().shards or frozenset())
        settings = replace(_without(settings, lost), fresh=None, stale=frozenset())
        there, before = settings.registrations, result.difference
        # who is taken over is not tried again because its password is new to us
        auths = () if taken else before.auths_changed
        kept = {name: why for name, why in before.changed.items() if name in there}
        added = tuple(sorted((n for n in before.added if n in there), key=self._ends_in_s))
        return result._replace(
            settings=settings,
            difference=before._replace(
                added=added, changed=MappingProxyType(kept), auths_changed=auths
            ),
        )

    def _ends_in_s(self, name: str) -> float:
        """How soon a binding ends that is gone on with: the most urgent ones begin."""
        left = self._resumable.get(name)
        return inf if left is None or left.expires_in_s is None else left.expires_in_s

    def risen(self, epochs: Mapping[int, int]) -> None:
        """See tenancy.Owned."""
        for entry in self._fleet.entries.values():
            entry.epoch = epochs.get(entry.shard, entry.epoch)

    def go_on(self, rate: float) -> None:
        """See tenancy.Owned."""
        self._fleet.gate.go_on(rate)

    def send_late(self, within_s: float) -> int:
        """See tenancy.Owned."""
        return self._fleet.gate.send_late(within_s)

    def carry_out(self, verb: str, name: str) -> None:
        """See tenancy.Owned."""
        registrations = self._registrations()
        if verb == "register":
            registrations.register(name)
        else:
            registrations.unregister(name)

    async def read_again(self) -> None:
        """See tenancy.Owned."""
        await self._reload(Scope.REGISTRATIONS)

    def written(self, rows: Iterable[Resumable]) -> None:
        """See tenancy.Owned."""
        for row in rows:
            entry = self._fleet.entries.get(row.name)
            if entry is not None and entry.call_id == row.call_id:
                entry.written_cseq = row.cseq


def _without(settings: Settings, shards: frozenset[int]) -> Settings:
    """`settings` without the registrations of these shards of a fleet."""
    if not shards or settings.shards is None:
        return settings
    registrations = {
        name: one for name, one in settings.registrations.items() if not _is_in(one, shards)
    }
    return replace(
        settings,
        registrations=MappingProxyType(registrations),
        shards=settings.shards - shards,
    )


def _is_in(registration: Registration, shards: Collection[int]) -> bool:
    """Whether a registration belongs to one of these shards of a fleet."""
    return of_table(registration.source) and shard_of(registration.name) in shards
