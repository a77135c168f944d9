"""Work in slices: whoever brings much of it waits for others, and all of it is done."""

from __future__ import annotations

import asyncio

from pjreg_cli.net.turns import TURN_S, Turns


class Busy:
    """So many slices of work, each of which takes longer than a turn may."""

    def __init__(self, slices: int) -> None:
        self.left = slices
        self._loop = asyncio.get_running_loop()

    def work(self) -> bool:
        ends_at = self._loop.time() + TURN_S
        while self._loop.time() < ends_at:
            pass
        self.left -= 1
        return self.left > 0


async def test_a_little_work_is_done_at_once() -> None:
    worker = Busy(1)
    Turns().ready(worker)
    assert worker.left == 0


async def test_others_on_the_loop_get_their_turn_after_every_slice() -> None:
    turns, workers = Turns(), [Busy(3), Busy(3)]
    for worker in workers:
        turns.ready(worker)
    left: list[int] = []
    while any(worker.left for worker in workers):
        left.append(sum(worker.left for worker in workers))
        await asyncio.sleep(0)
    assert left == sorted(left, reverse=True)
    assert len(left) >= 5, "one slice in each turn"


async def test_work_that_fails_leaves_the_rest_to_be_done() -> None:
    class Broken(Busy):
        def work(self) -> bool:
            if self.left == 1:
                raise ValueError("broken")
            return super().work()

    told: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, what: told.append(what))
    turns, worker = Turns(), Busy(2)
    turns.ready(Broken(2))
    turns.ready(worker)
    while worker.left:  # noqa: ASYNC110 -- turns of the loop are what is counted
        await asyncio.sleep(0)
    assert len(told) == 1
