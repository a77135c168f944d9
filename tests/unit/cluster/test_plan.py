"""Who has which shard: equal shares, and nothing moves that need not."""

from __future__ import annotations

from collections import Counter
from math import ceil

from hypothesis import given, settings
from hypothesis import strategies as st

from pjreg_cli.cluster.plan import Candidate, limit_of, plan

SHARDS = 64


def members(*names: str, limit: int = SHARDS) -> list[Candidate]:
    return [Candidate(number, name, limit) for number, name in enumerate(names, 1)]


def nobody() -> dict[int, int | None]:
    return dict.fromkeys(range(SHARDS))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["join", "die", "stay"]), st.integers(0, 9)), max_size=8))
def test_shares_are_equal_and_only_what_must_move_moves(events: list[tuple[str, int]]) -> None:
    alive: dict[int, Candidate] = {0: Candidate(0, "sip-0", SHARDS)}
    owners = plan(alive.values(), nobody())
    for number, (event, which) in enumerate(events, 1):
        before = dict(owners)
        if event == "join":
            alive[number] = Candidate(number, f"sip-{number}", SHARDS)
        elif event == "die" and len(alive) > 1:
            del alive[sorted(alive)[which % len(alive)]]
        owners = plan(alive.values(), before)
        assert owners == plan(reversed(list(alive.values())), before), "whoever computes it"
        sizes = Counter(owners.values())
        assert set(sizes) <= set(alive)
        assert max(sizes.values()) - min(sizes.get(one, 0) for one in alive) <= 1
        moved = [s for s in range(SHARDS) if before[s] in alive and owners[s] != before[s]]
        if event == "join":
            assert len(moved) <= ceil(SHARDS / len(alive))
        elif event == "stay":
            assert moved == []


def test_what_has_no_room_stays_unowned() -> None:
    sizes = Counter(plan(members("a", "b", limit=10), nobody()).values())
    assert sizes == {1: 10, 2: 10, None: SHARDS - 20}
    assert plan([], nobody()) == nobody()


def test_one_that_comes_back_gets_mostly_what_it_had() -> None:
    them = members(*"abcd")
    first = plan(them, nobody())
    without = plan(them[:3], first)
    back = plan([*them[:3], Candidate(9, "d", SHARDS)], without)
    had = {shard for shard, owner in first.items() if owner == 4}
    has = {shard for shard, owner in back.items() if owner == 9}
    assert len(had & has) > len(had) // 2


def test_capacity_is_accounts_and_limits_are_shards() -> None:
    assert limit_of(100, 0, 256) == 256
    assert limit_of(100_000, 500_000, 256) == 51
    assert limit_of(600_000, 500_000, 256) == 256
