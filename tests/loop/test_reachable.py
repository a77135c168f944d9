"""What decides whether calls arrive: the address that is told, and the way that is taken."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from typing import Any

import pytest

from pjreg_cli.config.models import Transport
from pjreg_cli.config.other_files import Resolver
from pjreg_cli.engine.engine import Engine
from pjreg_cli.engine.randomness import Ids
from pjreg_cli.net.host_watch import TICK_S
from tests.loop.test_engine import HOUR, configuration
from tests.support.clock import run_virtually
from tests.support.nameserver import NameServer, nameserver
from tests.support.ports import LOOPBACK, free_port
from tests.support.registrar import Registrar, protected

NAME = "home.test"
OLD, NEW = "198.51.100.7", "203.0.113.9"


@dataclass
class Scene:
    """An engine between a registrar and a name server."""

    registrar: Registrar
    names: NameServer
    zone: dict[str, dict[str, list[str]]]
    engine: Engine

    @property
    def now(self) -> float:
        return asyncio.get_running_loop().time()

    def contacts(self) -> list[str]:
        """The Contacts that were offered, one after the other."""
        return [seen.header("contact") for seen in self.registrar.seen]


def play(
    act: Callable[[Scene], Coroutine[Any, Any, None]],
    *,
    options: dict[str, Any] | None = None,
    also: tuple[Transport, ...] = (),
    prepare: Callable[[Scene], None] = lambda scene: None,
    **registration: Any,  # Any: options have many types
) -> None:
    """Run an engine with one registration, and let `act` happen to it."""

    async def main() -> None:
        zone: dict[str, dict[str, list[str]]] = {}
        async with Registrar.open() as registrar, nameserver(zone, ttl=3600) as names:
            made = configuration(registrar, {"alice": registration})
            transports = {
                name: replace(one, **(options or {})) for name, one in made.transports.items()
            }
            transports |= {one.name: one for one in also}
            settings = replace(
                made,
                transports=transports,
                resolver=Resolver(nameservers=((LOOPBACK, names.port),), resolv=False, hosts=""),
            )
            engine = Engine(settings, version="0", wall_clock=lambda: 0.0, ids=Ids(seed=1))
            scene = Scene(registrar, names, zone, engine)
            prepare(scene)
            await engine.open()
            try:
                await act(scene)
            finally:
                await engine.close()

    run_virtually(main())


@pytest.mark.parametrize("mood", ["silent", "broken", "well"])
def test_a_late_name_server_never_lets_the_private_address_out(mood: str) -> None:
    async def act(scene: Scene) -> None:
        await asyncio.sleep(100)
        assert scene.contacts() == []
        assert "has no address yet" in scene.engine.registrations.view("alice").evidence.reason  # type: ignore[union-attr]
        scene.names.mood = "well"
        scene.zone[NAME] = {"A": [OLD]}
        back_at = scene.now
        await scene.registrar.received(1, "alice")
        # a look-up under way may still have to end
        assert scene.now - back_at < 30
        assert OLD in scene.contacts()[0]

    def prepare(scene: Scene) -> None:
        scene.names.mood = mood

    play(
        act,
        options={"external_signaling_address": NAME},
        prepare=prepare,
        retry_interval=HOUR,
        max_retries=1,
    )


def test_a_new_address_of_the_external_name_is_registered_within_ten_seconds() -> None:
    async def act(scene: Scene) -> None:
        await scene.registrar.received(1, "alice")
        await asyncio.sleep(500)
        assert len(scene.contacts()) == 1
        scene.zone[NAME]["A"] = [NEW]
        changed_at = scene.now
        await scene.registrar.received(2, "alice")
        assert scene.now - changed_at <= 10
        assert OLD in scene.contacts()[0]
        assert NEW in scene.contacts()[1]
        # and the old one is taken off with it
        values = list(scene.registrar.seen[1].request.headers.listed("contact"))
        assert len(values) == 2
        assert OLD in values[1]
        assert "expires=0" in values[1]

    def prepare(scene: Scene) -> None:
        scene.zone[NAME] = {"A": [OLD]}

    play(act, options={"external_signaling_address": NAME}, prepare=prepare)


def test_a_secure_transport_that_failed_never_ends_in_clear() -> None:
    secure = Transport(
        name="secure", source="", protocol="tls", host=LOOPBACK, port=free_port(),
        verify_server=True, ca_list_file="/nothing.pem",
    )  # fmt: skip

    async def act(scene: Scene) -> None:
        await asyncio.sleep(600)
        assert scene.contacts() == []
        view = scene.engine.registrations.view("alice")
        assert view is not None
        assert view.evidence is not None
        assert "/nothing.pem" in view.evidence.reason

    play(act, also=(secure,), transport="secure")


def test_a_broken_look_up_sends_nothing_to_the_default_port() -> None:
    async def act(scene: Scene) -> None:
        await asyncio.sleep(300)
        assert scene.contacts() == []
        scene.names.moods.clear()
        await scene.registrar.received(1, "alice")

    def prepare(scene: Scene) -> None:
        scene.zone |= {
            "_sip._udp.pbx.test": {"SRV": [f"1 0 {scene.registrar.port} one.pbx.test."]},
            "one.pbx.test": {"A": [LOOPBACK]},
            "pbx.test": {"A": [LOOPBACK]},
        }
        scene.names.moods["SRV"] = "broken"

    play(act, prepare=prepare, server_uri="sip:pbx.test", max_retries=100)


def test_a_challenge_is_answered_where_it_came_from_whatever_dns_draws() -> None:
    async def main() -> None:
        async with Registrar.open() as one, Registrar.open() as other:
            for registrar in (one, other):
                registrar.script("alice", protected("secret"))
            zone = {
                "_sip._udp.pbx.test": {
                    "SRV": [f"10 10 {port} host.pbx.test." for port in (one.port, other.port)]
                },
                "host.pbx.test": {"A": [LOOPBACK]},
            }
            async with nameserver(zone, ttl=0) as names:
                made = configuration(
                    one,
                    {"alice": {"server_uri": "sip:pbx.test", "outbound_auth": ("a",)}},
                )
                resolver = Resolver(nameservers=((LOOPBACK, names.port),), resolv=False, hosts="")
                settings = replace(made, resolver=resolver)
                engine = Engine(settings, version="0", wall_clock=lambda: 0.0, ids=Ids(seed=1))
                await engine.open()
                await asyncio.sleep(10 * HOUR)
                await engine.close()
            # who granted first keeps it: both are equal
            seen = one.seen or other.seen
            assert not (one.seen and other.seen)
            assert [here.code for here in seen][:2] == [401, 200]
            assert {here.code for here in seen} == {401, 200}

    run_virtually(main())


def test_nothing_is_sent_while_nothing_changes() -> None:
    async def act(scene: Scene) -> None:
        await scene.registrar.received(1, "alice")
        await asyncio.sleep(100 * TICK_S)
        assert len(scene.contacts()) == 1

    play(act, options={"host": "0.0.0.0"})


def test_a_name_server_that_comes_late_is_not_waited_for_by_the_minute() -> None:
    async def act(scene: Scene) -> None:
        await asyncio.sleep(100)
        assert scene.contacts() == []
        scene.names.mood = "well"
        back_at = scene.now
        await scene.registrar.received(1, "alice")
        assert scene.now - back_at < 30

    def prepare(scene: Scene) -> None:
        scene.zone["pbx.test"] = {"A": [LOOPBACK]}
        scene.zone["_sip._udp.pbx.test"] = {"SRV": [f"1 0 {scene.registrar.port} pbx.test."]}
        scene.names.mood = "silent"

    # neither the interval nor what is left of tries has to do with it
    play(act, prepare=prepare, server_uri="sip:pbx.test", retry_interval=HOUR, max_retries=1)
