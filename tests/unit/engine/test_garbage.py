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


class Looks:
    """Calls that are made when the test says so, and what they are to see."""

    def __init__(self, answered: list[int], pending: list[int]) -> None:
        self.calls: list[Callable[[], None]] = []
        self.answered, self.pending = answered, pending
        self.rush = garbage.Rush(
            self.call_later, lambda: self.answered.pop(0), lambda: self.pending.pop(0)
        )

    def call_later(self, delay_s: float, call: Callable[[], None]) -> Looks:
        assert delay_s == garbage.LOOK_S
        self.calls.append(call)
        return self

    def cancel(self) -> None:
        self.calls.clear()


def test_nothing_is_searched_while_many_begin_or_end() -> None:
    #        begin   made   few answers  many     none left
    pending = [0, 10_000, 10_000, 10_000, 9_000, 0]
    answered = [50, 50, 349, 5_000, 9_000, 20_000]
    scene = Looks(answered, pending)
    scene.rush.begin(10_000)
    seen = [not gc.isenabled()]
    while scene.calls:
        young = [[number] for number in range(100)]
        scene.calls.pop(0)()
        seen.append(not gc.isenabled())
        if seen[-1]:
            assert not {id(one) for one in gc.get_objects()} & {id(one) for one in young}
    assert seen == [True, True, False, True, True, False]
    assert not pending


def test_a_rush_that_is_under_way_goes_on_when_more_begin_and_ends_with_the_engine() -> None:
    scene = Looks([0, 0], [0, 500])
    scene.rush.begin(500)
    scene.rush.begin(500)
    assert len(scene.calls) == 1
    gc.enable()  # as whoever else had it rest may do
    scene.calls.pop(0)()
    assert not gc.isenabled()
    scene.rush.close()
    assert gc.isenabled()
    assert not scene.calls


def test_few_are_nothing_to_rest_for() -> None:
    scene = Looks([], [])
    scene.rush.begin(garbage.MANY - 1)
    assert gc.isenabled()
    assert not scene.calls
    scene.rush.close()


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
