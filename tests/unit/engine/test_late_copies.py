"""Late copies of answers: known until timer K, or a moment longer, and forgotten then."""

from __future__ import annotations

from pjreg_cli.engine.late_copies import LateCopies
from pjreg_cli.engine.timers import Timers
from tests.support.manual_loop import ManualLoop


def test_each_is_known_until_its_time_is_over() -> None:
    loop = ManualLoop()
    late = LateCopies(Timers(loop.as_loop()))
    for number in range(100):
        loop.run_until(number / 50)
        late.add(f"b{number}", number, loop.now + 5)
    for tenth in range(20, 75):
        loop.run_until(tenth / 10)
        for number in range(100):
            until = number / 50 + 5
            if loop.now < until:
                assert late.owns(f"b{number}", number)
                assert not late.owns(f"b{number}", number + 1)
            elif loop.now > until + LateCopies.SPAN_S:
                assert not late.owns(f"b{number}", number)
    assert not late.owns("another", 1)


def test_nothing_is_left_of_them() -> None:
    loop = ManualLoop()
    timers = Timers(loop.as_loop())
    late = LateCopies(timers)
    for again in range(3):
        late.add("a", again, loop.now + 5)
        assert timers.size
        loop.run_until(loop.now + 20)
        assert not timers.size
        assert not late.owns("a", again)


def test_all_are_forgotten_at_once() -> None:
    loop = ManualLoop()
    late = LateCopies(Timers(loop.as_loop()))
    late.add("a", 1, 5.0)
    late.clear()
    assert not late.owns("a", 1)
    late.add("b", 2, 5.0)
    assert late.owns("b", 2)
