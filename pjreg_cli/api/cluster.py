"""A fleet of machines as front ends know it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from typing import NamedTuple, Protocol

from pjreg_cli.api.registrations import RegistrationRow


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


class FleetRow(NamedTuple):
    """One line of the table of all registrations of a fleet."""

    row: RegistrationRow
    instance: str
    """Which machine registers it; empty: none at the moment."""


class Wanted(NamedTuple):
    """Which registrations of a fleet are asked for; what is empty says nothing."""

    fits: Callable[[str], bool] | None = None
    """Whether a name is one of them."""
    word: str = ""
    """`Registered`, `Unregistered` or `Rejected`."""
    instance: str = ""


class ThisMachine(NamedTuple):
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
    """Why the database does not answer, or why shards of ours cannot be taken up; else empty."""
    unowned: int = 0
    """Shards of the fleet that nobody alive owned at the last beat."""
    homeless: int = 0
    """Of these, those that no machine has room for."""


class ClusterView(NamedTuple):
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
        """Whether every shard is owned and the instance that is asked can send for its own."""
        troubled = self.this is not None and (self.this.trust_s <= 0 or bool(self.this.trouble))
        return not self.unowned and not troubled


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

    def registrations(self, wanted: Wanted) -> AsyncGenerator[Sequence[FleetRow], None]:
        """The registrations of all machines, by name, some at a time."""
        ...

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

    def schema(self, *, triggers: bool, lease_ms: int) -> str:
        """The SQL that makes the tables; a machine that is silent for a lease is ended."""
        ...
