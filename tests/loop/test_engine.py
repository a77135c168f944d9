"""A running engine against a scripted registrar: real sockets, virtual time."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from pjreg_cli.api.notices import Notice, Settled, StateDropped, StateLeaving, StateMade
from pjreg_cli.config.load import Settings
from pjreg_cli.config.models import Auth, PjregSettings, Registration, Transport
from pjreg_cli.counters import Counters
from pjreg_cli.engine.engine import Engine
from pjreg_cli.engine.randomness import Ids
from pjreg_cli.errors import TransportError
from tests.support.clock import run_virtually
from tests.support.ports import LOOPBACK, free_port
from tests.support.registrar import Registrar, fail, grant, protected, silence
from tests.support.registrations import registration

HOUR = 3600.0


@dataclass
class Scene:
    """An engine and the registrar it talks to."""

    registrar: Registrar
    engine: Engine
    notices: list[Notice] = field(default_factory=list)

    def words(self) -> dict[str, str | None]:
        """The word of each registration."""
        return {row.name: row.word for row in self.engine.registrations.rows()}

    def settled(self) -> list[tuple[str, str]]:
        """Name and word of every outcome told."""
        return [(one.name, one.word) for one in self.notices if isinstance(one, Settled)]

    async def until(self, reached: Callable[[], bool]) -> None:
        """Let time pass until this holds."""
        async with asyncio.timeout(2 * HOUR):
            while not reached():  # noqa: ASYNC110 -- in virtual time waiting costs nothing
                await asyncio.sleep(0.1)


def transport(port: int, protocol: str = "udp") -> Transport:
    return Transport(
        name=protocol,
        source="pjsip.conf:1",
        host=LOOPBACK,
        port=port,
        protocol=protocol,
        bind=f"{LOOPBACK}:{port}",
    )


def configuration(
    registrar: Registrar, sections: Mapping[str, dict[str, Any]], *, protocol: str = "udp"
) -> Settings:
    """Settings with a registration for each of `sections`.  Any: options have many types."""
    suffix = "" if protocol == "udp" else f";transport={protocol}"
    uri = f"sip:{LOOPBACK}:{registrar.port}{suffix}"
    registrations: dict[str, Registration] = {
        name: registration(name, **{"server_uri": uri, "max_random_initial_delay": 0, **options})
        for name, options in sections.items()
    }
    own = transport(free_port(), protocol)
    path = Path("pjsip.conf")
    return Settings(
        directory=path.parent,
        path=path,
        registrations=registrations,
        transports={own.name: own},
        auths={"a": Auth(name="a", source="", username="alice", password=SecretStr("secret"))},
    )


def play(
    sections: Mapping[str, dict[str, Any]],
    act: Callable[[Scene], Coroutine[Any, Any, None]],
    *,
    protocol: str = "udp",
    change: Callable[[Settings], Settings] = lambda settings: settings,
    prepare: Callable[[Registrar], None] = lambda registrar: None,
    ids: Ids | None = None,
    counters: Counters | None = None,
    waited_s: float = 0.0,
) -> None:
    """Open an engine with these sections, act, close it.  So many seconds of the initial delays
    are over by then."""

    async def main() -> None:
        async with Registrar.open() as registrar:
            prepare(registrar)
            settings = change(configuration(registrar, sections, protocol=protocol))
            engine = Engine(
                settings,
                version="0",
                wall_clock=lambda: 0.0,
                ids=ids or Ids(seed=1),
                counters=counters,
            )
            scene = Scene(registrar, engine)
            engine.notices.subscribe(scene.notices.append)
            await engine.open(asyncio.get_running_loop().time() - waited_s)
            try:
                await act(scene)
            finally:
                await engine.close()

    run_virtually(main())


@pytest.mark.parametrize(("waited_s", "left_s"), [(0.0, 1.0), (0.4, 0.6), (5.0, 0.0)])
def test_initial_delays_count_from_when_reading_began(waited_s: float, left_s: float) -> None:
    opened_at: list[float] = []

    async def act(scene: Scene) -> None:
        (request,) = await scene.registrar.received(1, "alice")
        assert request.at - opened_at[0] == pytest.approx(left_s, abs=0.01)

    def prepare(_registrar: Registrar) -> None:
        opened_at.append(asyncio.get_running_loop().time())

    play({"alice": {}}, act, prepare=prepare, waited_s=waited_s)


def test_a_registration_is_made_and_refreshed_10_s_before_it_ends() -> None:
    async def act(scene: Scene) -> None:
        requests = await scene.registrar.received(3, "alice")
        assert [round(b.at - a.at) for a, b in pairwise(requests)] == [
            50,
            50,
        ]
        assert len({one.header("call-id") for one in requests}) == 1
        assert [one.cseq - requests[0].cseq for one in requests] == [0, 1, 2]
        await scene.until(lambda: scene.words() == {"alice": "Registered"})

    play({"alice": {"expiration": 60}}, act)


def test_a_challenge_is_answered_with_the_auth_section() -> None:
    def prepare(registrar: Registrar) -> None:
        registrar.script("alice", protected("secret"))

    async def act(scene: Scene) -> None:
        first, second = await scene.registrar.received(2, "alice")
        assert first.credentials == ""
        assert 'username="alice"' in second.credentials
        assert "secret" not in second.credentials
        await scene.until(lambda: scene.words() == {"alice": "Registered"})
        assert scene.settled() == [("alice", "Registered")], "an answered challenge is no outcome"

    play({"alice": {"outbound_auth": ("a",)}}, act, prepare=prepare)


def test_a_stale_nonce_is_replaced_once() -> None:
    def prepare(registrar: Registrar) -> None:
        registrar.script("alice", protected("secret", stale=1))

    async def act(scene: Scene) -> None:
        await scene.registrar.received(3, "alice")
        await scene.until(lambda: scene.words() == {"alice": "Registered"})

    play({"alice": {"outbound_auth": ("a",)}}, act, prepare=prepare)


def test_a_kept_nonce_spares_refreshes_the_challenge() -> None:
    def prepare(registrar: Registrar) -> None:
        registrar.script("alice", protected("secret"))

    async def act(scene: Scene) -> None:
        requests = await scene.registrar.received(4, "alice")
        assert [bool(one.credentials) for one in requests] == [False, True, True, True]
        counts = [one.credentials.partition("nc=")[2][:8] for one in requests[1:]]
        assert counts == ["00000001", "00000002", "00000003"]

    def change(settings: Settings) -> Settings:
        return replace(settings, pjreg=PjregSettings(keep_nonce=True))

    sections = {"alice": {"outbound_auth": ("a",), "expiration": 60}}
    play(sections, act, prepare=prepare, change=change)


def test_without_being_told_no_nonce_is_kept() -> None:
    def prepare(registrar: Registrar) -> None:
        registrar.script("alice", protected("secret"))

    async def act(scene: Scene) -> None:
        requests = await scene.registrar.received(4, "alice")
        assert [bool(one.credentials) for one in requests] == [False, True, False, True]

    play({"alice": {"outbound_auth": ("a",), "expiration": 60}}, act, prepare=prepare)


def test_unregister_removes_the_binding_and_stays() -> None:
    async def act(scene: Scene) -> None:
        await scene.until(lambda: scene.words() == {"alice": "Registered"})
        assert scene.engine.registrations.unregister("alice")
        await scene.until(lambda: scene.words() == {"alice": "Unregistered"})
        assert not scene.registrar.bindings["alice"]
        before = len(scene.registrar.seen)
        await asyncio.sleep(HOUR)
        assert len(scene.registrar.seen) == before

    play({"alice": {}}, act)


def test_a_command_that_comes_during_a_request_is_not_lost() -> None:
    def prepare(registrar: Registrar) -> None:
        registrar.script("alice", silence(), grant())

    async def act(scene: Scene) -> None:
        await scene.registrar.received(1, "alice")
        assert scene.engine.registrations.unregister("alice")
        _silent, unregister = await scene.registrar.received(2, "alice")
        assert unregister.expires_s == 0
        assert round(unregister.at - _silent.at) == 32
        await scene.until(lambda: scene.words() == {"alice": "Unregistered"})

    play({"alice": {}}, act, prepare=prepare)


def test_a_refused_unregister_does_not_register_again() -> None:
    def prepare(registrar: Registrar) -> None:
        registrar.script("alice", grant(), fail(503))

    async def act(scene: Scene) -> None:
        await scene.until(lambda: scene.words() == {"alice": "Registered"})
        scene.engine.registrations.unregister("alice")
        await scene.until(lambda: scene.words() == {"alice": "Rejected"})
        await asyncio.sleep(HOUR)
        assert [one.expires_s for one in scene.registrar.of("alice")] == [3600, 0]

    play({"alice": {}}, act, prepare=prepare)


def test_verbs_know_who_there_is() -> None:
    async def act(scene: Scene) -> None:
        registrations = scene.engine.registrations
        assert not registrations.unregister("nobody")
        assert not registrations.register("nobody")
        registrations.unregister_all()
        assert not registrations.register("alice"), "its state is forgotten"
        assert scene.words() == {"alice": None}
        registrations.register_all()
        await scene.until(lambda: scene.words() == {"alice": "Registered"})

    play({"alice": {}}, act)


def test_counts_follow_every_change() -> None:
    def prepare(registrar: Registrar) -> None:
        registrar.script("bob", fail(403))

    async def act(scene: Scene) -> None:
        registrations = scene.engine.registrations
        assert registrations.count() == {"Unregistered": 3}
        await scene.engine.settled(60)
        assert registrations.count() == {"Registered": 2, "Rejected": 1}
        registrations.unregister("alice")
        await scene.until(lambda: scene.words()["alice"] == "Unregistered")
        assert registrations.count() == {"Registered": 1, "Rejected": 1, "Unregistered": 1}
        registrations.unregister_all()
        assert registrations.count() == {"Unregistered": 3}

    play({"alice": {}, "bob": {}, "carol": {}}, act, prepare=prepare)


def test_evidence_tells_what_an_attempt_came_to() -> None:
    def prepare(registrar: Registrar) -> None:
        registrar.script("alice", fail(404))

    async def act(scene: Scene) -> None:
        await scene.engine.settled(60)
        view = scene.engine.registrations.view("alice")
        assert view is not None
        assert view.evidence is not None
        evidence = view.evidence
        assert (evidence.code, evidence.cause, evidence.rule) == (404, "answered", "permanent")
        assert evidence.target == f"udp:{LOOPBACK}:{scene.registrar.port}"
        assert (view.attempts, view.next_attempt_s) == (1, 0)

    play({"alice": {}}, act, prepare=prepare)


def test_states_made_and_dropped_are_told() -> None:
    async def act(scene: Scene) -> None:
        await scene.engine.settled(60)
        scene.engine.registrations.unregister_all()
        await scene.until(lambda: any(isinstance(one, StateDropped) for one in scene.notices))
        told = [type(one) for one in scene.notices]
        assert told == [StateMade, Settled, StateLeaving, Settled, StateDropped]
        assert scene.notices[-1] == StateDropped("alice", "Unregistered")

    play({"alice": {}}, act)


def test_leaving_unregisters_what_is_registered_and_waits() -> None:
    def prepare(registrar: Registrar) -> None:
        registrar.script("bob", fail(403))

    async def act(scene: Scene) -> None:
        await scene.engine.settled(60)
        assert await scene.engine.leave(5)
        assert scene.registrar.bindings == {"alice": set()}
        assert len(scene.registrar.of("bob")) == 1, "there was nothing to unregister"

    play({"alice": {}, "bob": {}}, act, prepare=prepare)


def test_leaving_does_not_wait_for_ever() -> None:
    async def act(scene: Scene) -> None:
        await scene.engine.settled(60)
        scene.registrar.silent = True
        assert not await scene.engine.leave(5)

    play({"alice": {}}, act)


def test_half_an_hour_of_outage_ends_with_everything_registered_and_no_storm() -> None:
    sections = {f"r{number}": {"expiration": 300, "max_retries": 10_000} for number in range(150)}

    async def act(scene: Scene) -> None:
        assert await scene.engine.settled(60)
        scene.registrar.silent = True
        await asyncio.sleep(HOUR / 2)
        scene.registrar.silent = False
        resumed_at = asyncio.get_running_loop().time()
        everything = {"Registered": len(sections)}
        await scene.until(lambda: scene.engine.registrations.count() == everything)
        assert asyncio.get_running_loop().time() - resumed_at <= 1.2 * 60 + 32
        came = Counter(one.user for one in scene.registrar.seen if one.at >= resumed_at)
        assert max(came.values()) <= 2

    play(sections, act)


def test_a_lost_connection_registers_again_at_once() -> None:
    async def act(scene: Scene) -> None:
        await scene.engine.settled(60)
        lost_at = asyncio.get_running_loop().time()
        scene.registrar.close_connections()
        requests = await scene.registrar.received(4)
        assert requests[-1].at - lost_at < 1
        await scene.until(lambda: scene.engine.registrations.count() == {"Registered": 2})
        assert scene.registrar.connections == 1, "they share a connection"

    play({"alice": {}, "bob": {}}, act, protocol="tcp")


def test_a_connection_that_goes_deaf_is_opened_anew() -> None:
    async def act(scene: Scene) -> None:
        await scene.engine.settled(60)
        ports = {one.peer[1] for one in scene.registrar.seen}
        scene.registrar.silent = True
        scene.engine.registrations.register("alice")
        await asyncio.sleep(40)
        scene.registrar.silent = False
        await scene.until(lambda: bool({one.peer[1] for one in scene.registrar.seen} - ports))
        await scene.until(lambda: scene.words() == {"alice": "Registered"})

    play({"alice": {"retry_interval": 5}}, act, protocol="tcp")


def test_a_port_in_use_is_said_and_nothing_stays_open() -> None:
    async def main() -> None:
        async with Registrar.open() as registrar:
            settings = configuration(registrar, {"alice": {}})
            settings = replace(settings, transports={"udp": transport(registrar.port)})
            engine = Engine(settings, version="0", wall_clock=lambda: 0.0)
            with pytest.raises(TransportError, match=str(registrar.port)):
                await engine.open()

    run_virtually(main())


@pytest.mark.parametrize(
    ("datagram", "kind"),
    [
        (b"\0\1\2", "garbage"),
        (b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP x;branch=", "garbage"),
        (
            b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKforeign\r\nFrom: <sip:a@b>\r\n"
            b"To: <sip:a@b>\r\nCall-ID: c\r\nCSeq: 1 REGISTER\r\n\r\n",
            "stray",
        ),
    ],
)
def test_what_does_not_belong_to_us_is_counted_and_changes_nothing(
    datagram: bytes, kind: str
) -> None:
    async def act(scene: Scene) -> None:
        await scene.engine.settled(60)
        before = (scene.words(), list(scene.notices))
        loop = asyncio.get_running_loop()
        port = scene.engine.settings.transports["udp"].port
        sender, _ = await loop.create_datagram_endpoint(
            asyncio.DatagramProtocol, remote_addr=(LOOPBACK, port)
        )
        sender.sendto(datagram)
        await scene.until(lambda: scene.engine.traffic().get(kind) == 1)
        sender.close()
        assert (scene.words(), scene.notices) == before

    play({"alice": {}}, act)


def test_credentials_refused_for_good_stay_refused() -> None:
    def prepare(registrar: Registrar) -> None:
        registrar.script("alice", protected("another"))

    async def act(scene: Scene) -> None:
        await scene.engine.settled(60)
        await asyncio.sleep(HOUR)
        assert scene.words() == {"alice": "Rejected"}
        assert len(scene.registrar.of("alice")) == 2

    play({"alice": {"outbound_auth": ("a",)}}, act, prepare=prepare)
