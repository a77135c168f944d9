"""A relay on loopback that loses datagrams in both directions."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from random import Random  # noqa: TID251 -- a seeded one, so that every run loses the same

from tests.support.ports import LOOPBACK

Peer = tuple[str, int]


class LossyRelay(asyncio.DatagramProtocol):
    """Passes datagrams between whoever sends to its port and `server`, but for a part of them.

    Each client gets a port of its own towards the server, so answers find their way back.
    """

    def __init__(self, server: Peer, loss: float, seed: int = 4) -> None:
        self.port = 0
        self.lost = 0
        self.passed = 0
        self._server = server
        self._loss = loss
        self._random = Random(seed)
        self._transport: asyncio.DatagramTransport | None = None
        self._legs: dict[Peer, socket.socket] = {}

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self._transport = transport
        self.port = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, addr: Peer) -> None:
        if not self._survives():
            return
        leg = self._legs.get(addr)
        if leg is None:
            leg = self._legs[addr] = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            leg.setblocking(False)
            leg.connect(self._server)
            asyncio.get_running_loop().add_reader(leg, self._back, leg, addr)
        with suppress(OSError):  # a server that is not there is as good as a loss
            leg.send(data)

    def _back(self, leg: socket.socket, client: Peer) -> None:
        with suppress(OSError):
            data = leg.recv(65_535)
            if self._survives() and self._transport is not None:
                self._transport.sendto(data, client)

    def _survives(self) -> bool:
        survives = self._random.random() >= self._loss
        self.passed += survives
        self.lost += not survives
        return survives

    def close(self) -> None:
        """Close all ports."""
        for leg in self._legs.values():
            asyncio.get_running_loop().remove_reader(leg)
            leg.close()
        if self._transport is not None:
            self._transport.close()


@asynccontextmanager
async def lossy_relay(server_port: int, loss: float) -> AsyncIterator[LossyRelay]:
    """A relay to a server on loopback for the length of a block; `loss` is a part of 1."""
    loop = asyncio.get_running_loop()
    _, relay = await loop.create_datagram_endpoint(
        lambda: LossyRelay((LOOPBACK, server_port), loss), (LOOPBACK, 0)
    )
    try:
        yield relay
    finally:
        relay.close()
