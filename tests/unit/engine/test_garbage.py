"""The collector leaves a fleet alone."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterator

import pytest

from pjreg_cli.engine import garbage
from tests.support.manual_loop import ManualLoop
from tests.support.many import many


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    thresholds = gc.get_threshold()
    yield
    gc.set_threshold(*thresholds)
    gc.unfreeze()
    gc.freeze()  # as the collection of thousands of tests has left it


class Node:
    """Part of a cycle."""

    other: Node


def test_what_is_set_aside_is_not_searched_any_more() -> None:
    fleet = [[number] for number in range(1_000)]
    garbage.set_aside()
    searched = {id(one) for one in gc.get_objects()}
    assert gc.get_freeze_count() >= len(fleet)
    assert not searched & {id(one) for one in fleet}


@pytest.mark.exhaustive
def test_young_objects_are_looked_through_seldom_and_cycles_are_still_found() -> None:
    garbage.tune()
    assert gc.get_threshold() == garbage.THRESHOLDS
    one, two = Node(), Node()
    one.other, two.other = two, one
    del one, two
    assert gc.collect() >= 2


@pytest.mark.exhaustive
def test_everything_is_searched_as_seldom_as_that_takes_long() -> None:
    class Scene:
        """A clock that a search takes `took_s` of, and what is to be called when."""

        def __init__(self, took_s: float) -> None:
            self.readings = [10.0, 10.0 + took_s]
            self.waits: list[tuple[float, Callable[[], None]]] = []
            self.sweep = garbage.Sweep(self.call_later, lambda: self.readings.pop(0))

        def call_later(self, delay_s: float, call: Callable[[], None]) -> Scene:
            self.waits.append((delay_s, call))
            return self

        def cancel(self) -> None:
            self.waits.clear()

    for took_s, wait_s in ((0.0, garbage.LEAST_S), (0.1, 10_000.0), (10.0, garbage.MOST_S)):
        scene = Scene(took_s)
        node = Node()
        node.other = node
        alive = weakref.ref(node)
        del node
        scene.waits.pop(0)[1]()
        assert alive() is None
        assert scene.waits[0][0] == pytest.approx(wait_s)
        scene.sweep.close()
        assert not scene.waits


def test_nothing_is_searched_while_a_large_fleet_has_its_first_outcomes() -> None:
    waiting = [10_000, 10_000, 9_000, 5_000, 4_990, 400, 0, 0]
    resting = [False, True, True, False, True, True, False]
    calls: list[Callable[[], None]] = []

    class Never:
        """What nobody cancels."""

        def cancel(self) -> None:
            calls.clear()

    def call_later(delay_s: float, call: Callable[[], None]) -> Never:
        assert delay_s == garbage.LOOK_S
        calls.append(call)
        return Never()

    beginning = garbage.Beginning(call_later, lambda: waiting.pop(0))
    seen = []
    while calls:
        young = [[number] for number in range(100)]
        calls.pop(0)()
        seen.append(not gc.isenabled())
        if seen[-1]:
            assert not {id(one) for one in gc.get_objects()} & {id(one) for one in young}
    assert seen == resting
    assert not waiting
    beginning.close()
    assert gc.isenabled()


def test_attempts_leave_no_cycles() -> None:
    loop = ManualLoop()
    fleet = many(loop, 50, lambda _notice: None, 600, 10)
    gc.collect()
    gc.disable()
    try:
        loop.run_until(630.0)
        assert {entry.attempts for entry in fleet.entries.values()} == {2}
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_few_first_outcomes_are_nothing_to_rest_for() -> None:
    calls: list[float] = []

    class Handle:
        """A call that is cancelled."""

        def cancel(self) -> None:
            calls.append(-1.0)

    looks: list[Callable[[], None]] = []

    def call_later(delay_s: float, call: Callable[[], None]) -> Handle:
        looks.append(call)
        return Handle()

    beginning = garbage.Beginning(call_later, lambda: 5)
    looks.pop()()
    assert gc.isenabled()
    assert not looks
    beginning.close()
    assert calls == [-1.0]
