"""A connection that has gone silent is told from an account that is."""

from __future__ import annotations

import pytest

from pjreg_cli.counters import Tally
from pjreg_cli.engine.entry import Entry
from pjreg_cli.engine.exchange import Exchange, Exchanges
from pjreg_cli.engine.silence import PATIENCE_S, Silence
from pjreg_cli.engine.timers import Timers
from tests.support.manual_loop import ManualLoop
from tests.support.registrations import RecordingFlow, entry


class FakeLink:
    """A connection as far as it is looked at."""

    def __init__(self, *, ponged: bool = False, spoke: bool = True) -> None:
        self.made_at = 0.0
        self.heard_at = 0.0
        self.spoke = spoke
        self.ponged = ponged
        self.pings = 0
        self.given_up = ""

    def ping(self) -> None:
        self.pings += 1

    def give_up(self, why: str) -> None:
        self.given_up = why


class LinkedFlow(RecordingFlow):
    """A flow with such a connection."""

    def __init__(self, link: FakeLink) -> None:
        super().__init__(reliable=True)
        self._link = link

    @property
    def link(self) -> FakeLink:
        return self._link


class Bench:
    """Requests on one flow."""

    def __init__(self, link: FakeLink) -> None:
        self.loop = ManualLoop()
        self.loop.now = 100.0
        timers = Timers(self.loop.as_loop())
        self.link = link
        self.flow = LinkedFlow(link)
        self.served: list[Entry] = []
        self.exchanges = Exchanges(timers, lambda *_: None, Tally())
        self.silence = Silence(timers, self.exchanges.on, lambda _flow: self.served)

    def ask(self, name: str, *, served: bool) -> Exchange:
        one = entry(name)
        if served:
            self.served.append(one)
        exchange = self.exchanges.open(one, self.flow, f"z9hG4bK{name}", 1, "1", b"x")
        self.silence.watch(self.flow)
        return exchange

    def pass_(self, seconds: float) -> None:
        self.loop.run_until(self.loop.now + seconds)


def test_nothing_heard_for_20_s_ends_a_connection_that_served_nobody_else() -> None:
    bench = Bench(FakeLink())
    bench.ask("a", served=True)
    bench.pass_(PATIENCE_S + 1)
    assert (bench.link.pings, bench.link.given_up) == (1, "")
    bench.pass_(PATIENCE_S)
    assert "nothing was heard" in bench.link.given_up


@pytest.mark.parametrize("ponged", [True, False])
def test_anything_that_is_heard_counts(ponged: bool) -> None:
    bench = Bench(FakeLink(ponged=ponged))
    bench.ask("a", served=True)
    bench.pass_(PATIENCE_S + 1)
    bench.link.heard_at = bench.loop.now
    bench.pass_(40)
    assert bench.link.given_up == ""


def test_one_that_is_silent_alone_ends_nothing_while_others_have_nothing_to_ask() -> None:
    bench = Bench(FakeLink())
    bench.served.append(entry("idle"))
    bench.ask("a", served=True)
    bench.pass_(31)
    assert bench.link.pings > 0
    assert bench.link.given_up == ""


def test_a_connection_that_answered_keep_alives_is_known_to_be_dead() -> None:
    bench = Bench(FakeLink(ponged=True))
    bench.served.append(entry("idle"))
    bench.ask("a", served=False)
    bench.pass_(2 * PATIENCE_S + 1)
    assert bench.link.given_up


def test_two_that_were_served_and_are_no_more_prove_enough() -> None:
    bench = Bench(FakeLink())
    bench.served.append(entry("idle"))
    bench.ask("a", served=True)
    bench.ask("b", served=True)
    bench.pass_(2 * PATIENCE_S + 1)
    assert bench.link.given_up


def test_a_connection_that_never_spoke_is_left_to_the_timers_of_its_requests() -> None:
    bench = Bench(FakeLink(spoke=False))
    bench.ask("a", served=False)
    bench.pass_(31)
    assert (bench.link.pings, bench.link.given_up) == (0, "")


def test_nobody_is_watched_once_all_is_answered() -> None:
    bench = Bench(FakeLink())
    bench.exchanges.drop(bench.ask("a", served=True))
    bench.pass_(100)
    # (once for its look, and once for each of the few seconds in which anything was ever due)
    assert (bench.link.pings, bench.loop.calls <= 3) == (0, True)
    bench.ask("b", served=True)
    bench.silence.close()
    bench.pass_(31)
    assert bench.link.pings == 0
