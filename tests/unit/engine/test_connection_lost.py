"""What the end of a connection leads to, in which order."""

from __future__ import annotations

import math
from typing import cast

from pjreg_cli.counters import Tally
from pjreg_cli.engine.attempts import Attempts
from pjreg_cli.engine.batches import Batches
from pjreg_cli.engine.connection_lost import ConnectionLost
from pjreg_cli.engine.entry import Attempt, Entry
from pjreg_cli.engine.exchange import Exchange, Exchanges
from pjreg_cli.engine.fleet import Fleet
from pjreg_cli.engine.jobs import Jobs
from pjreg_cli.engine.lanes import READY, WINDOW
from pjreg_cli.engine.served import Served
from pjreg_cli.engine.timers import Timers
from pjreg_cli.net.flow import Flow
from pjreg_cli.registration.state import Event, TransportClosed
from tests.support.manual_loop import ManualLoop
from tests.support.registrations import RecordingFlow, entry


class Scene:
    """As much of attempts and a fleet as is asked for, and what they were told."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.exchanges = Exchanges(
            Timers(ManualLoop().as_loop()), lambda one, *_: self.note("failed", one.entry), Tally()
        )
        self.served = Served()
        self.flow = RecordingFlow(reliable=True)

    def note(self, what: str, one: Entry) -> None:
        self.told.append(f"{one.name} {what}")

    def repeat(self, exchange: Exchange) -> None:
        self.note("repeated", exchange.entry)
        self.exchanges.drop(exchange)

    def turn_away(self, one: Entry, _flow: Flow, why: str) -> None:
        self.note(f"turned away as {why}", one)

    def post(self, one: Entry, event: Event) -> None:
        assert isinstance(event, TransportClosed)
        self.note("renewed", one)

    def asking(self, name: str, *, repeated: bool = False) -> Entry:
        one = entry(name)
        one.attempt = Attempt()
        one.attempt.repeated = repeated
        self.exchanges.open(one, self.flow, f"z9hG4bK{name}", 1, "1", b"x")
        return one

    async def end(self, *, established: bool) -> None:
        jobs, batches = Jobs(cast(Fleet, self), dict, lambda: 0.0, lambda: 0), Batches()
        lost = ConnectionLost(
            cast(Attempts, self), jobs, batches, clock=lambda: 0.0, fraction=lambda: 0.0
        )
        lost.ended(self.flow, "closed", established, math.inf, True)
        await batches.done()


async def test_who_is_served_comes_back_and_what_is_under_way_goes_out_again() -> None:
    scene = Scene()
    for one in (entry("idle"), scene.asking("asking"), scene.asking("again", repeated=True)):
        scene.served.move(one, scene.flow)
    await scene.end(established=True)
    assert scene.told == ["idle renewed", "again renewed", "again failed", "asking repeated"]


async def test_where_there_was_no_connection_requests_fail_and_nothing_is_renewed() -> None:
    scene = Scene()
    scene.served.move(entry("idle"), scene.flow)
    scene.asking("a")
    await scene.end(established=False)
    assert scene.told == ["a failed"]


async def test_where_there_was_no_connection_nobody_is_left_to_wait_for_another_try() -> None:
    scene = Scene()
    for number in range(WINDOW + READY):
        scene.asking(str(number))
    scene.told.clear()
    parked = [entry(f"p{number}") for number in range(500)]
    for one in parked:
        assert scene.exchanges.lanes.park(scene.flow, one)
    await scene.end(established=False)
    assert len(scene.told) == WINDOW + READY + 500
    assert {f"{one.name} turned away as closed" for one in parked} <= set(scene.told)


async def test_those_parked_go_out_over_the_next_connection() -> None:
    scene = Scene()
    made: list[Entry] = []
    scene.exchanges.lanes.make = lambda one, _flow: made.append(one)
    for number in range(WINDOW + READY):
        scene.asking(str(number))
    parked = [entry(f"p{number}") for number in range(500)]
    for one in parked:
        assert scene.exchanges.lanes.park(scene.flow, one)
    await scene.end(established=True)
    assert made == parked
