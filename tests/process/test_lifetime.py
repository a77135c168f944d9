"""An instance from its start to its end: what it refuses, what signals do, what it leaves."""

from __future__ import annotations

import asyncio
import signal
import socket
import stat
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.support.instance import PROGRAM, QUIET, Done, Instance, environment, run
from tests.support.ports import LOOPBACK, free_port
from tests.support.registrar import Registrar, protected
from tests.support.terminal import Terminal
from tests.support.waiting import becomes

TRUNK = """\
[udp]
type = transport
protocol = udp
bind = 127.0.0.1:{port}

[alice]
type = registration
server_uri = sip:127.0.0.1:{registrar}
client_uri = sip:alice@127.0.0.1
outbound_auth = alice-auth
max_random_initial_delay = 0

[alice-auth]
type = auth
username = alice
password = secret-of-alice
"""
SHOW = "pjsip show registrations"


@pytest.fixture
async def registrar() -> AsyncIterator[Registrar]:
    """A registrar that wants to see alice's password."""
    async with Registrar.open() as one:
        one.script("alice", protected("secret-of-alice"))
        yield one


@pytest.fixture
def started(home: Path) -> Iterator[list[Instance]]:
    """Instances that are stopped at the end, whatever became of them."""
    instances: list[Instance] = []
    yield instances
    for one in instances:
        one.stop()


async def trunk(home: Path, registrar: Registrar, started: list[Instance]) -> Instance:
    """An instance that has registered alice."""
    one = Instance(home, TRUNK.format(port=free_port(), registrar=registrar.port), fresh=True)
    started.append(one)
    await asyncio.to_thread(one.start)
    await registered(one, registrar)
    return one


async def registered(instance: Instance, registrar: Registrar) -> None:
    """Wait until alice is registered, here as there: the registrar knows it first."""
    await until_bound(registrar, True)
    await asyncio.to_thread(becomes, instance, "alice", "Registered")


async def until_bound(registrar: Registrar, bound: bool) -> None:
    async with asyncio.timeout(60):
        count = len(registrar.seen)
        while bool(registrar.bindings.get("alice")) is not bound:
            count += 1
            await registrar.received(count)


def left(home: Path) -> list[str]:
    """What lies in a folder."""
    return sorted(path.name for path in home.iterdir())


def ask(instance: Instance, line: str) -> asyncio.Future[Done]:
    return asyncio.get_running_loop().run_in_executor(None, instance.ask, line)


# -- the main job -----------------------------------------------------------------------------


async def test_trunk_is_registered_shown_and_unregistered(
    home: Path, registrar: Registrar, started: list[Instance]
) -> None:
    instance = await trunk(home, registrar, started)
    assert "Registered" in (await ask(instance, SHOW)).out
    assert (await ask(instance, "pjsip send unregister alice")).status == 0
    await until_bound(registrar, False)
    assert "Unregistered" in (await ask(instance, SHOW)).out
    assert (await ask(instance, "pjsip send register alice")).status == 0
    await registered(instance, registrar)


async def test_no_secret_is_written_anywhere(
    home: Path, registrar: Registrar, started: list[Instance]
) -> None:
    instance = Instance(home, TRUNK.format(port=free_port(), registrar=registrar.port), fresh=True)
    started.append(instance)
    await asyncio.to_thread(instance.start, "-vvvddd")
    await ask(instance, "pjsip set logger on")
    await until_bound(registrar, True)
    shown = await ask(instance, "pjsip show auth alice-auth")
    assert "********" in shown.out
    await asyncio.to_thread(instance.stop)
    assert "secret-of-alice" not in instance.log() + shown.out + shown.err


# -- ends -------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_signals_end_it_at_once_and_leave_the_binding(
    home: Path, registrar: Registrar, started: list[Instance], number: signal.Signals
) -> None:
    instance = await trunk(home, registrar, started)
    requests = len(registrar.seen)
    instance.signal(number)
    assert await asyncio.to_thread(instance.wait) == 0
    assert len(registrar.seen) == requests
    assert registrar.bindings["alice"]
    assert left(home) == ["etc", "log", "state"]


async def test_stop_gracefully_unregisters_and_answers_the_challenge(
    home: Path, registrar: Registrar, started: list[Instance]
) -> None:
    instance = await trunk(home, registrar, started)
    assert (await ask(instance, "core stop gracefully")).status == 0
    assert await asyncio.to_thread(instance.wait) == 0
    assert not registrar.bindings["alice"]


async def test_restart_comes_back_as_the_same_process_with_its_options(
    home: Path, registrar: Registrar, started: list[Instance]
) -> None:
    instance = await trunk(home, registrar, started)
    pid = instance.pid
    before = registrar.of("alice")
    assert (await ask(instance, "core restart now")).status == 0
    # it may have begun before we were told
    again = await registrar.received(len(before) + 2, "alice")
    assert again[-1].header("call-id") != before[-1].header("call-id")
    assert (await ask(instance, SHOW)).status == 0
    assert instance.pid == pid
    assert instance.stop() == 0


async def test_hangup_reloads(home: Path, registrar: Registrar, started: list[Instance]) -> None:
    instance = await trunk(home, registrar, started)
    more = (instance.etc / "pjsip.conf").read_text() + (
        f"[bob]\ntype=registration\nserver_uri=sip:127.0.0.1:{registrar.port}\n"
        "client_uri=sip:bob@127.0.0.1\nmax_random_initial_delay=0\n"
    )
    instance.configure(more)
    instance.signal(signal.SIGHUP)
    async with asyncio.timeout(60):
        await registrar.received(1, "bob")
    assert "bob/" in (await ask(instance, SHOW)).out


def test_last_word_goes_to_consoles_not_to_stdout(instance: Instance) -> None:
    assert instance.ask("core stop now").status == 0
    assert instance.wait() == 0
    assert instance.ask(SHOW).status == 1


# -- does not start ---------------------------------------------------------------------------


def refused(home: Path, *options: str) -> str:
    """The one line that says why an instance does not start."""
    done = run("-C", str(home / "etc"), *options, "-f", home=home)
    assert done.status == 1
    assert done.out == ""
    complaint = done.err.splitlines()
    assert len(complaint) == 1, done.err
    return complaint[0]


def test_second_instance_names_the_first(instance: Instance) -> None:
    said = refused(instance.home, "-s", str(instance.socket))
    assert str(instance.pid) in said
    assert str(instance.socket) in said
    assert instance.ask(SHOW).status == 0


def test_port_in_use_is_named_and_nothing_is_left(home: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind((LOOPBACK, 0))
        port = taken.getsockname()[1]
        Instance(home, QUIET.format(port=port))
        said = refused(home)
    assert f"{LOOPBACK}:{port}" in said
    assert left(home) == ["etc"]


def test_missing_configuration_is_named(home: Path) -> None:
    (home / "etc").mkdir()
    assert str(home / "etc" / "pjsip.conf") in refused(home)
    assert left(home) == ["etc"]


def test_file_in_place_of_the_socket_is_named(home: Path) -> None:
    Instance(home, QUIET.format(port=free_port()))
    (home / "ctl").touch()
    assert str(home / "ctl") in refused(home)


def test_bad_sections_are_told_by_line_and_the_others_live(home: Path) -> None:
    conf = QUIET.format(port=free_port())
    bad = "[broken]\ntype=registration\nserver_uri=sip:a.invalid\nretry_interval=soon\n"
    one = Instance(home, conf + bad, fresh=True)
    one.start()
    line = (conf + bad).splitlines().index("retry_interval=soon") + 1
    try:
        one.says(f"pjsip.conf:{line}: ")
        table = one.ask(SHOW).out
        assert "my_provider/" in table
        assert "broken/" not in table
    finally:
        assert one.stop() == 0


# -- what it leaves others --------------------------------------------------------------------


def test_stale_socket_of_a_killed_instance_is_replaced(instance: Instance) -> None:
    instance.signal(signal.SIGKILL)
    instance.wait()
    assert instance.socket.exists()
    instance.start()
    assert instance.ask(SHOW).status == 0


def test_socket_is_its_owners_alone(instance: Instance) -> None:
    assert stat.S_IMODE(instance.socket.stat().st_mode) == 0o600


async def test_register_registers_answers_and_unregisters(home: Path, registrar: Registrar) -> None:
    Instance(home, TRUNK.format(port=free_port(), registrar=registrar.port))
    done = await asyncio.to_thread(
        run, "-C", str(home / "etc"), "--register", *SHOW.split(), home=home
    )
    assert done.status == 0, done.err
    assert "Registered" in done.out
    assert done.err == ""
    assert not registrar.bindings["alice"]
    assert left(home) == ["etc"]


async def test_register_gives_up_waiting_in_time(home: Path, registrar: Registrar) -> None:
    registrar.silent = True
    conf = TRUNK.format(port=free_port(), registrar=registrar.port)
    Instance(home, conf)
    arguments = ["-C", str(home / "etc"), "--register", "--wait", "0.2", *SHOW.split()]
    done = await asyncio.to_thread(run, *arguments, home=home)
    assert done.status == 1
    assert done.err == "pjreg-cli: no outcome within 0.2 s: alice\n"
    assert "Unregistered" in done.out


async def test_register_tells_on_a_terminal_how_it_goes(home: Path, registrar: Registrar) -> None:
    registrar.silent = True
    Instance(home, TRUNK.format(port=free_port(), registrar=registrar.port))
    words = [*PROGRAM, "-C", str(home / "etc"), "--register", "--wait", "3", *SHOW.split()]
    with Terminal(words, environment=environment(home)) as terminal:
        await asyncio.to_thread(terminal.until, "registering: 0 of 1 have an answer")
        await asyncio.to_thread(terminal.until, "Objects found: 1")
        await asyncio.to_thread(terminal.until, "unregistering: 0 of 1 answered, 3")
        registrar.silent = False
        assert await asyncio.to_thread(terminal.ends) == 1
        assert "unregistering" not in terminal.text


async def test_register_asks_the_instance_where_one_runs(
    home: Path, registrar: Registrar, started: list[Instance]
) -> None:
    instance = await trunk(home, registrar, started)
    requests = len(registrar.seen)
    done = await asyncio.to_thread(run, "--register", *SHOW.split(), home=instance.home)
    assert (done.status, done.err) == (0, "")
    assert "Registered" in done.out
    assert len(registrar.seen) == requests
