"""Registered means reachable, whatever changes: targets, Contacts, sections, transports.

Real sockets, virtual time.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from pjreg_cli.config.load import Scope, load
from pjreg_cli.engine.engine import Engine
from pjreg_cli.engine.farewells import FAREWELL_S
from pjreg_cli.engine.randomness import Ids
from tests.support.clock import VirtualLoop, run_virtually
from tests.support.nameserver import NameServer, nameserver
from tests.support.ports import LOOPBACK, free_port
from tests.support.registrar import Registrar, Seen, fail, grant, protected, silence

DOMAIN = "reach.test"
HOUR = 3600.0
AUTH = "[secret]\ntype=auth\nusername=alice\npassword=secret\n"


@dataclass
class Scene:
    """An engine with files that can be changed, registrars and a name server."""

    folder: Path
    registrars: Sequence[Registrar]
    names: NameServer
    port: int
    engine: Engine = field(init=False)

    @property
    def registrar(self) -> Registrar:
        return self.registrars[0]

    @property
    def uri(self) -> str:
        """The first registrar, numeric."""
        return f"sip:{LOOPBACK}:{self.registrar.port}"

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    def write(self, *sections: str, transport: str = "", auth: str = "") -> None:
        """pjsip.conf: a transport, and these sections."""
        own = transport or f"[t]\ntype=transport\nbind={LOOPBACK}:{self.port}\nallow_reload=yes\n"
        (self.folder / "pjsip.conf").write_text("\n".join((own, auth, *sections)))

    def section(self, name: str, uri: str = "", **options: object) -> str:
        """A registration of `alice` at the first registrar."""
        given = {
            "type": "registration",
            "server_uri": uri or self.uri,
            "client_uri": f"sip:alice@{LOOPBACK}",
            "max_random_initial_delay": 0,
            **options,
        }
        return f"[{name}]\n" + "".join(f"{key}={value}\n" for key, value in given.items())

    async def start(self) -> None:
        settings = load(self.folder)
        self.engine = Engine(settings, version="0", wall_clock=self.now, ids=Ids(seed=1))
        await self.engine.open()

    async def reload(self) -> None:
        """Files are read in a thread, which virtual time does not see."""
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        before, release = self.engine.settings, loop.hold()
        async with asyncio.TaskGroup() as group:
            task = group.create_task(self.engine.reload(Scope.ALL))
            while self.engine.settings is before and not task.done():  # noqa: ASYNC110 -- time stands still
                await asyncio.sleep(0)
            release()
        assert task.result()

    def words(self) -> dict[str, str | None]:
        return {row.name: row.word for row in self.engine.registrations.rows()}

    async def until(self, reached: Callable[[], bool], within_s: float = 2 * HOUR) -> None:
        async with asyncio.timeout(within_s):
            while not reached():  # noqa: ASYNC110 -- in virtual time waiting costs nothing
                await asyncio.sleep(0.1)


@asynccontextmanager
async def opened(folder: Path, registrars: int) -> AsyncIterator[Scene]:
    async with AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(Registrar.open()) for _ in range(registrars)]
        names = await stack.enter_async_context(nameserver({}, ttl=60))
        (folder / "resolver_unbound.conf").write_text(
            f"[general]\nnameserver={LOOPBACK}@{names.port}\nresolv=\nhosts=\n"
        )
        scene = Scene(folder, servers, names, free_port())
        try:
            yield scene
        finally:
            if hasattr(scene, "engine"):
                await scene.engine.close()


def play(
    folder: Path, act: Callable[[Scene], Coroutine[Any, Any, None]], registrars: int = 1
) -> None:
    async def main() -> None:
        async with opened(folder, registrars) as scene:
            await act(scene)

    run_virtually(main())


def srv(scene: Scene, *priorities: int) -> None:
    """The domain has the registrars as targets, with these priorities."""
    priorities = priorities or tuple(range(1, len(scene.registrars) + 1))
    pairs = list(zip(priorities, scene.registrars, strict=True))
    scene.names.zone = {
        f"_sip._udp.{DOMAIN}": {
            "SRV": [f"{priority} 1 {one.port} here.{DOMAIN}." for priority, one in pairs]
        },
        f"here.{DOMAIN}": {"A": [LOOPBACK]},
    }


# -- targets ----------------------------------------------------------------------------------


def test_a_silent_first_target_costs_its_time_once(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        first, second = scene.registrars
        srv(scene)
        first.script("alice", silence())
        scene.write(scene.section("a", f"sip:{DOMAIN}", expiration=60))
        await scene.start()
        await second.received(20, "alice")
        gaps = [b.at - a.at for a, b in pairwise(second.of("alice"))]
        assert max(gaps) <= 50 + 8.5, "never without a binding of 60 s"
        times = [one.at for one in first.seen]
        assert times[0] + 8 == pytest.approx(second.seen[0].at, abs=0.5)
        # looked after once a minute, then ever more seldom
        waits = [b - a for a, b in pairwise(times)]
        assert len(times) <= 6
        assert all(later > earlier for earlier, later in pairwise(waits))
        view = scene.engine.registrations.view("a")
        assert view is not None
        assert view.evidence is not None
        assert view.evidence.target == f"udp:{LOOPBACK}:{second.port}"

    play(tmp_path, act, registrars=2)


def test_a_target_that_is_back_is_found_and_used_again(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        first, second = scene.registrars
        srv(scene)
        first.script("alice", silence(), grant())
        scene.write(scene.section("a", f"sip:{DOMAIN}", expiration=60))
        await scene.start()
        await second.received(2, "alice")
        await first.received(4, "alice")
        assert len(second.seen) == 2

    play(tmp_path, act, registrars=2)


def test_the_last_target_has_all_the_time_there_is(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        srv(scene)
        for registrar in scene.registrars:
            registrar.script("alice", silence())
        scene.write(scene.section("a", f"sip:{DOMAIN}"))
        await scene.start()
        await scene.engine.settled(HOUR)
        assert scene.now() == pytest.approx(1 + 8 + 32, abs=0.5)
        assert scene.words() == {"a": "Rejected"}

    play(tmp_path, act, registrars=2)


def test_many_that_use_a_silent_target_send_one_to_look_after_it(tmp_path: Path) -> None:
    count = 30

    async def act(scene: Scene) -> None:
        first, second = scene.registrars
        srv(scene)
        first.silent = True
        sections = [
            scene.section(
                f"r{number}", f"sip:{DOMAIN}", client_uri=f"sip:r{number}@x", expiration=70
            )
            for number in range(count)
        ]
        scene.write(*sections)
        await scene.start()
        await second.received(2 * count)
        first.silent = False
        first.script("nobody")
        for number in range(count):
            first.script(f"r{number}", silence())
        await second.received(4 * count)
        # virtual time: all of them are refreshed within the same seconds
        assert len(first.seen) <= 3

    play(tmp_path, act, registrars=2)


def test_a_target_that_wants_to_be_left_alone_is(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        first, second = scene.registrars
        srv(scene)
        first.script("alice", fail(503, [("Retry-After", "600")]), grant())
        scene.write(scene.section("a", f"sip:{DOMAIN}", expiration=60))
        await scene.start()
        await first.received(2, "alice")
        one, two = first.seen[:2]
        assert 600 <= two.at - one.at <= 660
        assert len(second.seen) >= 11

    play(tmp_path, act, registrars=2)


def test_a_503_that_says_nothing_is_asked_again_at_the_next_refresh(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        first, second = scene.registrars
        srv(scene)
        first.script("alice", fail(503))
        scene.write(scene.section("a", f"sip:{DOMAIN}", expiration=60))
        await scene.start()
        await second.received(3, "alice")
        assert len(first.seen) == 3

    play(tmp_path, act, registrars=2)


def test_an_account_that_a_target_ignores_does_not_take_it_from_others(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        first, second = scene.registrars
        srv(scene)
        first.script("banned", silence())
        users = ("banned", "alice", "bob")
        scene.write(
            *(
                scene.section(u, f"sip:{DOMAIN}", client_uri=f"sip:{u}@x", expiration=16)
                for u in users
            )
        )
        await scene.start()
        await second.received(20, "banned")
        assert {one.user for one in second.seen} == {"banned"}
        assert len(first.of("banned")) <= 4

    play(tmp_path, act, registrars=2)


def test_targets_on_a_level_are_stayed_with(tmp_path: Path) -> None:
    """Challenges too are answered where they come from, though names are looked up anew."""

    async def act(scene: Scene) -> None:
        srv(scene, *(10 for _ in scene.registrars))
        for one in scene.registrars:
            one.script("alice", protected("secret", username="alice"))
        section = scene.section("a", f"sip:{DOMAIN}", expiration=100, outbound_auth="secret")
        scene.write(section, auth=AUTH)
        await scene.start()
        await scene.until(lambda: sum(len(one.seen) for one in scene.registrars) >= 20)
        (used,) = [one for one in scene.registrars if one.seen]
        scene.engine.registrations.unregister("a")
        await scene.until(lambda: scene.words() == {"a": "Unregistered"})
        assert [one for one in scene.registrars if one.seen] == [used]
        assert used.bindings["alice"] == set()

    play(tmp_path, act, registrars=5)


def test_targets_on_a_level_share_the_load(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        srv(scene, *(10 for _ in scene.registrars))
        scene.write(
            *(
                scene.section(f"r{number}", f"sip:{DOMAIN}", client_uri=f"sip:r{number}@x")
                for number in range(60)
            )
        )
        await scene.start()
        await scene.engine.settled(60)
        assert all(len(one.seen) >= 5 for one in scene.registrars)

    play(tmp_path, act, registrars=3)


def test_a_level_is_left_when_the_one_in_use_fails(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        first, second = scene.registrars
        srv(scene, 10, 10)
        scene.write(scene.section("a", f"sip:{DOMAIN}", expiration=100))
        await scene.start()
        await scene.engine.settled(60)
        used, other = (first, second) if first.seen else (second, first)
        used.silent = True
        await other.received(3, "alice")
        gaps = [b.at - a.at for a, b in pairwise(other.seen)]
        assert all(gap == pytest.approx(90, abs=1) for gap in gaps)

    play(tmp_path, act, registrars=2)


# -- Contacts ---------------------------------------------------------------------------------


def contacts(seen: Seen) -> list[str]:
    return list(seen.request.headers.all("contact"))


def moved(scene: Scene, external: str) -> str:
    """The transport, with another address in front."""
    return (
        f"[t]\ntype=transport\nbind={LOOPBACK}:{scene.port}\nallow_reload=yes\n"
        f"external_signaling_address={external}\n"
    )


def test_what_was_registered_is_taken_off_when_our_address_changes(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        section = scene.section("a")
        scene.write(section, transport=moved(scene, "192.0.2.1"))
        await scene.start()
        await scene.engine.settled(60)
        scene.write(section, transport=moved(scene, "192.0.2.2"))
        await scene.reload()
        _, second = await scene.registrar.received(2)
        assert contacts(second) == [
            f"<sip:s@192.0.2.2:{scene.port}>",
            f"<sip:s@192.0.2.1:{scene.port}>;expires=0",
        ]
        assert scene.registrar.bindings["alice"] == {f"sip:s@192.0.2.2:{scene.port}"}
        await scene.registrar.received(3)
        assert contacts(scene.registrar.seen[2]) == [f"<sip:s@192.0.2.2:{scene.port}>"]

    play(tmp_path, act)


def test_an_unregister_takes_off_what_was_registered(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        section = scene.section("a")
        scene.write(section, transport=moved(scene, "192.0.2.1"))
        await scene.start()
        await scene.engine.settled(60)
        # the new address cannot be told: it is refused, so that the old binding stays
        scene.registrar.script("alice", fail(403), grant())
        scene.write(section, transport=moved(scene, "192.0.2.2"))
        await scene.reload()
        await scene.registrar.received(2)
        scene.engine.registrations.unregister("a")
        await scene.until(lambda: scene.words() == {"a": "Unregistered"})
        last = scene.registrar.seen[-1]
        assert (last.expires_s, contacts(last)) == (0, [f"<sip:s@192.0.2.1:{scene.port}>"])
        assert scene.registrar.bindings["alice"] == set()

    play(tmp_path, act)


def test_what_nobody_answered_may_be_registered_all_the_same(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        def heard_but_not_answered(seen: Seen) -> None:
            scene.registrar.bindings["alice"].add(f"sip:s@192.0.2.2:{scene.port}")

        section = scene.section("a")
        scene.write(section, transport=moved(scene, "192.0.2.1"))
        await scene.start()
        await scene.engine.settled(60)
        scene.registrar.script("alice", heard_but_not_answered, grant())
        scene.write(section, transport=moved(scene, "192.0.2.2"))
        await scene.reload()
        await scene.registrar.received(2)
        await asyncio.sleep(33)
        scene.write(section, transport=moved(scene, "192.0.2.3"))
        await scene.reload()
        await scene.until(lambda: scene.words() == {"a": "Registered"})
        assert scene.registrar.bindings["alice"] == {f"sip:s@192.0.2.3:{scene.port}"}

    play(tmp_path, act)


# -- sections ---------------------------------------------------------------------------------


@pytest.mark.parametrize("new", ["a", "b"])
def test_a_section_that_is_changed_or_renamed_keeps_its_binding(tmp_path: Path, new: str) -> None:
    """The farewell of the old form is lost twice, so that it would come after the new one."""

    async def act(scene: Scene) -> None:
        scene.write(scene.section("a"))
        await scene.start()
        await scene.engine.settled(60)
        scene.registrar.deaf = 2
        scene.write(scene.section(new, retry_interval=61))
        await scene.reload()
        await scene.registrar.received(3)
        await asyncio.sleep(60)
        assert scene.registrar.bindings["alice"] == {f"sip:s@{LOOPBACK}:{scene.port}"}
        assert [one.expires_s for one in scene.registrar.seen] == [3600, 0, 3600]
        assert scene.words() == {new: "Registered"}

    play(tmp_path, act)


def test_a_successor_does_not_wait_for_ever(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        scene.write(scene.section("a"))
        await scene.start()
        await scene.engine.settled(60)
        scene.registrar.script("alice", silence(), grant())
        scene.write(scene.section("b"))
        at = scene.now()
        await scene.reload()
        await scene.until(lambda: scene.words() == {"b": "Registered"})
        assert scene.now() - at == pytest.approx(33, abs=1.5)
        assert len(scene.registrar.bindings["alice"]) == 1

    play(tmp_path, act)


def test_who_has_another_contact_does_not_wait(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        scene.write(scene.section("a", contact_user="one"))
        await scene.start()
        await scene.engine.settled(60)
        scene.registrar.script("alice", silence(), grant())
        scene.write(scene.section("b", contact_user="two"))
        at = scene.now()
        await scene.reload()
        await scene.until(lambda: scene.words().get("b") == "Registered")
        assert scene.now() - at < 3

    play(tmp_path, act)


def test_a_farewell_that_takes_the_binding_of_a_twin_along_is_made_up_for(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        scene.write(scene.section("a"), scene.section("b"))
        await scene.start()
        await scene.engine.settled(60)
        scene.write(scene.section("b"))
        await scene.reload()
        await scene.until(lambda: len(scene.registrar.seen) == 4, 60)
        await asyncio.sleep(1)
        assert [one.expires_s for one in scene.registrar.seen] == [3600, 3600, 0, 3600]
        assert scene.registrar.bindings["alice"] == {f"sip:s@{LOOPBACK}:{scene.port}"}

    play(tmp_path, act)


# -- attempts that wait for DNS ---------------------------------------------------------------


def test_a_section_reloaded_while_it_was_looked_up_registers_once(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        scene.names.mood = "silent"
        scene.write(scene.section("a", f"sip:{DOMAIN}"))
        await scene.start()
        await asyncio.sleep(3)
        scene.names.mood = "well"
        srv(scene)
        scene.write(scene.section("a", f"sip:{DOMAIN}", expiration=120))
        await scene.reload()
        await asyncio.sleep(60)
        assert [one.expires_s for one in scene.registrar.seen] == [120]

    play(tmp_path, act)


def test_a_stop_does_not_wait_for_a_look_up(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        scene.names.mood = "silent"
        scene.write(scene.section("a", f"sip:{DOMAIN}"))
        await scene.start()
        await asyncio.sleep(3)
        at = scene.now()
        assert await scene.engine.leave(60)
        assert scene.now() - at < 0.5

    play(tmp_path, act)


def test_a_farewell_needs_no_name_server(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        srv(scene)
        scene.write(scene.section("a", f"sip:{DOMAIN}"))
        await scene.start()
        await scene.engine.settled(60)
        await asyncio.sleep(120)
        scene.names.mood = "silent"
        at = scene.now()
        assert await scene.engine.leave(60)
        assert scene.now() - at < 0.5
        assert scene.registrar.bindings["alice"] == set()

    play(tmp_path, act)


# -- transports that go -----------------------------------------------------------------------


@pytest.mark.parametrize("protocol", ["udp", "tcp"])
@pytest.mark.parametrize("what", ["nothing", "another transport", "another port"])
def test_who_goes_together_with_its_transport_unregisters_first(
    tmp_path: Path, protocol: str, what: str
) -> None:
    def transport(name: str, port: int) -> str:
        return (
            f"[{name}]\ntype=transport\nprotocol={protocol}\nbind={LOOPBACK}:{port}\n"
            "allow_reload=yes\n"
        )

    async def act(scene: Scene) -> None:
        scene.registrar.script("alice", protected("secret", username="alice"))
        uri = f"{scene.uri}\\;transport={protocol}"
        own = transport("t", scene.port)
        scene.write(scene.section("a", uri, outbound_auth="secret"), transport=own, auth=AUTH)
        await scene.start()
        await scene.engine.settled(60)
        left = {
            "nothing": "",
            "another transport": transport("u", scene.port),
            "another port": transport("t", free_port()),
        }
        (scene.folder / "pjsip.conf").write_text(left[what])
        await scene.reload()
        await scene.until(lambda: not scene.words(), 40)
        assert [one.expires_s for one in scene.registrar.seen] == [3600, 3600, 0, 0]
        assert scene.registrar.bindings["alice"] == set()

    play(tmp_path, act)


def test_who_stays_without_a_transport_takes_its_binding_off_while_it_can(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        section = scene.section("a")
        scene.write(section)
        await scene.start()
        await scene.engine.settled(60)
        tcp = f"[t]\ntype=transport\nprotocol=tcp\nbind={LOOPBACK}:{scene.port}\nallow_reload=yes\n"
        scene.write(section, transport=tcp)
        await scene.reload()
        await scene.until(lambda: scene.words() == {"a": "Rejected"}, 60)
        assert scene.registrar.bindings["alice"] == set()
        scene.write(section)
        await scene.reload()
        await scene.until(lambda: scene.words() == {"a": "Registered"}, 120)

    play(tmp_path, act)


def test_who_has_another_transport_moves(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        section, port = scene.section("a"), free_port()
        scene.write(section)
        await scene.start()
        await scene.engine.settled(60)
        scene.write(section, transport=f"[other]\ntype=transport\nbind={LOOPBACK}:{port}\n")
        await scene.reload()
        await scene.registrar.received(2)
        assert [one.expires_s for one in scene.registrar.seen] == [3600, 3600]
        await scene.until(lambda: scene.words() == {"a": "Registered"})
        assert scene.registrar.bindings["alice"] == {f"sip:s@{LOOPBACK}:{port}"}

    play(tmp_path, act)


def test_a_silent_registrar_does_not_hold_up_a_reload_for_long(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        scene.write(scene.section("a"))
        await scene.start()
        await scene.engine.settled(60)
        scene.registrar.script("alice", silence())
        (scene.folder / "pjsip.conf").write_text("")
        at = scene.now()
        await scene.reload()
        assert scene.now() - at < FAREWELL_S + 2
        await scene.until(lambda: not scene.words(), 1)

    play(tmp_path, act)
