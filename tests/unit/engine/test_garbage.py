"""The collector leaves a fleet alone."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from pjreg_cli.engine import garbage


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    thresholds = gc.get_threshold()
    yield
    gc.set_threshold(*thresholds)
    gc.unfreeze()


class Node:
    """Part of a cycle."""

    other: Node


def test_what_is_set_aside_is_not_searched_any_more() -> None:
    fleet = [[number] for number in range(1_000)]
    garbage.set_aside()
    searched = {id(one) for one in gc.get_objects()}
    assert gc.get_freeze_count() >= len(fleet)
    assert not searched & {id(one) for one in fleet}


def test_young_objects_are_looked_through_seldom_and_cycles_are_still_found() -> None:
    garbage.tune()
    assert gc.get_threshold() == garbage.THRESHOLDS
    one, two = Node(), Node()
    one.other, two.other = two, one
    del one, two
    assert gc.collect() >= 2
