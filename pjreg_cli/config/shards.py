"""Which shard of a fleet an account belongs to (pure; `pjreg.shard_of` in the database)."""

from __future__ import annotations

from hashlib import sha256
from typing import Final

SHARDS: Final = 256
"""Shards of a fleet."""


def shard_of(name: str, shards: int = SHARDS) -> int:
    """The shard of a registration: the first byte of SHA-256 of its name, by as many as there are
    (a divisor of 256)."""
    return sha256(name.encode("utf-8", "surrogateescape")).digest()[0] % shards
