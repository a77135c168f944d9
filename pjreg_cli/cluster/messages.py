"""What an instance and the database of its fleet say to each other, and what follows (values)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Times(NamedTuple):
    """How long things count, in seconds."""

    lease_s: float = 6.0
    """Silence after which others may end an instance."""
    trust_s: float = 5.0
    """How long after asking a renewed lease is trusted."""
    beat_s: float = 1.0
    answer_s: float = 2.0
    """When a request is given up."""
    listening_s: float = 3.0
    """Silence counts while we heard the database within this."""

    @staticmethod
    def of(lease_ms: int) -> Times:
        """The times that go with a lease: trust 5/6 of it, a beat 1/6."""
        lease_s = lease_ms / 1000
        return Times(lease_s, lease_s * 5 / 6, lease_s / 6, lease_s / 3, lease_s / 2)


# -- what the database says -------------------------------------------------------------------


class Member(NamedTuple):
    """A row of an instance that is alive."""

    incarnation: int
    name: str
    beat: int
    expired: bool
    """By the database's clock."""
    draining: bool = False
    capacity: int = 100_000


class Shard(NamedTuple):
    """A row of a shard."""

    number: int
    epoch: int
    owner: int | None
    wanted: int | None


@dataclass(frozen=True, slots=True)
class Beat:
    """The answer to Renew."""

    alive: bool
    """Our row was there and is renewed."""
    moved: bool = False
    """The server is not the one that gave the leases in force: a failover."""
    quarantined: bool = False
    members: tuple[Member, ...] = ()
    shards: tuple[Shard, ...] = ()
    accounts: int = 0
    """How many there are in all, about."""


# -- what is asked ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Join:
    """Make a row under a new incarnation."""


@dataclass(frozen=True, slots=True)
class Renew:
    """Renew our row; answered by `Beat`."""


@dataclass(frozen=True, slots=True)
class Fence:
    """End a member that was silent, if its beat is still this and its row has expired."""

    incarnation: int
    beat: int


@dataclass(frozen=True, slots=True)
class Plan:
    """Compute anew who shall have what, in one transaction."""


@dataclass(frozen=True, slots=True)
class Quarantine:
    """Take note of a failover: for one lease nobody is ended and nothing is given."""


Epochs = tuple[tuple[int, int], ...]
"""Pairs of shard and epoch."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Own shards that nobody alive owns and that are wanted here."""

    shards: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Adopt:
    """Own under a new epoch what is ours by the table and not held."""

    shards: Epochs


@dataclass(frozen=True, slots=True)
class Release:
    """Own these no longer; they are not held any more."""

    shards: Epochs
    leave: bool = False
    """End our row, too."""


Request = Join | Renew | Fence | Plan | Quarantine | Claim | Adopt | Release


# -- events -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Due:
    """It is time to beat."""


@dataclass(frozen=True, slots=True)
class Answered:
    """The database has answered request `number`: Join with the incarnation, Renew with a Beat,
    Claim and Adopt with the epochs of what was given, the others with None."""

    number: int
    answer: int | Beat | Epochs | None = None


@dataclass(frozen=True, slots=True)
class NotAnswered:
    """Request `number` was given up: it may still be carried out."""

    number: int


@dataclass(frozen=True, slots=True)
class Leave:
    """The program ends."""


Event = Due | Answered | NotAnswered | Leave


# -- effects ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ask:
    """Send a request; its answer names `number`."""

    number: int
    request: Request


@dataclass(frozen=True, slots=True)
class Gain:
    """These shards are ours from now on: load their states."""

    shards: Epochs


@dataclass(frozen=True, slots=True)
class Rise:
    """The epochs of shards that we hold have risen."""

    shards: Epochs


@dataclass(frozen=True, slots=True)
class Lose:
    """These shards are not ours any more: forget them without a word to anybody."""

    shards: frozenset[int]
    why: str
    """`fenced`, `given`, `taken` or `left`."""


Effect = Ask | Gain | Rise | Lose
