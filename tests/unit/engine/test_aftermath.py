"""What the end of a connection leads to, in which order."""

from __future__ import annotations

import math
from typing import cast

from pjreg_cli.counters import Tally
from pjreg_cli.engine.aftermath import Aftermath
from pjreg_cli.engine.attempts import Attempts
from pjreg_cli.engine.batches import Batches
from pjreg_cli.engine.entry import Attempt, Entry
from pjreg_cli.engine.exchange import Exchange, Exchanges
from pjreg_cli.engine.fleet import Fleet
from pjreg_cli.engine.jobs import Jobs
from pjreg_cli.engine.served import Served
from pjreg_cli.engine.timers import Timers
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

    def post(self, one: Entry, event: Event) -> None:
        assert isinstance(event, TransportClosed)
        self.note("renewed", one)

    def asking(self, name: str, *, repeated: bool = False) -> Entry:
        one = entry(name)
        one.attempt = Attempt()
        one.attempt.repeated = repeated
        self.exchanges.open(one, self.flow, f"z9hG4bK{name}", 1, "1", b"x")
        return one

    def end(self, *, established: bool) -> None:
        jobs = Jobs(cast(Fleet, self), dict, lambda: 0.0)
        aftermath = Aftermath(
            cast(Attempts, self), jobs, Batches(), clock=lambda: 0.0, fraction=lambda: 0.0
        )
        aftermath.ended(self.flow, "closed", established, math.inf, True)


async def test_who_is_served_comes_back_and_what_is_under_way_goes_out_again() -> None:
    scene = Scene()
    for one in (entry("idle"), scene.asking("asking"), scene.asking("again", repeated=True)):
        scene.served.move(one, scene.flow)
    scene.end(established=True)
    assert scene.told == ["idle renewed", "again renewed", "again failed", "asking repeated"]


async def test_where_there_was_no_connection_requests_fail_and_nothing_is_renewed() -> None:
    scene = Scene()
    scene.served.move(entry("idle"), scene.flow)
    scene.asking("a")
    scene.end(established=False)
    assert scene.told == ["a failed"]
