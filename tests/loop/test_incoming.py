"""Connections that others make: limits that hold before they have said a word."""

from __future__ import annotations

import asyncio
import resource
import socket
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from pjreg_cli import incoming
from pjreg_cli.engine.tasks import spawn
from pjreg_cli.incoming import Admission, Incoming
from pjreg_cli.spawner import Spawner
from tests.loop.net.support import certificate
from tests.support.ports import LOOPBACK

SPAWN: Spawner = spawn


class Guest(asyncio.Protocol):
    """Somebody who was let in."""

    def __init__(self, admission: Admission, door: Door) -> None:
        self._admission = admission
        self._door = door

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._door.inside += 1
        self._door.transports.append(transport)

    def connection_lost(self, _error: Exception | None) -> None:
        self._door.inside -= 1
        self._admission.leave()
        self._admission.leave()


class Door:
    """What has happened at a listening socket."""

    def __init__(self) -> None:
        self.inside = 0
        self.refused: Counter[str] = Counter()
        self.transports: list[asyncio.BaseTransport] = []
        self.address = ("", 0)
        self.incoming: Incoming

    def refuse(self, why: str) -> None:
        self.refused[why] += 1

    async def until(self, reached: Callable[[], bool]) -> None:
        async with asyncio.timeout(60):
            while not reached():  # noqa: ASYNC110 -- a condition of another side
                await asyncio.sleep(0.005)


@asynccontextmanager
async def door(
    *, limit: int = 100, per_host: int = 100, shaking: int = 64, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Door]:
    made = Door()
    listening = socket.create_server((LOOPBACK, 0), backlog=200)
    made.incoming = Incoming(
        listening,
        lambda admission: Guest(admission, made),
        spawn=SPAWN,
        refused=made.refuse,
        limit=limit,
        per_host=per_host,
        shaking=shaking,
        tls=tls,
    )
    made.address = made.incoming.address
    try:
        yield made
    finally:
        made.incoming.close()
        for transport in made.transports:
            transport.close()
        await asyncio.sleep(0.01)


@contextmanager
def knocking(address: tuple[str, int], count: int) -> Iterator[list[socket.socket]]:
    """So many connections that say nothing."""
    with ExitStack() as stack:
        yield [stack.enter_context(socket.create_connection(address)) for _ in range(count)]


async def test_the_limit_holds_and_places_come_free_again() -> None:
    async with door(limit=5) as one:
        with knocking(one.address, 8):
            await one.until(lambda: one.refused["connections"] == 3)
            assert one.incoming.count == 5
        await one.until(lambda: one.incoming.count == 0)
        with knocking(one.address, 2):
            await one.until(lambda: one.inside == 2)


async def test_one_address_cannot_take_every_place() -> None:
    async with door(limit=10, per_host=3) as one:
        with knocking(one.address, 6):
            await one.until(lambda: one.refused["connections of one address"] == 3)
            # who may come in is let in a round of the loop later
            await one.until(lambda: one.inside == 3)
            assert one.incoming.count == 3


async def test_those_who_never_shake_hands_count_and_are_sent_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(incoming, "HANDSHAKE_S", 0.3)
    pem = certificate(tmp_path, "IP:127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    async with door(limit=50, shaking=4, tls=context) as one:
        with knocking(one.address, 10):
            await one.until(lambda: one.refused["handshakes"] == 6)
            assert (one.incoming.shaking, one.inside) == (4, 0)
            await one.until(lambda: one.refused["handshakes that failed"] == 4)
        await one.until(lambda: one.incoming.count == 0)
        client = ssl.create_default_context(cafile=str(pem))
        _, writer = await asyncio.open_connection(*one.address, ssl=client)
        await one.until(lambda: one.inside == 1)
        writer.close()


async def test_descriptors_are_kept_for_ourselves() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with socket.socket() as probe:
        lowest = probe.fileno()
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest + 2 * incoming.RESERVE, hard))
    try:
        async with door(limit=10_000, per_host=10_000) as one:
            with ExitStack() as stack:
                # both ends are ours: half of the numbers go to the callers
                for _ in range(incoming.RESERVE - 4):
                    stack.enter_context(socket.create_connection(one.address))
                    await asyncio.sleep(0)
                await one.until(lambda: one.refused["descriptors"] > 0)
                with socket.socket():
                    pass
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_without_descriptors_accepting_pauses_and_goes_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(incoming, "_PAUSE_S", 0.05)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    async with door() as one:
        with knocking(one.address, 3):
            with socket.socket() as probe:
                lowest = probe.fileno()
            resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, hard))
            try:
                await one.until(lambda: one.refused["descriptors"] >= 3)
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            await one.until(lambda: one.inside == 3)
    told = [record for record in caplog.records if record.name == "pjreg_cli.incoming"]
    assert len(told) == 1, "said once, not at every pause"
