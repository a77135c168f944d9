"""One machine of a fleet: keeps its lease, takes shards up and lets go of them.

What is to be done is decided by `cluster.lease.react`; this asks the store, tells the engine, and
keeps the gate.  While the lease is not trusted the instance holds: nothing is sent, and bindings
live on.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from pjreg_cli.api import notices
from pjreg_cli.cluster.lease import Lease, react, wanted_of
from pjreg_cli.cluster.messages import (
    Answered,
    Ask,
    Beat,
    Due,
    Effect,
    Epochs,
    Event,
    Fence,
    Gain,
    Join,
    Leave,
    Lose,
    NotAnswered,
    Release,
    Rise,
)
from pjreg_cli.cluster.store import Counts, FleetStore, Taken
from pjreg_cli.errors import StoreError
from pjreg_cli.levels import NOTICE

if TYPE_CHECKING:
    from pjreg_cli.api.notices import Notice
    from pjreg_cli.spawner import Spawner

_log = logging.getLogger("pjreg_cli.engine")

#: the least pause between two beats, and after a failure, in seconds
_LEAST_S = 0.05
_PAUSE_S = 0.3
#: the longest pause before shards that could not be taken up are tried again, in seconds
_LONGEST_PAUSE_S = 5.0
#: how long leaving may take
_LEAVE_S = 1.0


class Holder(Protocol):
    """Who keeps the registrations of shards: the engine."""

    async def take_up(self, shards: frozenset[int], still: Callable[[int], bool]) -> int:
        """Go on with the registrations of shards, as long as each is `still` in the same tenure;
        how many there are.  Raises StoreError when their rows or states cannot be read."""
        ...

    def let_go(self, shards: frozenset[int], keep: bool) -> int:
        """Forget the registrations of shards without a word; `keep` what they would go on with.
        How many there are."""
        ...

    def risen(self, shards: Epochs) -> None:
        """The epochs of these shards have risen."""
        ...

    def go_on(self) -> None:
        """Requests may leave again."""
        ...

    def carry_out(self, verb: str, name: str) -> None:
        """`register` or `unregister` one of ours, as an operator wants."""
        ...

    async def read_again(self) -> None:
        """Read the rows of our shards anew."""
        ...

    def counts(self) -> Counts:
        """For the fleet's table."""
        ...

    def flush(self) -> Awaitable[None]:
        """Write what registrations go on with; raises StoreError."""
        ...


class NameTakenError(StoreError):
    """Another machine of this name is alive."""


class Ownership:
    """Runs the protocol of this machine."""

    def __init__(
        self,
        store: FleetStore,
        holder: Holder,
        *,
        name: str,
        clock: Callable[[], float],
        draw: Callable[[], float],
        spawn: Spawner,
        publish: Callable[[Notice], None],
    ) -> None:
        """`clock` counts seconds through a suspend, `draw` gives numbers from 0 to 1."""
        self.lease = Lease()
        self.trouble = ""
        """Why the database does not answer; empty when it does."""
        self.loading: set[int] = set()
        """Shards that are held and whose registrations are not there yet."""
        self.untaken = ""
        """Why shards of ours cannot be taken up; empty when they can."""
        self.unowned = 0
        """Shards of the fleet that nobody alive owned at the last beat."""
        self.homeless = 0
        """Of these, those that no machine has room for."""
        self._store = store
        self._holder = holder
        self._name = name
        self._clock = clock
        self._draw = draw
        self._spawn = spawn
        self._publish = publish
        self._holding = True
        self._leaving = False
        self._task: asyncio.Task[None] | None = None
        self._watch: asyncio.TimerHandle | None = None
        self._taken: tuple[Taken, float] | None = None
        self._begun: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    # -- the gate -----------------------------------------------------------------------------

    def may_send(self, shard: int) -> bool:
        """Whether a request for an account of this shard may leave now."""
        return self.lease.may_send(shard, self._clock())

    @property
    def holding(self) -> bool:
        """Nothing may be sent: the lease is not trusted."""
        return self._clock() >= self.lease.trust_until

    @property
    def trust_s(self) -> float:
        """For how long the lease is still trusted, in seconds."""
        return max(0.0, self.lease.trust_until - self._clock())

    # -- life ---------------------------------------------------------------------------------

    async def start(self) -> None:
        """Join the fleet; raises NameTakenError when another machine of our name is alive, and
        StoreError when this is no fleet that we can be part of.  A database that cannot be
        reached is tried again until it can."""
        self._task = self._spawn(self._run(), "ownership")
        await self._begun

    async def stop(self) -> None:
        """Let go of everything and leave; ends within a second or so, answered or not."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait((self._task,))
        if self._watch is not None:
            self._watch.cancel()
        me = self.lease.incarnation
        self._leaving = True
        effects = self._step(Leave())
        try:
            async with asyncio.timeout(_LEAVE_S):
                await self._flush()
                for effect in effects:
                    if isinstance(effect, Ask) and me is not None:
                        await self._store.ask(effect.request, me, Counts())
        except (StoreError, TimeoutError) as error:
            _log.warning("the fleet was not told that %s leaves: %s", self._name, error)
        await self._store.close()

    async def _run(self) -> None:
        while True:
            try:
                times = await self._store.open()
                self.lease = replace(self.lease, times=times)
                await self._converse()
            except NameTakenError as error:
                self._failed(error, fatal=True)
            except StoreError as error:
                self._failed(error, fatal=error.fatal)
            self._step(NotAnswered(self.lease.number))
            await self._store.close_conversation()
            await asyncio.sleep(_PAUSE_S * (1 + self._draw()))

    def _failed(self, error: StoreError, *, fatal: bool) -> None:
        if not self._begun.done():
            if fatal:
                self._begun.set_exception(error)
                return
            self._begun.set_result(None)  # it runs, and holds, until there is a database
        if not self.trouble:
            _log.error("the database of the fleet: %s", error)
        self.trouble = str(error)

    async def _converse(self) -> None:
        """Beat after beat, until something is not answered."""
        while True:
            asked_at = self._clock()
            effects = self._step(Due())
            while (ask := next((e for e in effects if isinstance(e, Ask)), None)) is not None:
                effects = await self._ask(ask)
            if self.trouble:
                _log.warning("the database of the fleet answers again")
                self.trouble = ""
            beat_s = self.lease.times.beat_s
            told = await self._store.told(max(_LEAST_S, asked_at + beat_s - self._clock()))
            if "request" in told and not self.holding:
                for verb, name in await self._store.requests(self.lease.incarnation):
                    self._holder.carry_out(verb, name)
            if "reload" in told:
                self._spawn(self._holder.read_again(), "reload")

    async def _ask(self, ask: Ask) -> tuple[Effect, ...]:
        if isinstance(ask.request, Release):
            await self._flush()
        answer = await self._store.ask(ask.request, self.lease.incarnation, self._holder.counts())
        if isinstance(answer, Taken):
            self._watch_name(answer)
            return ()
        if isinstance(ask.request, Join):
            self._taken = None
        if isinstance(answer, Beat):
            self._count(answer)
        effects = self._step(Answered(ask.number, answer))
        if not self._begun.done() and not isinstance(ask.request, Join):
            self._begun.set_result(None)
        return effects

    async def _flush(self) -> None:
        """Write what registrations go on with before they go.  Where that cannot be they go all the
        same: as after a death, whoever has them next refreshes some of them early."""
        try:
            await self._holder.flush()
        except StoreError as error:
            _log.warning("what shards go on with is not written before they go: %s", error)

    def _count(self, beat: Beat) -> None:
        """Note how many shards nobody owns."""
        alive = {member.incarnation for member in beat.members}
        free = [shard for shard in beat.shards if shard.owner not in alive]
        homeless = 0
        if beat.alive and any(shard.wanted is None for shard in free):
            shall = wanted_of(beat)  # the plan may not be made yet
            homeless = sum(shall[shard.number] is None for shard in free)
        if homeless and not self.homeless:
            _log.error("no machine of the fleet has room for %d shards: see capacity", homeless)
        self.unowned, self.homeless = len(free), homeless

    def _watch_name(self, taken: Taken) -> None:
        """Somebody has our name: a predecessor that is dead will be silent, another machine not."""
        now = self._clock()
        if self._taken is None or self._taken[0].incarnation != taken.incarnation:
            self._taken = taken, now
        elif self._taken[0].beat != taken.beat:
            self._taken = None
            raise NameTakenError(
                f"{self._name} is {taken.host}, which is alive: each machine needs its own name",
                fatal=True,
            )
        elif taken.expired and now - self._taken[1] >= self.lease.times.lease_s:
            self._spawn(self._end(taken), "fence")

    async def _end(self, taken: Taken) -> None:
        """End a predecessor of our name that was silent for a lease."""
        try:
            fence = Fence(taken.incarnation, taken.beat)
            await self._store.ask(fence, self.lease.incarnation, Counts())
        except StoreError as error:
            _log.warning("the predecessor of %s could not be ended: %s", self._name, error)

    # -- steps --------------------------------------------------------------------------------

    def _step(self, event: Event) -> tuple[Effect, ...]:
        """One event; everything but requests is carried out."""
        self.lease, effects = react(self.lease, event, self._clock())
        for effect in effects:
            match effect:
                case Gain(shards):
                    _log.log(NOTICE, "%s owns %d shards more", self._name, len(shards))
                    self.loading |= {shard for shard, _ in shards}
                    self._spawn(self._load(shards), "load")
                case Lose(shards, why):
                    if shards:
                        _log.log(NOTICE, "%s owns %d shards less: %s", self._name, len(shards), why)
                    self.loading -= shards
                    given = why in ("given", "left")
                    number = self._holder.let_go(shards, keep=given)
                    if shards:
                        self._tell("Released" if given else "Fenced", len(shards), number)
                case Rise(shards):
                    self._holder.risen(shards)
                case Ask():
                    pass
        self._look()
        return effects

    def _look(self) -> None:
        """Hold when trust has ended, go on when it is back, and look again when it will end."""
        holding = self.holding
        if holding != self._holding:
            self._holding = holding
            if held := len(self.lease.held):
                self._tell("Held" if holding else "Resumed", held, sum(self._holder.counts()))
            if holding and not self._leaving:
                _log.warning("%s holds: its lease is not trusted any more", self._name)
            elif not holding:
                self._holder.go_on()
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        if not holding:
            loop = asyncio.get_running_loop()
            self._watch = loop.call_later(self.trust_s + 0.001, self._look)

    def _tell(self, change: str, shards: int, registrations: int) -> None:
        self._publish(notices.Ownership(change, shards, registrations))

    async def _load(self, shards: Epochs) -> None:
        """Take up the registrations of shards; tried again as long as they are ours."""
        began = {shard: self.lease.held[shard].asked_at for shard, _ in shards}

        def still(shard: int) -> bool:
            tenure = self.lease.held.get(shard)
            # one that was let go of and claimed again has another tenure, and other states
            return tenure is not None and tenure.asked_at == began.get(shard)

        pause_s, self.untaken = _PAUSE_S, ""
        while left := frozenset(shard for shard, _ in shards if still(shard)):
            try:
                number = await self._holder.take_up(left, still)
            except StoreError as error:
                if str(error) != self.untaken:
                    _log.error("%d shards cannot be taken up: %s", len(left), error)
                self.untaken = str(error)
                await asyncio.sleep(pause_s * (1 + self._draw()))
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
            else:
                if self.untaken:
                    _log.warning("%d shards are taken up after all", len(left))
                    self.untaken = ""
                there = {shard for shard in left if still(shard)}
                self.loading -= there
                self._tell("Claimed", len(there), number)
                return
