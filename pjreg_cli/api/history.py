"""What has happened to registrations, also before this start."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from typing import NamedTuple, Protocol


class Happened(NamedTuple):
    """One line of the history of a registration."""

    at: float
    """Seconds since 1970."""
    kind: str
    """`transition` (its word has changed) or `attempt` (one has settled)."""
    word: str
    """`Registered`, `Rejected`, ... from then on."""
    code: int
    cause: str
    """A code as in `Finding.cause`."""
    facts: Mapping[str, object]


class Histories(Protocol):
    """Where the history is kept."""

    def of(self, name: str, limit: int, kind: str = "") -> Awaitable[Sequence[Happened]]:
        """The last lines about a registration, the oldest first."""
        ...


class _Nowhere:
    """No history is kept."""

    async def of(self, name: str, limit: int, kind: str = "") -> Sequence[Happened]:
        return ()


NOWHERE: Histories = _Nowhere()
