"""One instance's side of the ownership protocol, step by step."""

from __future__ import annotations

from dataclasses import replace

from pjreg_cli.cluster.lease import Lease, Tenure, react, wanted
from pjreg_cli.cluster.messages import (
    Adopt,
    Answered,
    Ask,
    Beat,
    Claim,
    Due,
    Effect,
    Fence,
    Gain,
    Join,
    Leave,
    Lose,
    Member,
    NotAnswered,
    Plan,
    Quarantine,
    Release,
    Renew,
    Request,
    Rise,
    Shard,
    Times,
)

ME = Member(1, "sip-1", 1, expired=False)
OTHER = Member(2, "sip-2", 1, expired=False)
JOINED = Lease(incarnation=1)


def beat(*shards: Shard, members: tuple[Member, ...] = (ME,), alive: bool = True) -> Beat:
    return Beat(alive, members=members, shards=shards)


def answered(lease: Lease, answer: Beat, asked_at: float, at: float) -> tuple[Lease, list[Effect]]:
    """The lease after a beat that was asked for and answered then, and the effects."""
    lease, effects = react(lease, Due(), asked_at)
    (ask,) = effects
    assert isinstance(ask, Ask)
    assert ask.request == Renew()
    lease, effects = react(lease, Answered(ask.number, answer), at)
    return lease, list(effects)


def requests(effects: list[Effect]) -> list[Request]:
    return [effect.request for effect in effects if isinstance(effect, Ask)]


def test_trust_counts_from_when_it_was_asked_for() -> None:
    mine = Shard(0, 1, 1, 1)
    lease, _ = answered(replace(JOINED, held={0: Tenure(1, 0.0)}), beat(mine), 10.0, 11.5)
    assert lease.trust_until == 15.0
    assert lease.may_send(0, 14.9)
    assert not lease.may_send(0, 15.0)
    assert not lease.may_send(1, 14.9)


def test_who_has_no_row_joins_and_whoever_was_ended_begins_anew() -> None:
    lease, effects = react(Lease(), Due(), 0.0)
    assert requests(list(effects)) == [Join()]
    lease, effects = react(lease, Answered(1, 7), 0.1)
    assert lease.incarnation == 7
    assert requests(list(effects)) == [Renew()]
    holding = replace(JOINED, held={3: Tenure(1, 0.0)}, trust_until=99.0)
    lease, found = answered(holding, beat(alive=False), 1.0, 1.1)
    assert Lose(frozenset({3}), "fenced") in found
    assert requests(found) == [Join()]
    assert not lease.may_send(3, 1.2)


def test_what_is_wanted_and_free_is_claimed_and_loaded() -> None:
    lease, effects = answered(JOINED, beat(Shard(0, 4, None, 1)), 1.0, 1.1)
    assert requests(effects) == [Claim((0,))]
    lease, found = react(lease, Answered(lease.number, ((0, 5),)), 1.2)
    assert found == (Gain(((0, 5),)),)
    assert lease.held == {0: Tenure(5, 1.1)}


def test_what_is_ours_by_the_table_is_adopted_under_a_new_epoch() -> None:
    _, effects = answered(JOINED, beat(Shard(0, 4, 1, 1)), 1.0, 1.1)
    assert requests(effects) == [Adopt(((0, 4),))]


def test_what_goes_to_another_is_dropped_before_it_is_released() -> None:
    both = (ME, OTHER)
    shall = wanted(both, {0: 1, 1: 1}, 0)
    table = tuple(Shard(number, 1, 1, shall[number]) for number in (0, 1))
    (given,) = [number for number, owner in shall.items() if owner == 2]
    holding = replace(JOINED, held={0: Tenure(1, 0.0), 1: Tenure(1, 0.0)})
    lease, effects = answered(holding, beat(*table, members=both), 1.0, 1.1)
    assert effects[0] == Lose(frozenset({given}), "given")
    assert requests(effects) == [Release(((given, 1),))]
    assert set(lease.held) == {0, 1} - {given}


def test_a_plan_that_is_not_what_it_should_be_is_made_anew_once() -> None:
    table = Shard(0, 1, 1, None)
    lease, effects = answered(replace(JOINED, held={0: Tenure(1, 0.0)}), beat(table), 1.0, 1.1)
    assert requests(effects) == [Plan()]
    lease, found = react(lease, Answered(lease.number), 1.2)
    assert requests(list(found)) == [Renew()]
    lease, found = react(lease, Answered(lease.number, beat(table)), 1.3)
    assert Plan() not in requests(list(found)), "not again before the next beat"


def test_silence_counts_while_we_listen() -> None:
    silent = OTHER._replace(expired=True)
    table = (Shard(0, 1, 1, 1), Shard(1, 1, 2, 2))
    lease = replace(JOINED, held={0: Tenure(1, 0.0)})
    for at in range(1, 7):
        lease, effects = answered(lease, beat(*table, members=(ME, silent)), at, at + 0.1)
        assert requests(effects) == []
    lease, effects = answered(lease, beat(*table, members=(ME, silent)), 7.2, 7.3)
    assert requests(effects) == [Fence(2, 1)]
    deaf = replace(lease, heard_at=0.0)
    _, effects = answered(deaf, beat(*table, members=(ME, silent)), 8.0, 8.1)
    assert requests(effects) == []


def test_a_failover_is_noted_and_gives_nobody_anything() -> None:
    free = Beat(True, moved=True, members=(ME,), shards=(Shard(0, 1, None, 1),))
    lease, effects = answered(JOINED, free, 1.0, 1.1)
    assert requests(effects) == [Quarantine()]
    calm = beat(Shard(0, 1, None, 1))
    lease, effects = answered(lease, calm, 2.0, 2.1)
    assert requests(effects) == [], "a lease of our own clock has to go by"
    lease, effects = answered(lease, calm, 7.2, 7.3)
    assert requests(effects) == [Claim((0,))]


def test_epochs_that_have_risen_are_taken_over() -> None:
    lease = replace(JOINED, held={0: Tenure(1, 0.0)})
    lease, effects = answered(lease, beat(Shard(0, 1001, 1, 1)), 1.0, 1.1)
    assert effects == [Rise(((0, 1001),))]
    assert lease.held[0].epoch == 1001


def test_an_answer_that_was_given_up_is_not_used() -> None:
    lease, _ = react(JOINED, Due(), 1.0)
    lease, _ = react(lease, NotAnswered(lease.number), 3.0)
    late, effects = react(lease, Answered(1, beat(Shard(0, 1, 1, 1))), 3.1)
    assert (late, effects) == (lease, ())


def test_whoever_leaves_trusts_nothing_any_more() -> None:
    holding = replace(JOINED, held={0: Tenure(4, 0.0)}, trust_until=99.0)
    lease, effects = react(holding, Leave(), 1.0)
    assert effects[0] == Lose(frozenset({0}), "left")
    assert requests(list(effects)) == [Release(((0, 4),), leave=True)]
    assert not lease.may_send(0, 1.0)


def test_times_go_with_the_lease() -> None:
    assert Times.of(6000) == Times()
    short = Times.of(1500)
    assert (short.trust_s, short.beat_s, short.answer_s) == (1.25, 0.25, 0.5)
