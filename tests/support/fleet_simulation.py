"""Random schedules of the ownership protocol against its one promise: at no instant do two running
instances, each trusting its lease, hold one shard.

Instances are the real `cluster.lease.react`; the database is a model of the statements in
`store/postgres.py`.  Clocks drift, the database's clock jumps, messages are lost, late or carried
out after they were given up, processes pause and crash, the database is gone for a while or fails
over to a standby that has lost the last commits.
"""

from __future__ import annotations

import copy
import heapq
import random  # noqa: TID251 -- schedules are drawn from a seed
from collections.abc import Callable
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from pjreg_cli.cluster import lease as real
from pjreg_cli.cluster import messages

Pairs = tuple[tuple[int, int], ...]

SHARDS = 4
LEASE_S = 6.0

#: rules of the database that a schedule may leave out
DATABASE_MUTANTS = (
    "no quarantine",
    "release by any epoch",
    "fence without beat",
    "adopt under the same epoch",
    "incarnations from a sequence",
)


@dataclass
class Row:
    """An instance's."""

    name: str
    beat: int = 0
    expires_at: float = 0.0
    alive: bool = True


@dataclass
class Tables:
    """What a commit changes and a failover may take back."""

    rows: dict[int, Row] = field(default_factory=dict)
    shards: dict[int, list[Any]] = field(
        default_factory=lambda: {n: [0, None, None] for n in range(SHARDS)}
    )
    """Epoch, owner, wanted."""
    sequence: int = 1
    known: int = 1
    """The timeline that gave the leases."""
    quarantine_until: float = -1e9


class Database:
    """The model; each request is one transaction."""

    def __init__(self, mutant: str = "", module: ModuleType = real) -> None:
        self.module = module
        self.tables = Tables()
        self.timeline = 1
        self.offset = 0.0
        self.down_until = -1.0
        self.mutant = mutant
        self._fresh = 0

    def serve(self, t: float, who: Node, me: int | None, request: Any) -> Any:
        """Carry out a request at real time `t`; the answer."""
        now, tables = t + self.offset, self.tables
        settled = self.mutant == "no quarantine" or (
            tables.known == self.timeline and tables.quarantine_until <= now
        )
        row = tables.rows.get(me) if me is not None else None
        alive = row is not None and row.alive
        name = type(request).__name__
        if name == "Join":
            return self._join(now, who)
        if name == "Renew":
            if alive and row is not None:
                row.beat += 1
                row.expires_at = now + LEASE_S
            return self._beat(now, alive)
        if name == "Fence":
            other = tables.rows.get(request.incarnation)
            same = other is not None and (
                other.beat == request.beat or self.mutant == "fence without beat"
            )
            if other and same and other.alive and other.expires_at < now and settled:
                other.alive = False
            return None
        if name == "Plan":
            self._plan(now)
            return None
        if name == "Quarantine":
            if tables.known != self.timeline and self.mutant != "no quarantine":
                tables.known = self.timeline
                tables.quarantine_until = now + LEASE_S
                for shard in tables.shards.values():
                    shard[0] += 1000
            return None
        if name == "Claim":
            return self._claim(me, alive and settled, request.shards)
        if name == "Adopt":
            return self._adopt(me, alive and settled, request.shards)
        for number, epoch in request.shards:
            shard = tables.shards[number]
            if shard[1] == me and (shard[0] == epoch or self.mutant == "release by any epoch"):
                shard[1] = None
        if request.leave and row is not None:
            row.alive = False
        return None

    def _join(self, now: float, who: Node) -> int:
        tables = self.tables
        self._fresh += 1
        incarnation = 1_000_000 + self._fresh
        if self.mutant == "incarnations from a sequence":
            tables.sequence += 1
            incarnation = tables.sequence
        if who.proof_of in tables.rows:
            tables.rows[who.proof_of].alive = False
        tables.rows[incarnation] = Row(who.name, 0, now + LEASE_S)
        return incarnation

    def _members(self, now: float) -> tuple[Any, ...]:
        return tuple(
            messages.Member(number, row.name, row.beat, row.expires_at < now)
            for number, row in self.tables.rows.items()
            if row.alive
        )

    def _beat(self, now: float, alive: bool) -> Any:
        tables = self.tables
        calm = self.mutant == "no quarantine"
        return messages.Beat(
            alive,
            moved=tables.known != self.timeline and not calm,
            quarantined=tables.quarantine_until > now and not calm,
            members=self._members(now),
            shards=tuple(messages.Shard(n, *values) for n, values in sorted(tables.shards.items())),
        )

    def _plan(self, now: float) -> None:
        owners = {n: values[1] for n, values in self.tables.shards.items()}
        for number, wanted in self.module.wanted(self._members(now), owners, 0).items():
            self.tables.shards[number][2] = wanted

    def _claim(self, me: int | None, may: bool, numbers: tuple[int, ...]) -> Pairs:
        given = []
        for number in numbers if may else ():
            shard = self.tables.shards[number]
            owner = self.tables.rows.get(shard[1])
            if shard[2] == me and (owner is None or not owner.alive):
                shard[0] += 1
                shard[1] = me
                given.append((number, shard[0]))
        return tuple(given)

    def _adopt(self, me: int | None, may: bool, pairs: Pairs) -> Pairs:
        given = []
        for number, epoch in pairs if may else ():
            shard = self.tables.shards[number]
            if shard[:2] == [epoch, me]:
                shard[0] += self.mutant != "adopt under the same epoch"
                given.append((number, shard[0]))
        return tuple(given)


class Node:
    """An instance: a lease and a clock of its own that drifts."""

    def __init__(self, name: str, drift: float, offset: float, module: ModuleType) -> None:
        self.name = name
        self.lease = module.Lease()
        self.module = module
        self.paused_until = 0.0
        self.life = 0
        """Counts the runs of its process."""
        self.proof_of = -1
        """The incarnation whose lock file this run holds."""
        self._drift = drift
        self._offset = offset

    def clock(self, t: float) -> float:
        """What its clock says at real time `t`."""
        return self._offset + t * (1 + self._drift)

    def trusts(self, t: float) -> bool:
        """Whether its gate is open."""
        running = t >= self.paused_until
        return running and self.clock(t) < self.lease.trust_until


class Simulation:
    """One schedule; `violations` says when two held one shard."""

    def __init__(
        self, seed: int, *, module: ModuleType = real, mutant: str = "", nodes: int = 3
    ) -> None:
        self.random = random.Random(seed)
        self.database = Database(mutant, module)
        self.nodes = [
            Node(f"sip-{n}", self._uniform(-0.004, 0.004), self._uniform(0, 1e4), module)
            for n in range(nodes)
        ]
        self.violations: list[tuple[float, str, str, set[int]]] = []
        self.gains = 0
        self.now = 0.0
        self._queue: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []
        self._count = 0
        self._past: list[Tables] = []

    def run(self, seconds: float = 240.0) -> Simulation:
        """Play the schedule."""
        for node in self.nodes:
            self.at(self._uniform(0, 1), self._tick, node)
        self.at(5.0, self._chaos)
        self.at(0.2, self._snapshot)
        while self._queue and not self.violations:
            self.now, _, call, arguments = heapq.heappop(self._queue)
            if self.now > seconds:
                break
            call(*arguments)
        return self

    def at(self, t: float, call: Callable[..., None], *arguments: Any) -> None:
        """Let something happen at a real time."""
        self._count += 1
        heapq.heappush(self._queue, (t, self._count, call, arguments))

    def _uniform(self, low: float, high: float) -> float:
        return self.random.uniform(low, high)

    # -- instances --------------------------------------------------------------------------

    def _tick(self, node: Node) -> None:
        if self.now < node.paused_until:
            self.at(node.paused_until + self._uniform(0, 0.05), self._tick, node)
            return
        self.step(node, messages.Due())
        self.at(self.now + self._uniform(0.9, 1.1), self._tick, node)

    def step(self, node: Node, event: Any) -> None:
        """One event of an instance, and its effects."""
        node.lease, effects = node.module.react(node.lease, event, node.clock(self.now))
        for effect in effects:
            if type(effect).__name__ == "Ask":
                self._send(node, effect.number, effect.request)
            elif type(effect).__name__ == "Gain":
                self.gains += len(effect.shards)
        self.check()

    def _send(self, node: Node, number: int, request: Any) -> None:
        delay = self._delay()
        if delay is not None:
            arguments = (node, node.life, number, node.lease.incarnation, request)
            self.at(self.now + delay, self._arrive, *arguments)

    def _arrive(self, node: Node, life: int, number: int, me: int | None, request: Any) -> None:
        if self.database.down_until > self.now:
            return
        answer = self.database.serve(self.now, node, me, request)
        if type(request).__name__ == "Claim" and answer and self.random.random() < 0.08:
            self.at(self.now + self._uniform(0.05, 0.8), self._fail_over)
        delay = self._delay()
        if delay is not None:
            self.at(self.now + delay, self._reply, node, life, number, answer)

    def _reply(self, node: Node, life: int, number: int, answer: Any) -> None:
        if node.life != life:
            return
        if self.now < node.paused_until:
            again = node.paused_until + self._uniform(0, 0.05)
            self.at(again, self._reply, node, life, number, answer)
            return
        self.step(node, messages.Answered(number, answer))

    def _delay(self) -> float | None:
        """How long a message takes; None: it is lost."""
        draw = self.random.random()
        if draw < 0.05:
            return None
        if draw < 0.13:
            return self._uniform(0.5, 15)
        return self.random.expovariate(50)

    def check(self) -> None:
        """Note whether two hold one shard."""
        trusting = [node for node in self.nodes if node.trusts(self.now)]
        for number, one in enumerate(trusting):
            for other in trusting[number + 1 :]:
                both = set(one.lease.held) & set(other.lease.held)
                if both:
                    self.violations.append((round(self.now, 2), one.name, other.name, both))

    # -- faults -----------------------------------------------------------------------------

    def _chaos(self) -> None:
        draw, node = self.random.random(), self.random.choice(self.nodes)
        if draw < 0.25:
            node.paused_until = self.now + self._uniform(1, 25)
        elif draw < 0.45:
            self.database.offset += self.random.choice((-1, 1)) * self._uniform(1, 5000)
        elif draw < 0.55:
            self.database.down_until = self.now + self._uniform(1, 30)
        elif draw < 0.65:
            self._fail_over()
        elif draw < 0.8:
            self.crash(node, self._uniform(0.5, 20), proof=self.random.random() < 0.5)
        self.at(self.now + self.random.expovariate(1 / 6), self._chaos)

    def crash(self, node: Node, down_s: float, *, proof: bool) -> None:
        """End a process; another run follows, with or without the lock file of this one."""
        before = node.lease.incarnation
        node.proof_of = before if proof and before is not None else -1
        node.lease = node.module.Lease()
        node.life += 1
        node.paused_until = self.now + down_s

    def _fail_over(self) -> None:
        if len(self._past) < 4:
            return
        database = self.database
        database.tables = copy.deepcopy(self.random.choice(self._past[-4:]))
        database.timeline += 1
        database.offset += self._uniform(-3, 3)
        database.down_until = self.now + self._uniform(0, 3)

    def _snapshot(self) -> None:
        self._past.append(copy.deepcopy(self.database.tables))
        del self._past[:-6]
        self.at(self.now + 0.3, self._snapshot)
