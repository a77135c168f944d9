"""Trunks do not hurt each other: connections that are silent, closed, lost or shared, in virtual
time."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from pjreg_cli.config.load import Settings
from pjreg_cli.config.models import Global, PjregSettings
from pjreg_cli.engine.engine import Engine
from pjreg_cli.engine.randomness import Ids
from tests.loop.test_engine import HOUR, Scene, configuration, play, transport
from tests.support.clock import run_virtually
from tests.support.ports import LOOPBACK, free_port
from tests.support.registrar import Registrar, Reply, Seen, fail, grant, hang_up, silence
from tests.support.registrations import registration


def pinging(interval_s: int) -> Callable[[Settings], Settings]:
    return lambda settings: replace(settings, global_=Global(keep_alive_interval=interval_s))


def trying(_seen: Seen) -> Reply:
    """100 Trying, and then nothing."""
    return Reply(0, provisional=True)


def gaps(seen: list[Seen]) -> list[float]:
    return [b.at - a.at for a, b in pairwise(seen)]


# -- one registrar does not hold up another ----------------------------------------------------


@pytest.mark.parametrize("count", [250, 1000])
def test_hundreds_at_a_silent_tcp_registrar_delay_nobody_else(count: int) -> None:
    async def main() -> None:
        async with Registrar.open() as silent, Registrar.open() as healthy:
            settings = configuration(healthy, {"alice": {"expiration": 60}})
            uri = f"sip:{LOOPBACK}:{silent.port};transport=tcp"
            trunks = {
                f"r{n}": registration(f"r{n}", server_uri=uri, max_random_initial_delay=0)
                for n in range(count)
            }
            for name in trunks:
                silent.script(name, silence())
            tcp = transport(free_port(), "tcp")
            settings = replace(
                settings,
                registrations={**trunks, **settings.registrations},
                transports={**settings.transports, tcp.name: tcp},
            )
            engine = Engine(settings, version="0", wall_clock=lambda: 0.0, ids=Ids(seed=1))
            await engine.open()
            try:
                seen = await healthy.received(8, "alice")
                assert max(gaps(seen)) <= 50.5
                stopped_at = asyncio.get_running_loop().time()
                leaving = asyncio.create_task(engine.leave(60))  # noqa: TID251 -- a test's own
                await healthy.received(9, "alice")
                assert healthy.of("alice")[-1].at - stopped_at < 1, "a farewell waits for nobody"
                await leaving
            finally:
                await engine.close()

    run_virtually(main())


# -- connections that are closed ---------------------------------------------------------------


def closing(seen: Seen) -> Reply:
    """Granted, and then the connection is closed."""
    contact = f"{seen.header('contact')};expires={seen.expires_s}"
    return Reply(200, (("Contact", contact),), close=True)


def test_a_registrar_that_closes_after_every_answer_is_asked_less_and_less() -> None:
    async def act(scene: Scene) -> None:
        await asyncio.sleep(600)
        seen = scene.registrar.of("alice")
        waits = gaps(seen)
        assert waits[0] < 0.1, "the first two losses are renewed at once"
        assert waits[1] < 0.1
        for number, wait in enumerate(waits[2:8]):
            assert 2**number / 2 - 0.1 <= wait <= 2**number + 0.1
        assert all(30 - 0.1 <= wait <= 60.1 for wait in waits[9:])
        assert len(seen) < 30

    play(
        {"alice": {"retry_interval": 60}},
        act,
        protocol="tcp",
        prepare=lambda registrar: registrar.script("alice", closing),
    )


def test_a_connection_that_lived_for_long_is_renewed_at_once_every_time() -> None:
    async def act(scene: Scene) -> None:
        for number in range(1, 8):
            await scene.registrar.received(number, "alice")
            await asyncio.sleep(130)
            scene.registrar.close_connections()
        await scene.registrar.received(8, "alice")
        assert max(gaps(scene.registrar.of("alice"))) < 131

    play({"alice": {}}, act, protocol="tcp")


def test_errors_before_the_connection_is_closed_wait_for_their_interval() -> None:
    async def act(scene: Scene) -> None:
        await asyncio.sleep(600)
        assert len(scene.registrar.of("alice")) == 10
        assert len(scene.registrar.of("bob")) <= 2, "once more: it was lost with alice's"

    def prepare(registrar: Registrar) -> None:
        registrar.script("alice", fail(503, close=True))
        registrar.script("bob", fail(403, close=True))

    play({"alice": {}, "bob": {}}, act, protocol="tcp", prepare=prepare)


def test_a_refresh_lost_with_a_forgotten_connection_is_sent_again_at_once() -> None:
    async def act(scene: Scene) -> None:
        seen = await scene.registrar.received(4, "alice")
        assert [round(gap) for gap in gaps(seen)] == [50, 0, 50]
        assert scene.settled() == [("alice", "Registered")] * 2, "nobody needs to know"

    play(
        {"alice": {"expiration": 60, "retry_interval": 600}},
        act,
        protocol="tcp",
        prepare=lambda registrar: registrar.script("alice", grant(), hang_up(), grant()),
    )


def test_what_was_under_way_on_a_connection_that_is_lost_goes_out_again() -> None:
    """A refresh that was sent two seconds before the connection was lost."""

    async def act(scene: Scene) -> None:
        await scene.registrar.received(2, "alice")
        await asyncio.sleep(2)
        scene.registrar.close_connections()
        seen = await scene.registrar.received(3, "alice")
        assert seen[2].at - seen[1].at < 3
        await scene.until(lambda: scene.words() == {"alice": "Registered"})

    play(
        {"alice": {"expiration": 40, "retry_interval": 600}},
        act,
        protocol="tcp",
        prepare=lambda registrar: registrar.script("alice", grant(), silence(), grant()),
    )


# -- connections that are silent ---------------------------------------------------------------


@pytest.mark.parametrize("answer", [silence(), trying])
@pytest.mark.parametrize("pongs", [True, False])
def test_an_account_that_is_not_answered_costs_the_others_nothing(
    answer: Callable[[Seen], Reply | None], pongs: bool
) -> None:
    async def act(scene: Scene) -> None:
        await asyncio.sleep(1000)
        assert len({one.peer for one in scene.registrar.seen}) == 1, "one connection all the time"
        for name in ("a", "b", "c", "d"):
            assert len(scene.registrar.of(name)) == 1

    def prepare(registrar: Registrar) -> None:
        registrar.pongs = pongs
        registrar.script("hole", answer)

    sections: dict[str, dict[str, Any]] = {name: {} for name in ("a", "b", "c", "d", "hole")}
    play(sections, act, protocol="tcp", change=pinging(5), prepare=prepare)


def test_one_that_was_answered_once_and_is_no_more_costs_the_others_nothing() -> None:
    async def act(scene: Scene) -> None:
        await asyncio.sleep(1000)
        assert len({one.peer for one in scene.registrar.seen}) == 1

    def prepare(registrar: Registrar) -> None:
        registrar.script("hole", grant(30), silence())

    sections: dict[str, dict[str, Any]] = {name: {} for name in ("a", "b", "c", "d", "hole")}
    play(sections, act, protocol="tcp", prepare=prepare)


def test_a_connection_that_has_gone_dead_is_given_up_and_all_come_back() -> None:
    async def act(scene: Scene) -> None:
        await scene.until(lambda: set(scene.words().values()) == {"Registered"})
        scene.registrar.dead = True
        await asyncio.sleep(55)  # refreshes have gone out, and nothing came
        await asyncio.sleep(20)
        assert set(scene.words().values()) == {"Registered"}
        assert len({one.peer for one in scene.registrar.seen}) == 2

    sections = {name: {"expiration": 60, "retry_interval": 600} for name in ("a", "b")}
    play(sections, act, protocol="tcp")


def test_who_answered_keep_alives_and_does_not_any_more_is_dead() -> None:
    async def act(scene: Scene) -> None:
        await scene.until(lambda: set(scene.words().values()) == {"Registered"})
        await asyncio.sleep(100)  # keep-alives were answered
        scene.registrar.dead = True
        before = asyncio.get_running_loop().time()
        await scene.registrar.received(2, "alice")
        assert asyncio.get_running_loop().time() - before < 30 + 10 + 1

    play(
        {"alice": {}},
        act,
        protocol="tcp",
        change=pinging(30),
        prepare=lambda registrar: setattr(registrar, "pongs", True),
    )


def test_a_registrar_that_never_says_a_word_is_asked_over_a_new_connection_each_time() -> None:
    async def act(scene: Scene) -> None:
        seen = await scene.registrar.received(3, "alice")
        assert [round(gap) for gap in gaps(seen)] == [92, 92]
        assert len({one.peer for one in seen}) == 3
        assert scene.settled() == [("alice", "Rejected")] * 2

    play(
        {"alice": {}},
        act,
        protocol="tcp",
        prepare=lambda registrar: registrar.script("alice", silence()),
    )


def test_a_pong_before_an_answer_does_not_spoil_it() -> None:
    """A lone line end for each keep-alive, in a segment of its own or before the 200."""

    async def act(scene: Scene) -> None:
        await scene.registrar.received(5, "alice")
        assert set(scene.words().values()) == {"Registered"}
        assert len({one.peer for one in scene.registrar.seen}) == 1
        assert all(round(gap) == 1790 for gap in gaps(scene.registrar.of("alice")))

    def prepare(registrar: Registrar) -> None:
        registrar.pongs = True
        registrar.before = b"\r\n"

    play({"alice": {"expiration": 1800}}, act, protocol="tcp", change=pinging(9), prepare=prepare)


# -- who answers -------------------------------------------------------------------------------


def test_an_answer_to_a_datagram_may_come_from_elsewhere() -> None:
    async def act(scene: Scene) -> None:
        await scene.until(lambda: scene.words() == {"alice": "Registered"})

    def prepare(registrar: Registrar) -> None:
        registrar.elsewhere = True

    play({"alice": {}}, act, prepare=prepare)


def test_hours_of_closings_leave_no_timers_behind() -> None:
    async def act(scene: Scene) -> None:
        await scene.registrar.received(1, "alice")
        for _ in range(150):
            scene.registrar.close_connections()
            await asyncio.sleep(130)
        assert scene.engine._timers.size < 150

    play({"alice": {"expiration": 100 * int(HOUR)}}, act, protocol="tcp")


# -- the fleet as a whole -----------------------------------------------------------------------


def test_refreshes_of_a_thousand_that_came_at_once_come_apart() -> None:
    count = 1000

    async def act(scene: Scene) -> None:
        await scene.until(lambda: len(scene.registrar.seen) == count)
        await scene.registrar.received(2 * count)
        again = scene.registrar.seen[count:]
        assert max(one.at for one in again) <= 3591.5, "none later than it was due"
        assert min(one.at for one in again) >= 3591 - 301
        busiest = Counter(int(one.at) for one in again).most_common(1)[0][1]
        assert busiest <= 2 * 100

    play({f"r{n}": {} for n in range(count)}, act)


def test_jobs_of_operators_happen_in_their_order_however_big() -> None:
    """Everything is unregistered and registered again while single commands come in between."""
    count = 2000

    async def main() -> None:
        async with Registrar.open() as registrar:
            sections: dict[str, dict[str, Any]] = {f"r{n}": {} for n in range(count)}
            settings = configuration(registrar, sections)
            engine = Engine(settings, version="0", wall_clock=lambda: 0.0, ids=Ids(seed=1))
            await engine.open()
            try:
                await engine.settled(120)
                engine.registrations.register_all()
                assert engine.registrations.unregister("r1999"), "it is still there"
                assert engine.registrations.register("r1998")
                async with asyncio.timeout(120):
                    all_but_one = {"Registered": count - 1, "Unregistered": 1}
                    while engine.registrations.count() != all_but_one:  # noqa: ASYNC110 -- no event
                        await asyncio.sleep(0.01)
                row = engine.registrations.row("r1999")
                assert row is not None
                assert row.word == "Unregistered", "what was asked for last holds"
            finally:
                await engine.close()

    asyncio.run(main())


def test_a_nat_is_held_open_by_line_ends() -> None:
    async def act(scene: Scene) -> None:
        await scene.until(lambda: scene.words() == {"alice": "Registered"})
        await asyncio.sleep(100)
        assert scene.registrar.keep_alives == 5

    def change(settings: Settings) -> Settings:
        return replace(settings, pjreg=PjregSettings(udp_keep_alive_interval=20))

    play({"alice": {}}, act, change=change)


# -- all of it at once --------------------------------------------------------------------------


def test_a_healthy_registrar_never_misses_whatever_others_do() -> None:
    """20 % loss each way, a registrar that closes after each answer, one that accepts and says
    nothing, and a healthy one side by side."""
    crowds = {"healthy": 20, "lossy": 20, "closing": 20, "mute": 300}

    async def main() -> None:
        async with (
            Registrar.open() as healthy,
            Registrar.open() as lossy,
            Registrar.open() as closer,
            Registrar.open() as mute,
        ):
            lossy.loss = 5
            registrars = dict(zip(crowds, (healthy, lossy, closer, mute), strict=True))
            udp = configuration(healthy, {})
            tcp = transport(free_port(), "tcp")
            trunks = {}
            for kind, registrar in registrars.items():
                suffix = ";transport=tcp" if kind in ("closing", "mute") else ""
                uri = f"sip:{LOOPBACK}:{registrar.port}{suffix}"
                for number in range(crowds[kind]):
                    name = f"{kind}{number}"
                    if suffix:
                        registrar.script(name, closing if kind == "closing" else silence())
                    trunks[name] = registration(
                        name, server_uri=uri, expiration=60, max_random_initial_delay=0
                    )
            settings = replace(
                udp, registrations=trunks, transports={**udp.transports, tcp.name: tcp}
            )
            engine = Engine(settings, version="0", wall_clock=lambda: 0.0, ids=Ids(seed=1))
            await engine.open()
            try:
                await healthy.received(10 * crowds["healthy"])
                now = asyncio.get_running_loop().time()
                for number in range(crowds["healthy"]):
                    assert max(gaps(healthy.of(f"healthy{number}"))) <= 50.5
                for number in range(crowds["lossy"]):
                    seen = [one for one in lossy.of(f"lossy{number}") if one.code == 200]
                    assert now - seen[-1].at <= 60 + 32, "loss delays, and ends nothing"
                words = {row.name: row.word for row in engine.registrations.rows()}
                assert {words[f"healthy{n}"] for n in range(crowds["healthy"])} == {"Registered"}
                asked = Counter(one.user for one in closer.seen)
                assert max(asked.values()) < 60, "less and less"
                assert sum(words[f"mute{n}"] == "Registered" for n in range(crowds["mute"])) == 0
            finally:
                await engine.close()

    run_virtually(main())
