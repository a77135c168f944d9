"""A fleet of machines as front ends know it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol


class MachineRow(NamedTuple):
    """One machine of a fleet."""

    name: str
    state: str
    """`live`, `draining`, `left` or `fenced`."""
    host: str
    shards: int
    registered: int | None
    rejected: int | None
    unregistered: int | None
    beat_s: float
    """Seconds since its last beat, or since it ended."""
    ended_by: str
    """Who has ended it."""


class ShardRow(NamedTuple):
    """Who has a shard."""

    number: int
    owner: str
    """Empty: nobody."""
    epoch: int
    since_s: float
    wanted: str
    """Whom the plan gives it to."""


class Found(NamedTuple):
    """What the fleet knows of one registration."""

    name: str
    shard: int
    owner: str
    status: str
    code: int
    reason: str
    refresh_in_s: float | None
    expires_in_s: float | None
    settled_s: float | None
    """Seconds since its last outcome."""


@dataclass(frozen=True, slots=True)
class ThisMachine:
    """The instance that is asked."""

    name: str
    trust_s: float
    """For how long its lease is trusted; 0: it holds."""
    behind_s: float
    """For how long the oldest state has waited to be written."""
    shards: int
    loading: int
    """Shards whose registrations are not there yet."""
    trouble: str
    """Why the database does not answer; empty when it does."""


@dataclass(frozen=True, slots=True)
class ClusterView:
    """A fleet."""

    schema: str
    database: str
    answers_s: float
    timeline: str
    lease_s: float
    shards: int
    unowned: int
    machines: tuple[MachineRow, ...]
    this: ThisMachine | None
    """None: no instance was asked."""

    @property
    def whole(self) -> bool:
        """Whether every shard is owned and the instance that is asked does not hold."""
        holds = self.this is not None and self.this.trust_s <= 0
        return not self.unowned and not holds


class Cluster(Protocol):
    """Showing and steering a fleet; what asks the database raises StoreError."""

    @property
    def name(self) -> str:
        """Of this machine in its fleet; empty: it is alone."""
        ...

    def this(self) -> ThisMachine | None:
        """What is known without asking the database; None where no instance runs in a fleet."""
        ...

    async def view(self) -> ClusterView: ...

    async def shards(self) -> Sequence[ShardRow]: ...

    async def find(self, name: str) -> Found | None:
        """One registration of the fleet; None for one that it does not know."""
        ...

    async def send(self, verb: str, name: str, within_s: float) -> str:
        """Have the owner `register` or `unregister`; why that was not done, empty when it was."""
        ...

    async def drain(self, name: str, on: bool) -> bool:
        """Take all shards from a machine, or let it have some again; False for an unknown one."""
        ...

    async def reload(self) -> int:
        """Have all machines read their rows anew; how many there are."""
        ...

    async def check(self) -> Sequence[tuple[bool, str]]:
        """What a fleet needs: whether it is so, and what."""
        ...

    def schema(self, *, triggers: bool) -> str:
        """The SQL that makes the tables."""
        ...
