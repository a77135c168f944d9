"""Who may send for which shard: the ownership protocol of one instance (pure).

An instance has a lease, one row that it renews with each beat; shards name their owner and count
their owners.  It asks the database one thing at a time; the answer to a request that was given up
is never used.  What happens is an event, what is to be done an effect, and `react` is the only
place where trust is computed: never from when an answer came, always from when it was asked for.
Instants are seconds of one clock of this machine that counts through a suspend.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import inf
from types import MappingProxyType
from typing import NamedTuple, assert_never

from pjreg_cli.cluster.messages import (
    Adopt,
    Answered,
    Ask,
    Beat,
    Claim,
    Due,
    Effect,
    Epochs,
    Event,
    Fence,
    Gain,
    Join,
    Leave,
    Lose,
    Member,
    NotAnswered,
    Plan,
    Quarantine,
    Release,
    Renew,
    Request,
    Rise,
    Times,
)
from pjreg_cli.cluster.plan import Candidate, limit_of, plan

_TIMES = Times()


# -- state ------------------------------------------------------------------------------------


class Tenure(NamedTuple):
    """The time for which a shard is ours."""

    epoch: int
    asked_at: float
    """When what gave it was asked for."""


def _nothing() -> Mapping[int, Tenure]:
    return MappingProxyType({})


def _nobody() -> Mapping[int, tuple[int, float]]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Lease:
    """Where one instance stands."""

    times: Times = _TIMES
    incarnation: int | None = None
    trust_until: float = -inf
    """The gate is open before this instant, for what is held."""
    held: Mapping[int, Tenure] = field(default_factory=_nothing)
    seen: Mapping[int, tuple[int, float]] = field(default_factory=_nobody)
    """The beat of each member and when it was first seen."""
    heard_at: float = -inf
    """When our last beat was answered."""
    quarantined: bool = False
    quiet_until: float = -inf
    """A lease of our own clock after a failover was told."""
    number: int = 0
    """Of the last request."""
    asked: Request | None = None
    """What is not answered yet."""
    asked_at: float = -inf
    todo: tuple[Request, ...] = ()
    """What is asked next."""
    again: bool = False
    """The beat was renewed a second time, after something was changed."""

    def may_send(self, shard: int, now: float) -> bool:
        """The gate: whether a request for an account of this shard may leave."""
        return now < self.trust_until and shard in self.held


Step = tuple[Lease, tuple[Effect, ...]]


def react(lease: Lease, event: Event, now: float) -> Step:
    """The lease after `event` and what is to be done, in this order; raises nothing."""
    match event:
        case Due():
            first = Join() if lease.incarnation is None else Renew()
            return _ask(replace(lease, todo=(), again=False), first, now)
        case Answered(number=number):
            if number != lease.number or lease.asked is None:
                return lease, ()  # it was given up
            return _answered(replace(lease, asked=None), lease.asked, event.answer, now)
        case NotAnswered(number=number):
            if number != lease.number:
                return lease, ()
            return replace(lease, asked=None, todo=(), number=lease.number + 1), ()
        case Leave():
            return _leave(lease, now)
    assert_never(event)


def _ask(lease: Lease, request: Request, now: float) -> Step:
    number = lease.number + 1
    asked = replace(lease, number=number, asked=request, asked_at=now)
    return asked, (Ask(number, request),)


def _next(lease: Lease, now: float) -> Step:
    if not lease.todo:
        return lease, ()
    return _ask(replace(lease, todo=lease.todo[1:]), lease.todo[0], now)


def _leave(lease: Lease, now: float) -> Step:
    pairs = _pairs(lease.held)
    left = replace(lease, held=_nothing(), trust_until=-inf, todo=())
    asked, effects = _ask(left, Release(pairs, leave=True), now)
    return asked, (Lose(frozenset(lease.held), "left"), *effects)


def _answered(
    lease: Lease, request: Request, answer: int | Beat | Epochs | None, now: float
) -> Step:
    match request, answer:
        case Join(), int():
            joined = Lease(
                lease.times, answer, number=lease.number,
                quarantined=lease.quarantined, quiet_until=lease.quiet_until,
            )  # fmt: skip
            return _ask(joined, Renew(), now)
        case Renew(), Beat():
            return _beat(lease, answer, now)
        case ((Claim() | Adopt()), tuple()):
            return _given(lease, answer, now)
        case (Release(leave=True), _):
            return replace(lease, incarnation=None), ()
    return _next(lease, now)


def _given(lease: Lease, epochs: Epochs, now: float) -> Step:
    """Shards were claimed or adopted."""
    fresh = tuple(
        (shard, epoch)
        for shard, epoch in epochs
        if shard not in lease.held or lease.held[shard].epoch < epoch
    )
    tenures = {shard: Tenure(epoch, lease.asked_at) for shard, epoch in fresh}
    after, effects = _next(replace(lease, held=MappingProxyType({**lease.held, **tenures})), now)
    return after, (*((Gain(fresh),) if fresh else ()), *effects)


def _beat(lease: Lease, beat: Beat, now: float) -> Step:
    if not beat.alive:
        # ended by somebody else: not a word to anybody, and begin anew
        gone = replace(lease, incarnation=None, held=_nothing(), trust_until=-inf, todo=())
        joining, effects = _ask(gone, Join(), now)
        return joining, (Lose(frozenset(lease.held), "fenced"), *effects)
    lease = _trusted(_calmed(lease, beat, now), now)
    lease, lost, risen = _compared(lease, beat)
    lease, silent = _watched(lease, beat, now)
    lease, given, todo = _decided(lease, beat, silent, now)
    after, effects = _next(replace(lease, todo=todo), now)
    changes: list[Effect] = []
    if lost:
        changes.append(Lose(lost, "taken"))
    if risen:
        changes.append(Rise(risen))
    if given:
        changes.append(Lose(given, "given"))
    return after, (*changes, *effects)


def _calmed(lease: Lease, beat: Beat, now: float) -> Lease:
    """Note whether a quarantine is on; when one begins, silence starts to count anew."""
    quarantined = beat.moved or beat.quarantined
    if quarantined and not lease.quarantined:
        quiet = now + lease.times.lease_s
        return replace(lease, quarantined=True, quiet_until=quiet, seen=_nobody())
    return replace(lease, quarantined=quarantined)


def _is_settled(lease: Lease, now: float) -> bool:
    return not lease.quarantined and now >= lease.quiet_until


def _trusted(lease: Lease, now: float) -> Lease:
    """Trust what was renewed, from when it was asked for.

    Trust that has lapsed before or in a quarantine comes back after it only: we may have been ended
    by a commit that was lost.
    """
    if not _is_settled(lease, now) and now >= lease.trust_until:
        return lease
    return replace(lease, trust_until=max(lease.trust_until, lease.asked_at + lease.times.trust_s))


def _compared(lease: Lease, beat: Beat) -> tuple[Lease, frozenset[int], Epochs]:
    """Hold only what the table says is ours, under its epochs."""
    table = {shard.number: shard for shard in beat.shards}
    lost = frozenset(
        number
        for number, tenure in lease.held.items()
        if (number not in table or table[number].owner != lease.incarnation)
        and lease.asked_at > tenure.asked_at
    )
    kept = {n: tenure for n, tenure in lease.held.items() if n not in lost}
    risen = tuple(
        (n, table[n].epoch)
        for n, tenure in kept.items()
        if n in table and table[n].owner == lease.incarnation and table[n].epoch > tenure.epoch
    )
    kept |= {n: kept[n]._replace(epoch=epoch) for n, epoch in risen}
    return replace(lease, held=MappingProxyType(kept)), lost, risen


def _watched(lease: Lease, beat: Beat, now: float) -> tuple[Lease, tuple[Fence, ...]]:
    """Who was silent for a lease while we were listening."""
    before = lease.seen if now - lease.heard_at <= lease.times.listening_s else {}
    seen: dict[int, tuple[int, float]] = {}
    silent: list[Fence] = []
    for member in beat.members:
        was = before.get(member.incarnation)
        if was is None or was[0] != member.beat:
            seen[member.incarnation] = (member.beat, now)
            continue
        seen[member.incarnation] = was
        overdue = now - was[1] >= lease.times.lease_s and member.expired
        if overdue and member.incarnation != lease.incarnation and _is_settled(lease, now):
            silent.append(Fence(member.incarnation, member.beat))
    return replace(lease, seen=MappingProxyType(seen), heard_at=now), tuple(silent)


def _decided(
    lease: Lease, beat: Beat, silent: tuple[Fence, ...], now: float
) -> tuple[Lease, frozenset[int], tuple[Request, ...]]:
    """What is to be given away, and what is to be asked."""
    if beat.moved:
        return lease, frozenset(), (Quarantine(),)
    changes: tuple[Request, ...] = silent
    if not changes and wanted_of(beat) != {shard.number: shard.wanted for shard in beat.shards}:
        changes = (Plan(),)
    if changes and not lease.again:
        return replace(lease, again=True), frozenset(), (*changes, Renew())
    me, alive = lease.incarnation, {member.incarnation for member in beat.members}
    mine = [shard for shard in beat.shards if shard.owner == me]
    given = {s.number: s.epoch for s in mine if s.number in lease.held and s.wanted != me}
    strays = [shard for shard in mine if shard.number not in lease.held]
    unwanted = tuple((shard.number, shard.epoch) for shard in strays if shard.wanted != me)
    # first it is not held any more, then the table says so
    held = {n: tenure for n, tenure in lease.held.items() if n not in given}
    todo: list[Request] = []
    if given or unwanted:
        todo.append(Release((*given.items(), *unwanted)))
    if _is_settled(lease, now) and now < lease.trust_until:
        adopted = tuple((shard.number, shard.epoch) for shard in strays if shard.wanted == me)
        free = tuple(
            shard.number
            for shard in beat.shards
            if shard.wanted == me
            and shard.owner != me
            and (shard.owner is None or shard.owner not in alive)
        )
        if adopted:
            todo.append(Adopt(adopted))
        if free:
            todo.append(Claim(free))
    return replace(lease, held=MappingProxyType(held)), frozenset(given), tuple(todo)


def wanted_of(beat: Beat) -> dict[int, int | None]:
    """Who shall have what, by the plan of those who are alive."""
    return wanted(beat.members, {s.number: s.owner for s in beat.shards}, beat.accounts)


def wanted(
    members: tuple[Member, ...], owners: Mapping[int, int | None], accounts: int
) -> dict[int, int | None]:
    """The plan; who drains gets nothing."""
    able = [
        Candidate(one.incarnation, one.name, limit_of(one.capacity, accounts, len(owners)))
        for one in members
        if not one.draining
    ]
    return plan(able, owners)


def _pairs(held: Mapping[int, Tenure]) -> Epochs:
    return tuple((shard, tenure.epoch) for shard, tenure in held.items())
