"""Shards are the same here as in the database."""

from __future__ import annotations

from pjreg_cli.config.shards import shard_of


def test_shards_are_the_first_byte_of_sha256() -> None:
    assert shard_of("r000123") == 76
    assert shard_of("é") == 74
    assert {shard_of(f"r{n}", 4) for n in range(100)} == {0, 1, 2, 3}
