"""A manager client for tests: it reads whole messages and forgets nothing."""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from ipaddress import ip_network
from typing import Any

from pydantic import SecretStr

from pjreg_cli.ami.server import ManagerServer
from pjreg_cli.config.access import Access
from pjreg_cli.config.models import ManagerAccount, ManagerSettings
from pjreg_cli.engine.tasks import spawn
from tests.support.ami_port import FakeInstance

Block = list[tuple[str, str]]


def account(name: str = "admin", secret: str = "s3cret", **changed: Any) -> ManagerAccount:
    """A user who may do everything, from anywhere."""
    fields: dict[str, Any] = {
        "source": "manager.conf:5",
        "read": ("all",),
        "write": ("all",),
    } | changed
    if "rules" in fields:
        rules = tuple((permit, ip_network(text)) for permit, text in fields.pop("rules"))
        fields["access"] = Access(rules)
    return ManagerAccount(name=name, secret=SecretStr(secret), **fields)


def settings(*users: ManagerAccount, **changed: Any) -> ManagerSettings:
    """AMI on a free port of loopback."""
    fields: dict[str, Any] = {"enabled": True, "bindaddr": "127.0.0.1", "port": 0} | changed
    return ManagerSettings(users=users or (account(),), **fields)


class Clock:
    """Seconds that pass when somebody waits for them."""

    def __init__(self) -> None:
        self.now = 5000.0
        self.waits: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)


class Client:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.banner = b""

    @classmethod
    async def connect(cls, port: int, tls: ssl.SSLContext | None = None) -> Client:
        """Connect and read the banner."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 24, ssl=tls)
        client = cls(reader, writer)
        client.banner = await client.raw(b"", b"\r\n")
        return client

    async def raw(self, data: bytes, until: bytes = b"\r\n\r\n") -> bytes:
        """Send bytes; what comes up to and with `until`."""
        if data:
            self.writer.write(data)
        async with asyncio.timeout(60):
            return await self.reader.readuntil(until)

    def send(self, *fields: tuple[str, str]) -> None:
        """Send a message."""
        text = "".join(f"{key}: {value}\r\n" for key, value in fields) + "\r\n"
        self.writer.write(text.encode())

    async def message(self) -> Block:
        """The next message."""
        text = (await self.raw(b"")).decode()
        lines = text.removesuffix("\r\n\r\n").split("\r\n")
        return [(key, value[1:]) for key, _, value in (line.partition(":") for line in lines)]

    async def ask(self, action: str, **fields: str) -> Block:
        """Send an action; the next message."""
        self.send(("Action", action), *fields.items())
        return await self.message()

    async def listed(self, action: str, **fields: str) -> list[Block]:
        """Send an action that answers with a list; all of it."""
        messages = [await self.ask(action, **fields)]
        while ("EventList", "Complete") not in messages[-1]:
            messages.append(await self.message())
        return messages

    async def login(self, name: str = "admin", secret: str = "s3cret", **fields: str) -> Block:
        """Log in and take FullyBooted off the line if it comes."""
        answer = await self.ask("Login", Username=name, Secret=secret, **fields)
        await self.synchronize()
        return answer

    async def login_md5(self, name: str = "admin", secret: str = "s3cret") -> Block:
        """Log in by challenge."""
        challenge = dict(await self.ask("Challenge", AuthType="MD5"))["Challenge"]
        key = hashlib.md5((challenge + secret).encode()).hexdigest()
        return await self.ask("Login", AuthType="MD5", Username=name, Key=key)

    async def synchronize(self) -> list[Block]:
        """What has come unasked until now."""
        self.send(("Action", "Ping"), ("ActionID", "sync"))
        events: list[Block] = []
        while True:
            message = await self.message()
            if ("ActionID", "sync") in message:
                return events
            events.append(message)

    def deafen(self) -> None:
        """Read nothing any more."""
        transport = self.writer.transport
        assert isinstance(transport, asyncio.Transport)
        transport.pause_reading()

    async def at_end(self) -> bytes:
        """Everything until the connection ends."""
        async with asyncio.timeout(60):
            return await self.reader.read()

    async def close(self) -> None:
        """Hang up."""
        self.writer.close()
        with suppress(OSError):
            await self.writer.wait_closed()


class House:
    """A server with its fake instance, and clients that are closed in the end."""

    def __init__(
        self, fake: FakeInstance | None, manager: ManagerSettings | None, **options: Any
    ) -> None:
        self.fake = fake or FakeInstance()
        self.clock = Clock()
        self.server = ManagerServer(
            self.fake.port,
            manager or settings(),
            spawn=spawn,
            clock=self.clock,
            wall_clock=lambda: 1_700_000_000.25,
            sleep=self.clock.sleep,
            **options,
        )
        self.fake.managers = self.server
        self.clients: list[Client] = []

    @property
    def port(self) -> int:
        """The first port it listens on."""
        return self.server.addresses[0][1]

    async def connect(self) -> Client:
        """A client that has read the banner."""
        self.clients.append(await Client.connect(self.port))
        return self.clients[-1]

    async def user(self, name: str = "admin", secret: str = "s3cret", **fields: str) -> Client:
        """A client that has logged in."""
        client = await self.connect()
        answer = await client.login(name, secret, **fields)
        assert answer[0] == ("Response", "Success"), answer
        return client


@asynccontextmanager
async def house(
    fake: FakeInstance | None = None, manager: ManagerSettings | None = None, **options: Any
) -> AsyncIterator[House]:
    """A running server and its clients."""
    running = House(fake, manager, **options)
    await running.server.start()
    try:
        yield running
    finally:
        for client in running.clients:
            await client.close()
        await running.server.close()
