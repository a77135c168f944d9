"""UDP over real sockets."""

from __future__ import annotations

import socket

import pytest

from pjreg_cli.errors import TransportError
from pjreg_cli.sip.address import Address
from tests.loop.net.support import (
    ANSWER,
    MESSAGE,
    Tapped,
    closed_port,
    datagram,
    opened,
    section,
    target,
    udp_peer,
)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_a_message_goes_out_and_its_answer_comes_in(host: str) -> None:
    async with opened(section("a", host=host)) as (pool, heard, failed), udp_peer(host) as peer:
        assert failed == {}
        flow = pool.flow("", target(peer.getsockname()[1], host=host))
        flow.send(MESSAGE)
        data, source = await datagram(peer)
        assert data == MESSAGE
        assert source[:2] == flow.contact == flow.sent_by
        peer.sendto(ANSWER, source)
        await heard.until(lambda: bool(heard.messages))
        received, back = heard.messages[0]
        assert (received, back.host, back.port) == (ANSWER, host, peer.getsockname()[1])
        back.reply(b"x")
        assert (await datagram(peer))[0] == b"x"
        assert not flow.reliable


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_a_refusal_is_told_of_the_flow_it_concerns(host: str) -> None:
    async with opened(section("a", host=host)) as (pool, heard, _), udp_peer(host) as peer:
        closed = pool.flow("", target(closed_port(host=host), host=host))
        alive = pool.flow("", target(peer.getsockname()[1], host=host))
        closed.send(MESSAGE)
        for _ in range(3):  # the pending error must not swallow what follows
            alive.send(MESSAGE)
        await heard.until(lambda: bool(heard.refusals))
        for _ in range(3):
            assert (await datagram(peer))[0] == MESSAGE
        assert set(heard.refusals) == {closed}
        closed.send(MESSAGE)
        await heard.until(lambda: len(heard.refusals) > 1)
        assert set(heard.refusals) == {closed}


async def test_many_refusals_at_once_are_told_once() -> None:
    async with opened(section("a")) as (pool, heard, _):
        closed = pool.flow("", target(closed_port()))
        for _ in range(100):
            closed.send(MESSAGE)
        await heard.until(lambda: bool(heard.refusals))
        assert heard.refusals == [closed]


async def test_a_thousand_answers_at_once_all_arrive() -> None:
    async with opened(section("a")) as (pool, heard, _), udp_peer() as peer:
        flow = pool.flow("", target(peer.getsockname()[1]))
        for number in range(1_000):
            peer.sendto(b"%d" % number, tuple(flow.contact))
        await heard.until(lambda: len(heard.messages) == 1_000)
        assert [int(data) for data, _ in heard.messages] == list(range(1_000))


async def test_more_than_the_socket_takes_waits_its_turn() -> None:
    async with opened(section("a")) as (pool, _, _), udp_peer() as peer:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 * 1024 * 1024)
        flow = pool.flow("", target(peer.getsockname()[1]))
        flow.send(b"first")
        assert (await datagram(peer))[0] == b"first"


async def test_what_no_datagram_can_hold_is_an_error() -> None:
    async with opened(section("a")) as (pool, _, _):
        with pytest.raises(TransportError, match="too long"):
            pool.flow("", target(5060)).send(b"x" * 70_000)


async def test_a_flow_of_a_closed_transport_raises() -> None:
    async with opened(section("a")) as (pool, _, _):
        flow = pool.flow("", target(5060))
        await pool.reopen([])
        with pytest.raises(TransportError):
            flow.send(MESSAGE)


async def test_the_tap_sees_both_directions_but_no_keep_alives() -> None:
    tap = Tapped()
    async with opened(section("a"), tap=tap) as (pool, heard, _), udp_peer() as peer:
        port = peer.getsockname()[1]
        flow = pool.flow("", target(port))
        flow.send(MESSAGE)
        _, source = await datagram(peer)
        peer.sendto(b"\r\n\r\n", source)
        peer.sendto(ANSWER, source)
        await heard.until(lambda: len(heard.messages) == 2)
        there = Address("127.0.0.1", port)
        assert tap.seen == [
            ("sent", MESSAGE, "udp", flow.contact, there),
            ("received", ANSWER, "udp", flow.contact, there),
        ]
