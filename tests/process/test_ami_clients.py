"""Programs that talk to Asterisk talk to an instance: three client libraries, unmodified.

panoramisk lives on an event loop, asterisk-ami calls back from a thread, pyst2 blocks.  The last
two still call threads by names that Python is giving up, so their warnings are passed over.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import queue
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import asterisk.ami as callback_library  # type: ignore[import-untyped]
import asterisk.manager as blocking_library  # type: ignore[import-untyped]
import panoramisk  # type: ignore[import-untyped]
import pytest

from tests.support.instance import PATIENCE_S, Instance, short_folder
from tests.support.ports import free_port
from tests.support.registrar import Registrar
from tests.support.waiting import becomes

PJSIP = """\
[udp]
type = transport
protocol = udp
bind = 127.0.0.1:{sip}

[alice]
type = registration
server_uri = sip:127.0.0.1:{registrar}
client_uri = sip:alice@127.0.0.1
max_random_initial_delay = 0
outbound_auth = a

[a]
type = auth
username = u
password = p
"""

MANAGER = """\
[general]
enabled = yes
bindaddr = 127.0.0.1
port = {port}

[admin]
secret = s3cret
read = all
write = all
"""


class Running(NamedTuple):
    """An instance whose only registration is registered."""

    port: int
    registrar: Registrar


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder for the instance."""
    with short_folder() as folder:
        yield folder


@pytest.fixture
async def running(home: Path) -> AsyncIterator[Running]:
    """An instance with AMI, and the registrar it has registered at."""
    async with Registrar.open() as registrar:
        port = free_port()
        instance = Instance(home, PJSIP.format(sip=free_port(), registrar=registrar.port))
        (instance.etc / "manager.conf").write_text(MANAGER.format(port=port))
        await asyncio.to_thread(instance.start)
        try:
            await asyncio.to_thread(becomes, instance, "alice", "Registered")
            yield Running(port, registrar)
        finally:
            await asyncio.to_thread(instance.stop)


async def test_client_on_an_event_loop(running: Running) -> None:
    manager = panoramisk.Manager(
        loop=asyncio.get_running_loop(),
        host="127.0.0.1",
        port=running.port,
        username="admin",
        secret="s3cret",
    )
    statuses: asyncio.Queue[str] = asyncio.Queue()
    manager.register_event("Registry", lambda _manager, event: statuses.put_nowait(event.Status))
    async with asyncio.timeout(PATIENCE_S):
        await manager.connect()
        listed = await manager.send_action({"Action": "PJSIPShowRegistrationsOutbound"})
        names = [message.event for message in listed if "event" in message]
        assert names == [
            "OutboundRegistrationDetail",
            "AuthDetail",
            "OutboundRegistrationDetailComplete",
        ]
        command = await manager.send_command("pjsip show registrations")
        assert "Objects found: 1" in command.output
        sent = await manager.send_action({"Action": "PJSIPUnregister", "Registration": "alice"})
        assert (sent.success, sent.message) == (True, "Unregistration sent")
        while await statuses.get() != "Unregistered":
            pass
        assert running.registrar.of("alice")[-1].expires_s == 0
        sent = await manager.send_action({"Action": "PJSIPRegister", "Registration": "alice"})
        assert sent.message == "Reregistration sent"
        while await statuses.get() != "Registered":
            pass
    manager.close()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
async def test_client_that_calls_back(running: Running) -> None:
    events: queue.SimpleQueue[Any] = queue.SimpleQueue()
    client = callback_library.AMIClient(address="127.0.0.1", port=running.port, timeout=PATIENCE_S)
    client.add_event_listener(lambda event, source: events.put(event))

    def until(name: str, **keys: str) -> None:
        while True:
            event = events.get(timeout=PATIENCE_S)
            if event.name == name and keys.items() <= event.keys.items():
                return

    def talk() -> None:
        assert client.login("admin", "s3cret").response.status == "Success"
        adapter = callback_library.AMIClientAdapter(client)
        listed = adapter.PJSIPShowRegistrationsOutbound().response
        assert listed.keys["EventList"] == "start"
        until("OutboundRegistrationDetail", ObjectName="alice", Status="Registered")
        until("OutboundRegistrationDetailComplete", Registered="1")
        missing = adapter.PJSIPUnregister(Registration="nobody").response
        assert missing.keys["Message"] == "Unable to retrieve registration entry"
        answer = adapter.PJSIPUnregister(Registration="alice").response
        assert answer.keys["Message"] == "Unregistration sent"
        until("Registry", Status="Unregistered")
        answer = adapter.PJSIPRegister(Registration="alice").response
        assert answer.keys["Message"] == "Reregistration sent"
        until("Registry", Status="Registered")
        assert client.logoff().response.status == "Goodbye"

    try:
        await asyncio.to_thread(talk)
    finally:
        await asyncio.to_thread(client.disconnect)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
async def test_client_that_blocks(running: Running) -> None:
    statuses: queue.SimpleQueue[str] = queue.SimpleQueue()
    listed: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def talk() -> None:
        manager = blocking_library.Manager()
        manager.register_event(
            "Registry", lambda event, _manager: statuses.put(event.get_header("Status"))
        )
        manager.register_event(
            "OutboundRegistrationDetail", lambda event, _manager: listed.put(event.headers)
        )
        manager.connect("127.0.0.1", running.port)
        try:
            with pytest.raises(blocking_library.ManagerAuthException):
                _stranger(running.port)
            manager.login("admin", "s3cret")
            assert manager.ping().get_header("Ping") == "Pong"
            manager.send_action({"Action": "PJSIPShowRegistrationsOutbound"})
            detail = listed.get(timeout=PATIENCE_S)
            assert (detail["ObjectName"], detail["Status"]) == ("alice", "Registered")
            registration = {"Registration": "alice"}
            answer = manager.send_action({"Action": "PJSIPUnregister", **registration})
            assert answer.get_header("Message") == "Unregistration sent"
            while statuses.get(timeout=PATIENCE_S) != "Unregistered":
                pass
            answer = manager.send_action({"Action": "PJSIPRegister", **registration})
            assert answer.get_header("Message") == "Reregistration sent"
            while statuses.get(timeout=PATIENCE_S) != "Registered":
                pass
        finally:
            _end(manager)

    await asyncio.to_thread(talk)
    gc.collect()  # what is left of it complains here, not in somebody else's test


def _end(manager: Any) -> None:
    """Close a manager of the library: it logs off, and may trip over the end of the connection,
    seen by its own thread before our goodbye.  Any: the library has no types."""
    for _ in range(2):
        with contextlib.suppress(blocking_library.ManagerSocketException, ValueError):
            manager.close()
            return


def _stranger(port: int) -> None:
    manager = blocking_library.Manager()
    manager.connect("127.0.0.1", port)
    manager.login("admin", "wrong")
