"""`pjreg add`, `set`, `remove`: registrations at run time."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.instance import Done, Instance, run
from tests.support.ports import free_port
from tests.support.registrar import Registrar, protected

TRANSPORT = """\
[udp]
type = transport
protocol = udp
bind = 127.0.0.1:{port}

[written]
type = registration
server_uri = sip:registrar.invalid
client_uri = sip:me@registrar.invalid
max_random_initial_delay = 1000000
"""


@pytest.fixture
async def registrar() -> AsyncIterator[Registrar]:
    """Wants to see alice's password."""
    async with Registrar.open() as one:
        one.script("alice", protected("se;cret"))
        yield one


@pytest.fixture
async def instance_of(home: Path) -> AsyncIterator[Instance]:
    """An instance without trunks of its own."""
    one = Instance(home, TRANSPORT.format(port=free_port()))
    await asyncio.to_thread(one.start)
    yield one
    await asyncio.to_thread(one.stop)


async def ask(instance: Instance, *words: str) -> Done:
    return await asyncio.to_thread(run, *words, home=instance.home)


def added(registrar: Registrar, *more: str) -> list[str]:
    uri = f"sip:127.0.0.1:{registrar.port}"
    options = [f"server_uri={uri}", "client_uri=sip:alice@127.0.0.1", "max_random_initial_delay=0"]
    return ["pjreg", "add", "alice", *options, *more]


async def test_added_registration_registers_is_kept_and_goes(
    instance_of: Instance, registrar: Registrar
) -> None:
    words = added(registrar, "username=alice", "password=se;cret")
    assert await ask(instance_of, *words) == Done(0, "alice is added.\n", "")
    assert (await ask(instance_of, "pjreg", "wait", "alice")).status == 0
    file = instance_of.etc / "pjreg.d" / "registrations.conf"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert (await ask(instance_of, "check", str(instance_of.etc))).status == 0
    await asyncio.to_thread(instance_of.stop)
    await asyncio.to_thread(instance_of.start)
    assert (await ask(instance_of, "pjreg", "wait", "alice")).status == 0
    changed = await ask(instance_of, "pjreg", "set", "alice", "expiration=600")
    assert changed == Done(0, "alice is changed.\n", "")
    assert (await ask(instance_of, "pjreg", "wait", "alice")).status == 0
    shown = (await ask(instance_of, "pjsip", "show", "registration", "alice")).out
    assert "expiration               : 600" in shown
    assert (await ask(instance_of, "pjreg", "remove", "alice")).out == "alice is removed.\n"
    async with asyncio.timeout(60):
        while registrar.bindings["alice"]:
            await registrar.received(len(registrar.seen) + 1)
    assert "alice" not in file.read_text()
    await asyncio.to_thread(instance_of.says, "pjreg add alice client_uri=sip:alice@127.0.0.1")
    await asyncio.to_thread(instance_of.says, "pjreg remove alice")
    log = instance_of.log()
    assert "password=********" in log
    assert "se;cret" not in log


async def test_reload_takes_up_what_was_written_by_hand(
    instance_of: Instance, registrar: Registrar
) -> None:
    await ask(instance_of, *added(registrar))
    file = instance_of.etc / "pjreg.d" / "registrations.conf"
    file.write_text(file.read_text() + "; a word of ours\nexpiration = 700\n")
    await ask(instance_of, "-x", "core reload")
    await ask(instance_of, "pjreg", "set", "alice", "retry_interval=7")
    text = file.read_text()
    assert "; a word of ours" in text
    assert "expiration = 700" in text
    assert "retry_interval = 7" in text


@pytest.mark.parametrize(
    ("words", "piece"),
    [
        ("add new server_uri=sip:a.invalid client_uri=nonsense", "client_uri"),
        ("add new server_uri=sip:a.invalid client_uri=sip:b@a.invalid expiratoin=5", "expiratoin"),
        ("add written server_uri=sip:a.invalid client_uri=sip:b@a.invalid", "pjsip.conf:6"),
        ("add new", "Usage: pjreg add"),
        ("add new nothing", "'nothing' is no key=value"),
        ("add a[b server_uri=sip:a.invalid", "cannot be the name"),
        ("set written expiration=5", "pjsip.conf:6"),
        ("set nobody expiration=5", "nobody was not added"),
        ("remove written", "pjsip.conf:6"),
        ("remove nobody", "nobody was not added"),
    ],
)
async def test_what_is_wrong_is_told_and_nothing_is_touched(
    instance_of: Instance, words: str, piece: str
) -> None:
    done = await ask(instance_of, "pjreg", *words.split())
    assert done.status == 1
    assert piece in done.out
    assert not (instance_of.etc / "pjreg.d" / "registrations.conf").exists()
    table = (await ask(instance_of, "pjsip", "show", "registrations")).out
    assert "Objects found: 1" in table
