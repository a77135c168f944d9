"""Faults of our own: they are logged, and registrations go on by their timers."""

from __future__ import annotations

from itertools import pairwise

import pytest

from pjreg_cli.api.notices import Notice
from pjreg_cli.counters import Counters
from pjreg_cli.engine.randomness import Ids
from pjreg_cli.engine.watchdog import EVERY_S
from pjreg_cli.levels import MACHINERY, MESSAGES, NOTICE, STEPS, WAYS, debug
from pjreg_cli.registration.state import Flight
from tests.loop.test_engine import Scene, play
from tests.support.registrar import Registrar, protected


def counts(counters: Counters) -> dict[str, int]:
    """The counters that are not 0."""
    return {count.name: count.value for count in counters.counts() if count.value}


def test_listeners_that_raise_at_every_notice_cost_no_refresh(
    caplog: pytest.LogCaptureFixture,
) -> None:
    counters = Counters()

    def refuse(_notice: Notice) -> None:
        raise OSError(28, "No space left on device")

    async def act(scene: Scene) -> None:
        scene.engine.notices.subscribe(refuse)
        scene.engine.tracing.set_logger(True)
        requests = await scene.registrar.received(6, "alice")
        assert [round(b.at - a.at) for a, b in pairwise(requests)] == [50] * 5
        assert scene.words() == {"alice": "Registered"}

    play({"alice": {"expiration": 60}}, act, counters=counters)
    assert list(counts(counters)) == ["listener_failures"]
    assert counts(counters)["listener_failures"] >= 12
    assert sum("No space left" in message for message in caplog.messages) == 1


class Stumbling(Ids):
    """Fails to make a cnonce as often as `stumbles` says."""

    stumbles = 1

    def cnonce(self) -> str:
        if self.stumbles:
            self.stumbles -= 1
            raise RuntimeError("of ours")
        return super().cnonce()


def test_a_step_that_fails_ends_its_attempt_and_is_tried_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    counters = Counters()

    def prepare(registrar: Registrar) -> None:
        registrar.script("alice", protected("secret"))

    async def act(scene: Scene) -> None:
        await scene.until(lambda: len(scene.settled()) >= 2)
        assert scene.settled() == [("alice", "Rejected"), ("alice", "Registered")]
        first, second, _ = await scene.registrar.received(3, "alice")
        assert round(second.at - first.at) == 30

    play(
        {"alice": {"outbound_auth": ("a",), "retry_interval": 30}},
        act,
        prepare=prepare,
        counters=counters,
        ids=Stumbling(seed=1),
    )
    assert counts(counters) == {"step_failures": 1}
    assert "Traceback" in caplog.text
    assert "internal error" in caplog.text


def test_a_registration_that_has_lost_its_deadline_is_found_and_goes_on() -> None:
    counters = Counters()

    async def act(scene: Scene) -> None:
        (first,) = await scene.registrar.received(1, "alice")
        await scene.until(lambda: scene.words() == {"alice": "Registered"})
        fleet, entry = scene.engine._fleet, scene.engine._fleet.entries["alice"]
        fleet._timers.arm(entry, None)
        entry.state = entry.state._replace(wake_at=None)
        _, second = await scene.registrar.received(2, "alice")
        assert second.at - first.at < 6 * EVERY_S

    play({"alice": {"expiration": 3600}}, act, counters=counters)
    assert counts(counters) == {"healed": 1}


def test_a_request_that_has_lost_its_timer_is_given_up_and_tried_again() -> None:
    counters = Counters()

    async def act(scene: Scene) -> None:
        await scene.registrar.received(1, "alice")
        await scene.until(lambda: scene.words() == {"alice": "Registered"})
        entry = scene.engine._fleet.entries["alice"]
        entry.attempt = None
        entry.state = entry.state._replace(in_flight=Flight.REGISTER, wake_at=None)
        await scene.registrar.received(2, "alice")
        await scene.until(lambda: len(scene.settled()) >= 3)
        assert [word for _, word in scene.settled()] == ["Registered", "Rejected", "Registered"]

    play({"alice": {"retry_interval": 30}}, act, counters=counters)
    assert counts(counters) == {"healed": 1}


def test_every_level_of_the_log_tells_more(caplog: pytest.LogCaptureFixture) -> None:
    def prepare(registrar: Registrar) -> None:
        registrar.script("alice", protected("secret"))

    async def act(scene: Scene) -> None:
        await scene.registrar.received(2, "alice")
        await scene.until(lambda: scene.words() == {"alice": "Registered"})

    caplog.set_level(debug(3), "pjreg_cli")
    play({"alice": {"outbound_auth": ("a",)}}, act, prepare=prepare)
    lines = [(record.levelno, record.getMessage()) for record in caplog.records]
    for level, told in (
        (NOTICE, "alice: Registered: register: 200"),
        (STEPS, "alice: register to udp:127.0.0.1:"),
        (STEPS, ": challenge"),
        (WAYS, "alice: targets: udp:127.0.0.1:"),
        (MESSAGES, " bytes from 127.0.0.1:"),
        (MESSAGES, " bytes to udp:127.0.0.1:"),
        (MACHINERY, "alice: Start(jitter_s=0, waited_s=0.0) makes it State("),
    ):
        assert any(one == level and told in text for one, text in lines), told
    assert "secret" not in caplog.text
