"""Which instance shall have which shard (pure, and the same wherever it is computed).

Everybody's quota is an equal share within its limit; everybody keeps what it has up to that, and
what is over or free goes to whom rendezvous hashing ranks first among those with room.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple


class Candidate(NamedTuple):
    """An instance that may own shards."""

    incarnation: int
    name: str
    limit: int
    """The most shards it can hold."""


def plan(members: Iterable[Candidate], owners: Mapping[int, int | None]) -> dict[int, int | None]:
    """The incarnation that shall own each shard, None where nobody has room.

    `owners` are those of now by shard; who is not among the members counts as nobody.  Sizes differ
    by one at most where limits allow; a death moves what the dead one had, a join what it gets.
    """
    alive = sorted(members, key=lambda member: (member.name, member.incarnation))
    held: dict[int, list[int]] = {member.incarnation: [] for member in alive}
    free: list[int] = []
    for shard in sorted(owners):
        owner = owners[shard]
        (free if owner is None or owner not in held else held[owner]).append(shard)
    quota = _quotas(alive, len(owners), {who: len(shards) for who, shards in held.items()})
    short = [one for one in alive if len(held[one.incarnation]) < quota[one.incarnation]]
    wanted: dict[int, int | None] = {}
    room: dict[int, int] = {}
    for member in alive:
        keep = sorted(held[member.incarnation], key=lambda shard: _belonging(member, shard, short))[
            ::-1
        ]
        free += keep[quota[member.incarnation] :]
        del keep[quota[member.incarnation] :]
        wanted |= dict.fromkeys(keep, member.incarnation)
        room[member.incarnation] = quota[member.incarnation] - len(keep)
    for shard in sorted(free):
        able = [member for member in alive if room[member.incarnation]]
        best = max(able, key=lambda member: _score(member.name, shard), default=None)
        wanted[shard] = None if best is None else best.incarnation
        if best is not None:
            room[best.incarnation] -= 1
    return wanted


def limit_of(capacity: int, accounts: int, shards: int) -> int:
    """The most shards for an instance that can keep `capacity` of all `accounts`."""
    if accounts <= 0:
        return shards
    return min(shards, max(0, capacity * shards // accounts))


def _quotas(alive: list[Candidate], shards: int, held: Mapping[int, int]) -> dict[int, int]:
    """An equal share each, within limits; what does not divide goes to who holds most already."""
    quota = {member.incarnation: 0 for member in alive}
    left, having_room = shards, list(alive)
    while left and having_room:
        share, odd = divmod(left, len(having_room))
        having_room.sort(key=lambda member: (-held[member.incarnation], member.name))
        gave = 0
        for number, member in enumerate(having_room):
            got = min(share + (number < odd), member.limit - quota[member.incarnation])
            quota[member.incarnation] += got
            gave += got
        left -= gave
        having_room = [m for m in having_room if quota[m.incarnation] < m.limit]
    return quota


def _belonging(member: Candidate, shard: int, others: list[Candidate]) -> tuple[int, int]:
    """How much rather a shard belongs to a member than to any of those who are to get some."""
    best = max((_score(other.name, shard) for other in others), default=0)
    return _score(member.name, shard) - best, shard


@lru_cache(maxsize=65536)
def _score(name: str, shard: int) -> int:
    digest = blake2b(f"{name}\0{shard}".encode("utf-8", "surrogateescape"), digest_size=8)
    return int.from_bytes(digest.digest(), "big")
