"""TCP over real sockets."""

from __future__ import annotations

import asyncio
import socket

import pytest

from pjreg_cli.errors import TransportError
from tests.loop.net.support import (
    ANSWER,
    MESSAGE,
    Tapped,
    closed_port,
    opened,
    section,
    stream_peer,
    target,
)

TCP = section("t", "tcp")


async def test_what_waits_for_the_connection_goes_out_in_order_over_one() -> None:
    async with opened(TCP) as (pool, heard, _), stream_peer() as peer:
        flow = pool.flow("", target(peer.port, "tcp"))
        for number in range(5):
            flow.send(b"%d" % number)
        assert await peer.read(5) == b"01234"
        assert pool.flow("", target(peer.port, "tcp", name="other")) is flow
        flow.send(b"x")
        assert await peer.read(1) == b"x"
        assert len(peer.accepted) == 1
        assert flow.reliable
        assert heard.closings == []


async def test_messages_are_cut_from_the_stream_whatever_its_pieces() -> None:
    async with opened(TCP) as (pool, heard, _), stream_peer() as peer:
        flow = pool.flow("", target(peer.port, "tcp"))
        flow.send(MESSAGE)
        _, writer = await peer.connection()
        stream = ANSWER + b"\r\n" + ANSWER
        for index in range(len(stream)):
            writer.write(stream[index : index + 1])
            await writer.drain()
        await heard.until(lambda: len(heard.messages) == 2)
        assert [data for data, _ in heard.messages] == [ANSWER, ANSWER]
        assert heard.messages[0][1].port == peer.port


async def test_contact_names_the_listening_port() -> None:
    async with opened(TCP) as (pool, heard, _), stream_peer() as peer:
        flow = pool.flow("", target(peer.port, "tcp"))
        flow.send(MESSAGE)
        _, writer = await peer.connection()
        assert writer.get_extra_info("peername")[1] != flow.contact.port
        reader, other = await asyncio.open_connection(*flow.contact)
        other.write(MESSAGE + b"\r\n\r\n")
        await heard.until(lambda: bool(heard.messages))
        heard.messages[0][1].reply(ANSWER)
        assert sorted((await reader.readexactly(len(ANSWER) + 2)).splitlines()) == sorted(
            (ANSWER + b"\r\n").splitlines()
        )
        other.close()


async def test_a_refused_connection_was_never_established() -> None:
    async with opened(TCP) as (pool, heard, _):
        flow = pool.flow("", target(closed_port(socket.SOCK_STREAM), "tcp"))
        flow.send(MESSAGE)
        assert heard.closings == []
        await heard.until(lambda: bool(heard.closings))
        closed, why, established = heard.closings[0]
        assert (closed, established) == (flow, False)
        assert "refused" in why.lower()
        flow.send(MESSAGE)
        await heard.until(lambda: len(heard.closings) == 2)


async def test_a_lost_connection_is_told_once_and_made_anew() -> None:
    async with opened(TCP) as (pool, heard, _), stream_peer() as peer:
        flow = pool.flow("", target(peer.port, "tcp"))
        flow.send(b"1")
        assert await peer.read(1) == b"1"
        peer.accepted[0][1].close()
        await heard.until(lambda: bool(heard.closings))
        assert heard.closings[0][0] is flow
        assert heard.closings[0][2] is True
        flow.send(b"2")
        assert await peer.read(1, 1) == b"2"
        assert len(heard.closings) == 1


async def test_a_reset_closes_silently_and_the_next_message_connects_again() -> None:
    async with opened(TCP) as (pool, heard, _), stream_peer() as peer:
        flow = pool.flow("", target(peer.port, "tcp"))
        flow.send(b"1")
        assert await peer.read(1) == b"1"
        flow.reset()
        flow.send(b"2")
        assert await peer.read(1, 1) == b"2"
        assert heard.closings == []


async def test_a_reset_while_connecting_drops_what_waits() -> None:
    async with opened(TCP) as (pool, heard, _), stream_peer() as peer:
        flow = pool.flow("", target(peer.port, "tcp"))
        flow.send(b"lost")
        flow.reset()
        flow.send(b"kept")
        await peer.connection()
        arrived = b""
        async with asyncio.timeout(60):
            while not arrived:
                for reader, _ in tuple(peer.accepted):
                    arrived += await reader.read(10)
                await asyncio.sleep(0)
        assert arrived == b"kept"
        assert heard.closings == []


async def test_a_stream_that_is_no_sip_is_closed() -> None:
    async with opened(TCP) as (pool, heard, _), stream_peer() as peer:
        flow = pool.flow("", target(peer.port, "tcp"))
        flow.send(b"1")
        _, writer = await peer.connection()
        writer.write(ANSWER + b"HTTP/1.1 200 OK\r\nthis is no telephone\r\n\r\n")
        await heard.until(lambda: bool(heard.closings))
        assert [data for data, _ in heard.messages] == [ANSWER]
        assert "not understood" in heard.closings[0][1]


async def test_keep_alives_come_on_one_clock_and_pongs_are_swallowed() -> None:
    async with (
        opened(TCP, section("u"), keep_alive_s=0.05) as (pool, heard, _),
        stream_peer() as one,
        stream_peer() as two,
    ):
        for peer in (one, two):
            pool.flow("", target(peer.port, "tcp")).send(b"1")
            assert await peer.read(1 + 8) == b"1" + b"\r\n" * 4
            (await peer.connection())[1].write(b"\r\n\r\n\r\n" + ANSWER)
        await heard.until(lambda: len(heard.messages) == 2)
        assert [data for data, _ in heard.messages] == [ANSWER, ANSWER]


async def test_no_keep_alives_without_an_interval() -> None:
    async with opened(TCP, keep_alive_s=0.05) as (pool, _, _), stream_peer() as peer:
        flow = pool.flow("", target(peer.port, "tcp"))
        flow.send(b"1")
        assert await peer.read(5) == b"1\r\n\r\n"
        await pool.reopen([TCP], keep_alive_s=0)
        flow.send(b"2")
        reader, _ = await peer.connection()
        assert (await reader.readuntil(b"2")).strip(b"\r\n") == b"2"
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await reader.read(1)


async def test_the_tap_sees_whole_messages_with_the_connections_own_port() -> None:
    tap = Tapped()
    async with opened(TCP, tap=tap) as (pool, heard, _), stream_peer() as peer:
        pool.flow("", target(peer.port, "tcp")).send(MESSAGE)
        _, writer = await peer.connection()
        writer.write(b"\r\n" + ANSWER)
        await heard.until(lambda: bool(heard.messages))
        ours = writer.get_extra_info("peername")
        assert [(row[0], row[1], row[3]) for row in tap.seen] == [
            ("sent", MESSAGE, ours),
            ("received", ANSWER, ours),
        ]


async def test_prune_closes_what_nobody_needs() -> None:
    async with opened(TCP) as (pool, heard, _), stream_peer() as one, stream_peer() as two:
        flows = [pool.flow("", target(peer.port, "tcp")) for peer in (one, two)]
        for flow, peer in zip(flows, (one, two), strict=True):
            flow.send(b"1")
            await peer.read(1)
        pool.prune([flows[0]])
        reader, _ = await two.connection()
        assert await reader.read() == b""
        flows[0].send(b"2")
        assert await one.read(1) == b"2"
        assert heard.closings == []


async def test_a_closed_transport_takes_nothing() -> None:
    async with opened(TCP) as (pool, _, _), stream_peer() as peer:
        flow = pool.flow("", target(peer.port, "tcp"))
        await pool.reopen([])
        with pytest.raises(TransportError, match="closed"):
            flow.send(MESSAGE)
