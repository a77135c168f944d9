"""One question to one name server on loopback."""

from __future__ import annotations

import asyncio

import dns.message
import pytest

from pjreg_cli.net import dns_client
from pjreg_cli.sip.address import Address
from tests.loop.net.support import closed_port
from tests.support.nameserver import NameServer, Zone, nameserver

ZONE: Zone = {"one.example.com": {"A": ["192.0.2.1"]}, "two.example.com": {"A": ["192.0.2.2"]}}


async def ask(port: int) -> list[str]:
    """The records of an answer, as text."""
    query = dns.message.make_query("one.example.com", "A")
    answer = await dns_client.ask(Address("127.0.0.1", port), query)
    return [record.to_text() for records in answer.answer for record in records]


async def test_an_answer() -> None:
    async with nameserver(ZONE) as server:
        assert await ask(server.port) == ["192.0.2.1"]


async def test_a_refusal_is_heard() -> None:
    with pytest.raises(ConnectionRefusedError):
        await ask(closed_port())


async def test_an_answer_that_was_cut_short_is_asked_for_over_tcp() -> None:
    async with nameserver(ZONE) as server:
        server.mood = "cut"

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            query = await reader.readexactly(int.from_bytes(await reader.readexactly(2)))
            answer = server.answer(dns.message.from_wire(query)).to_wire()
            writer.write(len(answer).to_bytes(2) + answer)
            writer.close()

        whole = await asyncio.start_server(serve, "127.0.0.1", server.port)
        async with whole:
            assert await ask(server.port) == ["192.0.2.1"]


async def test_who_hangs_up_over_tcp_has_failed() -> None:
    async with nameserver(ZONE) as server:
        server.mood = "cut"

        async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.close()

        async with await asyncio.start_server(hang_up, "127.0.0.1", server.port):
            with pytest.raises(ConnectionError):
                await ask(server.port)


async def test_what_is_no_answer_to_the_question_is_passed_over() -> None:
    loop = asyncio.get_running_loop()

    class Liar(NameServer):
        def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
            assert self._transport is not None
            query = dns.message.from_wire(data)
            other = dns.message.make_query("one.example.com", "A", id=query.id ^ 1)
            elsewhere = dns.message.make_query("two.example.com", "A", id=query.id)
            for false in (b"", b"\0" * 12, data, self.answer(other), self.answer(elsewhere)):
                wire = false if isinstance(false, bytes) else false.to_wire()
                self._transport.sendto(wire, addr)
            super().datagram_received(data, addr)

    transport, server = await loop.create_datagram_endpoint(
        lambda: Liar(ZONE), local_addr=("127.0.0.1", 0)
    )
    try:
        assert await ask(server.port) == ["192.0.2.1"]
    finally:
        transport.close()
