"""The gate of a fleet's registrations."""

from __future__ import annotations

from pjreg_cli.config.other_files import PjregSettings
from pjreg_cli.engine.bindings import Binding
from pjreg_cli.engine.entry import GONE, Entry, policy_of
from pjreg_cli.engine.share import Gate
from pjreg_cli.engine.timers import Timers
from pjreg_cli.registration.state import Event, Wake
from tests.support.clock import VirtualLoop
from tests.support.registrations import entry


class Owner:
    """Owns everything, trusted or not."""

    takeover = "auto"
    margin_s = 30
    rate = 50

    def __init__(self) -> None:
        self.trusted = True

    def may_send(self, shard: int) -> bool:
        return self.trusted

    def epoch(self, shard: int) -> int:
        return 3


class Scene:
    def __init__(self) -> None:
        self.loop = VirtualLoop()
        self.owner = Owner()
        self.posted: list[tuple[Entry, Event]] = []
        self.timers = Timers(self.loop)
        self.gate = Gate(self.owner, self.timers, lambda *one: self.posted.append(one))

    def shared(self, name: str, ends_in_s: float) -> Entry:
        one = entry(name, source=f"ps_registrations[{name}]")
        self.gate.assign(one)
        one.binding = Binding("sip:s@x", 60, self.loop.time() + ends_in_s - 60)
        return one


def test_only_what_tables_say_is_shared() -> None:
    scene = Scene()
    own = entry("own")
    scene.gate.assign(own)
    shared = scene.shared("alice", 60)
    assert shared.epoch == 3
    scene.owner.trusted = False
    assert scene.gate.may_send(own)
    assert not scene.gate.may_send(shared)
    shared.shard = GONE
    scene.owner.trusted = True
    assert not scene.gate.may_send(shared), "whoever is gone never sends again"
    scene.loop.close()


def test_a_fleet_has_a_margin_and_a_rate_of_its_own() -> None:
    scene = Scene()
    alice, own = scene.shared("alice", 60), entry("own")
    assert scene.gate.margin_s(alice.settings) == 30
    assert scene.gate.margin_s(own.settings) is None
    assert policy_of(alice.settings, None, 30).refresh_margin_s == 30
    assert policy_of(alice.settings, None, 0).refresh_margin_s == 90
    assert policy_of(alice.settings, PjregSettings(refresh_margin=120), 0).refresh_margin_s == 120
    assert policy_of(own.settings).refresh_margin_s == 10
    turns = [round(scene.gate.turn_s(200, alice), 2) for _ in range(3)]
    assert turns == [0.02, 0.04, 0.06]
    assert scene.gate.turn_s(200, scene.shared("bob", 5)) == 0.0, "it would end before its turn"
    scene.loop.close()


def test_what_came_due_meanwhile_leaves_by_its_end() -> None:
    scene = Scene()
    late, soon = scene.shared("late", 500), scene.shared("soon", 400)
    scene.owner.trusted = False
    assert not scene.gate.passes(late)
    assert not scene.gate.passes(soon)
    scene.owner.trusted = True
    scene.gate.go_on(2.0)
    now = scene.loop.time()
    assert (soon.timer_at, late.timer_at) == (now, now + 0.5)
    scene.loop.close()


def test_nothing_ends_for_our_politeness() -> None:
    scene = Scene()
    scene.owner.trusted = False
    them = [scene.shared(f"r{n}", 20) for n in range(100)]
    for one in them:
        scene.gate.passes(one)
    scene.gate.go_on(1.0)
    at = [one.timer_at for one in them if one.timer_at is not None]
    assert len(at) == 100
    assert max(at) <= scene.loop.time() + 10.0
    scene.loop.close()


def test_a_refresh_may_go_late_where_that_is_allowed() -> None:
    scene = Scene()
    ending, other = scene.shared("ending", 8), scene.shared("other", 80)
    scene.owner.trusted = False
    scene.gate.passes(ending)
    scene.gate.passes(other)
    assert scene.gate.send_late(10.0) == 1
    assert scene.posted == [(ending, Wake())]
    assert scene.gate.may_send(ending)
    assert not scene.gate.may_send(other)
    assert not scene.gate.passes(ending), "the next one waits again"
    scene.gate.go_on(10.0)
    assert not scene.gate.may_send(ending)
    scene.loop.close()
