"""Identifiers are fresh, and repeatable where a test wants it."""

from __future__ import annotations

from pjreg_cli.engine.randomness import MAGIC_COOKIE, Ids


def test_identifiers_do_not_repeat() -> None:
    ids = Ids()
    for draw in (ids.call_id, ids.tag, ids.branch, ids.cnonce, ids.key):
        assert len({draw() for _ in range(500)}) == 500, draw


def test_a_branch_begins_with_the_magic_cookie() -> None:
    assert Ids().branch().startswith(MAGIC_COOKIE)


def test_jitter_stays_below_its_bound_and_is_nothing_for_0_and_1() -> None:
    ids = Ids(seed=1)
    assert {ids.jitter_s(3) for _ in range(200)} == {0, 1, 2}
    assert {ids.jitter_s(most_s) for most_s in (0, 1)} == {0}


def test_a_line_is_seven_letters() -> None:
    line = Ids().line()
    assert len(line) == 7
    assert line.isalpha()


def test_a_cseq_leaves_room_to_rise() -> None:
    ids = Ids(seed=2)
    assert all(1 <= ids.cseq() < 2**15 for _ in range(500))


def test_a_seed_makes_a_run_repeatable() -> None:
    def drawn() -> list[object]:
        ids = Ids(seed=7)
        return [ids.call_id(), ids.tag(), ids.branch(), ids.cseq(), ids.jitter_s(100), ids.key()]

    assert drawn() == drawn()
