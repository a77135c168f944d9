"""What the tests of `net` share: a listener that remembers, sections, certificates."""

from __future__ import annotations

import asyncio
import math
import socket
import subprocess
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from pjreg_cli.config.models import Transport
from pjreg_cli.config.other_files import Resolver as ResolverSettings
from pjreg_cli.config.types import validator
from pjreg_cli.net.flow import Flow, Source, Tap
from pjreg_cli.net.pool import Failure, Pool
from pjreg_cli.net.resolver import Resolver
from pjreg_cli.sip.address import Address
from pjreg_cli.sip.locate import Target

MESSAGE = b"OPTIONS sip:a SIP/2.0\r\nContent-Length: 0\r\n\r\n"
ANSWER = b"SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n"


class Heard:
    """A listener; `until` waits for what it hears."""

    def __init__(self) -> None:
        self.messages: list[tuple[bytes, Source]] = []
        self.closings: list[tuple[Flow, str, bool]] = []
        self.refusals: list[Flow] = []
        self.reached = 0
        self.understands: Callable[[bytes], bool] = lambda _data: True
        self._news = asyncio.Event()

    def received(self, data: bytes, source: Source) -> bool:
        self.messages.append((data, source))
        self._news.set()
        return self.understands(data)

    def closed(
        self,
        flow: Flow,
        why: str,
        established: bool,
        *,
        lived_s: float = math.inf,
        spoke: bool = True,
    ) -> None:
        self.closings.append((flow, why, established))
        self._news.set()

    def refused(self, flow: Flow) -> None:
        self.refusals.append(flow)
        self._news.set()

    def reachable(self) -> None:
        self.reached += 1
        self._news.set()

    async def until(self, wanted: Callable[[], bool]) -> None:
        """Come back when something heard makes `wanted` true."""
        async with asyncio.timeout(60):
            while not wanted():
                self._news.clear()
                await self._news.wait()


class Tapped:
    """A tap that keeps what passes."""

    def __init__(self) -> None:
        self.active = True
        self.seen: list[tuple[str, bytes, str, Address, Address]] = []

    def sent(
        self, data: bytes, transport: str, protocol: str, ours: Address, theirs: Address
    ) -> None:
        self.seen.append(("sent", data, protocol, ours, theirs))

    def received(
        self, data: bytes, transport: str, protocol: str, ours: Address, theirs: Address
    ) -> None:
        self.seen.append(("received", data, protocol, ours, theirs))


def section(name: str, protocol: str = "udp", host: str = "127.0.0.1", **options: Any) -> Transport:
    """A transport section made of texts or values; Any: every option has a type of its own."""
    given = {"name": name, "source": "pjsip.conf:1", "protocol": protocol, "host": host}
    return validator(Transport)({"port": 0, **given, **options})


def spawn(coroutine: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
    """Tasks of a test's own."""
    return asyncio.get_running_loop().create_task(coroutine, name=name)


def resolver(port: int = 0, **options: Any) -> Resolver:
    """A resolver that asks the name server on `port`, or nobody."""
    servers = (("127.0.0.1", port),) if port else ()
    settings = ResolverSettings(nameservers=servers, resolv=False, hosts=options.pop("hosts", ""))
    options.setdefault("clock", asyncio.get_running_loop().time)
    options.setdefault("draw", lambda: 0.0)
    return Resolver(settings, spawn=spawn, **options)


@asynccontextmanager
async def opened(
    *sections: Transport,
    tap: Tap | None = None,
    keep_alive_s: float = 0,
    dns: Resolver | None = None,
) -> AsyncIterator[tuple[Pool, Heard, Mapping[str, Failure]]]:
    """A pool with these transports, its listener, and what could not be opened."""
    heard = Heard()
    pool = Pool(heard, spawn=spawn, resolver=dns or resolver(), tap=tap)
    failed = await pool.open(sections, keep_alive_s=keep_alive_s)
    try:
        yield pool, heard, failed
    finally:
        await pool.close()


def target(port: int, protocol: str = "udp", host: str = "127.0.0.1", name: str = "") -> Target:
    return Target(protocol, host, port, name or host)


@asynccontextmanager
async def udp_peer(host: str = "127.0.0.1") -> AsyncIterator[socket.socket]:
    """A bare socket on the other side."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as peer:
        peer.setblocking(False)
        peer.bind((host, 0))
        yield peer


async def datagram(peer: socket.socket) -> tuple[bytes, Any]:
    """What comes next to a bare socket."""
    async with asyncio.timeout(60):
        return await asyncio.get_running_loop().sock_recvfrom(peer, 65_535)


def closed_port(kind: int = socket.SOCK_DGRAM, host: str = "127.0.0.1") -> int:
    """A port where nobody listens."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, kind) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


class Peer:
    """A TCP or TLS server that notes what comes over its connections."""

    def __init__(self) -> None:
        self.port = 0
        self.accepted: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self._news = asyncio.Event()

    def note(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted.append((reader, writer))
        self._news.set()

    async def connection(
        self, number: int = 0
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """The connection of this number, once it is there."""
        async with asyncio.timeout(60):
            while len(self.accepted) <= number:
                self._news.clear()
                await self._news.wait()
        return self.accepted[number]

    async def read(self, count: int, number: int = 0) -> bytes:
        """This many bytes of a connection."""
        reader, _ = await self.connection(number)
        async with asyncio.timeout(60):
            return await reader.readexactly(count)


@asynccontextmanager
async def stream_peer(**options: Any) -> AsyncIterator[Peer]:
    """A server; `ssl=` makes it TLS."""
    peer = Peer()
    server = await asyncio.start_server(peer.note, "127.0.0.1", 0, **options)
    peer.port = server.sockets[0].getsockname()[1]
    try:
        yield peer
    finally:
        server.close()
        for _, writer in peer.accepted:
            writer.transport.abort()
        await asyncio.sleep(0)


def certificate(directory: Path, alternative: str, name: str = "cert") -> Path:
    """A certificate that signed itself, with its key in the same file."""
    key, made = directory / f"{name}.key", directory / f"{name}.crt"
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
        f" -subj /CN=registrar -addext subjectAltName={alternative} -keyout {key} -out {made}"
    )
    subprocess.run(command.split(), check=True, capture_output=True)
    both = directory / f"{name}.pem"
    both.write_text(made.read_text() + key.read_text())
    return both
