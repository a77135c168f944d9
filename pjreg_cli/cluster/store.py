"""What an instance asks of the store of its fleet (values and a protocol)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from pjreg_cli.cluster.messages import Request, Times
    from pjreg_cli.cluster.resume import Resumable


class Identity(NamedTuple):
    """Who an instance is to its fleet."""

    name: str
    proof: str
    """Of the lock file that it holds: who has the same may end its own predecessor at once."""
    capacity: int
    """How many registrations it may keep."""
    host: str
    version: str


class Counts(NamedTuple):
    """How many registrations are shown as what."""

    registered: int = 0
    rejected: int = 0
    unregistered: int = 0


class Taken(NamedTuple):
    """Somebody alive has our name."""

    incarnation: int
    beat: int
    expired: bool
    host: str


class FleetStore(Protocol):
    """See `store.postgres.FleetTables`; everything raises StoreError."""

    async def open(self) -> Times: ...
    # Any: each request has an answer of its own
    async def ask(self, request: Request, me: int | None, counts: Counts) -> Any: ...
    async def told(self, within_s: float) -> frozenset[str]: ...
    async def requests(self, me: int | None) -> list[tuple[str, str]]: ...
    async def close_conversation(self) -> None: ...
    async def close(self) -> None: ...
    async def write(self, rows: Sequence[Resumable], me: int | None) -> None: ...
    async def forget(self, rows: Sequence[tuple[int, str]], me: int | None) -> None: ...
    async def states(self, shards: Iterable[int]) -> dict[str, Resumable]: ...
