"""Outages of the other side, in virtual time: nothing stays stuck, nothing storms."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from pjreg_cli.config.load import Scope, load
from pjreg_cli.config.other_files import Resolver
from pjreg_cli.engine.engine import Engine
from pjreg_cli.engine.fleet import REJOIN_RATE
from pjreg_cli.engine.randomness import Ids
from tests.loop.test_engine import HOUR, configuration
from tests.support.clock import VirtualLoop, run_virtually
from tests.support.nameserver import NameServer, nameserver
from tests.support.ports import LOOPBACK, free_port
from tests.support.registrar import Answer, Registrar, Seen, fail, grant, hang_up

DOMAIN = "outage.test"


@dataclass
class Scene:
    """An engine, its registrar and its name server."""

    registrar: Registrar
    names: NameServer
    engine: Engine

    def words(self) -> Mapping[str, int]:
        return self.engine.registrations.count()

    @property
    def now(self) -> float:
        return asyncio.get_running_loop().time()

    async def all_are(self, word: str, count: int, within_s: float = 2 * HOUR) -> None:
        """Let time pass until every registration has this word."""
        async with asyncio.timeout(within_s):
            while self.words() != {word: count}:  # noqa: ASYNC110 -- waiting costs nothing here
                await asyncio.sleep(0.1)


@asynccontextmanager
async def scene(
    sections: Mapping[str, dict[str, Any]], protocol: str, script: Mapping[str, tuple[Answer, ...]]
) -> AsyncIterator[Scene]:
    async with Registrar.open() as registrar:
        for user, answers in script.items():
            registrar.script(user, *answers)
        records = {
            f"_sip._{protocol}.{DOMAIN}": {"SRV": [f"1 0 {registrar.port} one.{DOMAIN}."]},
            f"one.{DOMAIN}": {"A": [LOOPBACK]},
        }
        async with nameserver(records, ttl=60) as names:
            settings = replace(
                configuration(registrar, sections, protocol=protocol),
                resolver=Resolver(nameservers=((LOOPBACK, names.port),), resolv=False, hosts=""),
            )
            engine = Engine(settings, version="0", wall_clock=lambda: 0.0, ids=Ids(seed=1))
            await engine.open()
            try:
                yield Scene(registrar, names, engine)
            finally:
                await engine.close()


def play(
    sections: Mapping[str, dict[str, Any]],
    act: Callable[[Scene], Coroutine[Any, Any, None]],
    *,
    protocol: str = "udp",
    script: Mapping[str, tuple[Answer, ...]] | None = None,
) -> None:
    async def main() -> None:
        async with scene(sections, protocol, script or {}) as one:
            await act(one)

    run_virtually(main())


def busiest_second(seen: list[Seen]) -> int:
    """The most requests that came within one second of each other."""
    times = sorted(one.at for one in seen)
    return max(sum(start <= at < start + 1 for at in times) for start in set(times))


# -- connections ------------------------------------------------------------------------------


def test_a_thousand_on_one_lost_connection_come_back_spread_out_over_one_new_one() -> None:
    count = 1000

    async def act(scene: Scene) -> None:
        await scene.all_are("Registered", count)
        lost_at = scene.now
        scene.registrar.close_connections()
        await scene.registrar.received(2 * count)
        again = [one for one in scene.registrar.seen if one.at >= lost_at]
        assert len(again) == count, "each of them once"
        assert Counter(one.user for one in again).most_common(1)[0][1] == 1
        assert min(one.at for one in again) - lost_at < 0.5, "the first ones at once"
        assert max(one.at for one in again) - lost_at <= 5.5
        assert busiest_second(again) <= 2 * REJOIN_RATE
        assert scene.registrar.connections == 1
        await scene.all_are("Registered", count, 60)

    play({f"r{number}": {} for number in range(count)}, act, protocol="tcp")


def test_a_connection_lost_under_a_refresh_is_made_up_for_at_once() -> None:
    async def act(scene: Scene) -> None:
        requests = await scene.registrar.received(3, "alice")
        # the refresh met a connection that somebody on the way had long forgotten
        assert requests[2].at - requests[1].at < 2
        await scene.all_are("Registered", 1, 5)

    play(
        {"alice": {"expiration": 60, "retry_interval": 600}},
        act,
        protocol="tcp",
        script={"alice": (grant(), hang_up(), grant())},
    )


def test_a_registrar_that_always_hangs_up_is_not_asked_without_pause() -> None:
    async def act(scene: Scene) -> None:
        await scene.registrar.received(2, "alice")
        before = len(scene.registrar.seen)
        await asyncio.sleep(590)
        assert len(scene.registrar.seen) - before <= 2

    play(
        {"alice": {"expiration": 60, "retry_interval": 600}},
        act,
        protocol="tcp",
        script={"alice": (grant(), hang_up())},
    )


def test_connections_lost_again_and_again_do_not_double_what_is_sent() -> None:
    count = 50

    async def act(scene: Scene) -> None:
        await scene.all_are("Registered", count)
        for _ in range(10):
            scene.registrar.close_connections()
            await asyncio.sleep(1)
        await scene.all_are("Registered", count, 60)
        assert max(Counter(one.user for one in scene.registrar.seen).values()) <= 11 + 10

    play({f"r{number}": {} for number in range(count)}, act, protocol="tcp")


# -- name servers -----------------------------------------------------------------------------


def by_name(**options: Any) -> dict[str, Any]:
    return {"server_uri": f"sip:{DOMAIN}", "retry_interval": 5, **options}


def test_a_name_server_silent_from_the_start_is_found_once_it_is_back() -> None:
    async def act(scene: Scene) -> None:
        scene.names.mood = "silent"
        await scene.all_are("Rejected", 3)
        assert not scene.registrar.seen
        scene.names.mood = "well"
        await scene.all_are("Registered", 3, 5 + 17 + 1)

    play({name: by_name(max_retries=1000) for name in ("alice", "bob", "carol")}, act)


@pytest.mark.parametrize("mood", ["silent", "broken"])
def test_a_name_server_that_fails_later_changes_nothing(mood: str) -> None:
    async def act(scene: Scene) -> None:
        await scene.all_are("Registered", 1)
        scene.names.mood = mood
        for _ in range(60):
            await asyncio.sleep(60)
            assert scene.words() == {"Registered": 1}
        assert len(scene.registrar.seen) >= 12, "refreshed all the while"

    play({"alice": by_name(expiration=300)}, act)


def test_a_slow_name_does_not_hold_up_others() -> None:
    async def act(scene: Scene) -> None:
        scene.names.mood = "silent"
        await scene.registrar.received(1, "bob")
        assert scene.now < 3
        await asyncio.sleep(1)
        assert scene.words() == {"Registered": 1, "Unregistered": 1}

    play({"alice": by_name(), "bob": {}}, act)


def test_a_name_that_moves_is_followed_when_its_time_is_over() -> None:
    async def act(scene: Scene) -> None:
        await scene.all_are("Registered", 1)
        async with Registrar.open() as other:
            scene.names.zone = {
                f"_sip._udp.{DOMAIN}": {"SRV": [f"1 0 {other.port} two.{DOMAIN}."]},
                f"two.{DOMAIN}": {"A": [LOOPBACK]},
            }
            await other.received(1, "alice")
            assert scene.now < 3 * 120

    play({"alice": by_name(expiration=120)}, act)


# -- commands while nobody answers ------------------------------------------------------------


def test_commands_during_silence_leave_one_registration_each() -> None:
    count = 20

    async def act(scene: Scene) -> None:
        await scene.all_are("Registered", count)
        scene.registrar.silent = True
        for _ in range(5):
            scene.engine.registrations.register_all()
            await asyncio.sleep(3)
            scene.engine.registrations.unregister("r1")
            scene.engine.registrations.register("r1")
        scene.registrar.silent = False
        await scene.all_are("Registered", count, 200)
        await asyncio.sleep(100)
        assert scene.words() == {"Registered": count}
        assert all(len(scene.registrar.bindings[f"r{number}"]) == 1 for number in range(count))

    play({f"r{number}": {"retry_interval": 5} for number in range(count)}, act)


def test_temporary_failures_for_half_a_day_end_when_the_registrar_is_well() -> None:
    async def act(scene: Scene) -> None:
        await asyncio.sleep(12 * HOUR)
        assert scene.words() == {"Rejected": 1}
        scene.registrar.script("alice", grant())
        await scene.all_are("Registered", 1, 61)

    play(
        {"alice": {"max_retries": 100_000, "retry_interval": 60}},
        act,
        script={"alice": (fail(500),)},
    )


# -- requests that cannot even leave ----------------------------------------------------------


@pytest.mark.parametrize("unreachable", ["127.0.0.1:0", "255.255.255.255:5060"])
def test_a_request_that_the_system_refuses_to_send_is_tried_again(unreachable: str) -> None:
    async def act(scene: Scene) -> None:
        await scene.all_are("Rejected", 1, 60)
        view = scene.engine.registrations.view("alice")
        assert view is not None
        assert view.evidence is not None
        assert (view.evidence.code, view.evidence.cause) == (503, "send-failed")
        await asyncio.sleep(100)
        view = scene.engine.registrations.view("alice")
        assert view is not None
        assert view.attempts >= 10

    play({"alice": {"server_uri": f"sip:{unreachable}", "retry_interval": 10}}, act)


def test_a_target_to_which_nothing_can_be_sent_is_passed_over() -> None:
    async def act(scene: Scene) -> None:
        scene.names.zone = {
            f"_sip._udp.{DOMAIN}": {
                "SRV": [f"1 0 9 away.{DOMAIN}.", f"2 0 {scene.registrar.port} one.{DOMAIN}."]
            },
            f"away.{DOMAIN}": {"A": ["255.255.255.255"]},
            f"one.{DOMAIN}": {"A": [LOOPBACK]},
        }
        first, second = await scene.registrar.received(2, "alice")
        assert first.at < 2
        assert second.cseq == first.cseq + 2, "the one that did not leave has a number as well"
        assert scene.words() == {"Registered": 1}

    play({"alice": by_name(expiration=60)}, act)


def test_the_log_tells_an_attempt_that_is_due_from_one_that_never_comes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def act(scene: Scene) -> None:
        await scene.registrar.received(3, "alice")
        await asyncio.sleep(1)

    play(
        {"alice": {"expiration": 60, "retry_interval": 600}},
        act,
        script={"alice": (grant(), fail(503), fail(404))},
    )
    told = [one.getMessage() for one in caplog.records if "Rejected" in one.getMessage()]
    assert ["no further" in one for one in told] == [False, True]


# -- transports that change -------------------------------------------------------------------


@pytest.mark.parametrize("protocol", ["udp", "tcp"])
@pytest.mark.parametrize("change", ["port", "external_signaling_address"])
def test_a_reload_that_changes_our_address_is_told_to_the_registrar_at_once(
    tmp_path: Path, protocol: str, change: str
) -> None:
    def configure(registrar: Registrar, port: int, more: str = "") -> None:
        (tmp_path / "pjsip.conf").write_text(
            f"[t]\ntype = transport\nprotocol = {protocol}\nbind = {LOOPBACK}:{port}\n"
            f"allow_reload = yes\n{more}\n[alice]\ntype = registration\n"
            f"server_uri = sip:{LOOPBACK}:{registrar.port}\\;transport={protocol}\n"
            f"client_uri = sip:alice@{LOOPBACK}\n"
        )

    async def main() -> None:
        async with Registrar.open() as registrar:
            port, other = free_port(), free_port()
            configure(registrar, port)
            engine = Engine(load(tmp_path), version="0", wall_clock=lambda: 0.0, ids=Ids(seed=1))
            await engine.open()
            await registrar.received(1)
            await engine.settled(5)
            if change == "port":
                configure(registrar, other)
            else:
                configure(registrar, port, "external_signaling_address = 192.0.2.7\n")
            loop = asyncio.get_running_loop()
            assert isinstance(loop, VirtualLoop)
            release = loop.hold()
            assert (await engine.reload(Scope.ALL)).ok
            release()
            at = loop.time()
            _, again = await registrar.received(2)
            assert again.at - at < 1
            expected = f"{LOOPBACK}:{other}" if change == "port" else f"192.0.2.7:{port}"
            assert expected in again.header("contact")
            await engine.close()

    run_virtually(main())
