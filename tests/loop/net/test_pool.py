"""Choosing, opening and reopening transports; what they call themselves."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import sys

import pytest

from pjreg_cli.errors import TransportError
from pjreg_cli.net import sockets
from pjreg_cli.sip.address import Address
from pjreg_cli.sip.locate import Target, TransportKind, TransportKinds
from tests.loop.net.support import (
    MESSAGE,
    closed_port,
    datagram,
    opened,
    resolver,
    section,
    stream_peer,
    target,
    udp_peer,
)
from tests.support.clock import run_virtually
from tests.support.nameserver import nameserver


async def test_the_first_of_the_right_kind_in_the_file_is_taken() -> None:
    sections = (
        section("zulu"), section("able"), section("six", host="::1"), section("tcp", "tcp"),
        section("ws", "ws"),
    )  # fmt: skip
    async with opened(*sections) as (pool, _, failed):
        assert failed == {}
        assert pool.opened() == ("zulu", "able", "six", "tcp", "ws")
        assert pool.flow("", target(5060)).transport == "zulu"
        assert pool.flow("ghost", target(5060)).transport == "zulu"
        assert pool.flow("able", target(5060)).transport == "able"
        assert pool.flow("", target(5060, host="::1")).transport == "six"
        assert pool.flow("", target(5060, "tcp")).transport == "tcp"
        assert pool.flow("", target(5060)) is pool.flow("", target(5060))
        kinds = frozenset(
            {TransportKind("udp", 4), TransportKind("udp", 6), TransportKind("tcp", 4)}
        )
        assert pool.kinds() == pool.kinds("ghost") == TransportKinds(kinds)
        assert pool.kinds("six") == TransportKinds(frozenset({TransportKind("udp", 6)}), "udp")
        assert pool.kinds("ws") == TransportKinds(frozenset(), "ws")


@pytest.mark.parametrize(
    ("name", "to", "words"),
    [
        ("", target(5060, "tls"), "no transport for tls over IPv4"),
        ("", target(5060, host="::1"), "no transport for udp over IPv6"),
        ("udp", target(5060, "tcp"), "transport udp does not lead to tcp:127.0.0.1:5060"),
    ],
)
async def test_a_target_nobody_leads_to(name: str, to: Target, words: str) -> None:
    async with opened(section("udp"), section("tcp", "tcp")) as (pool, _, _):
        with pytest.raises(TransportError, match=words):
            pool.flow(name, to)


@pytest.mark.parametrize("protocol", ["udp", "tcp", "tls"])
async def test_a_port_in_use_is_told_in_one_line(protocol: str) -> None:
    async with opened(section("a", protocol)) as (pool, _, _):
        port = pool.flow("", target(5060, protocol)).contact.port
        async with opened(section("b", protocol, port=port)) as (_, _, failed):
            assert failed["b"].in_use
            assert f"{protocol} 127.0.0.1:{port} is already in use" in str(failed["b"])


async def test_an_address_of_somebody_else_is_told() -> None:
    async with opened(section("a", host="192.0.2.1")) as (pool, _, failed):
        assert "192.0.2.1:0 is no address of this host" in str(failed["a"])
        assert not failed["a"].in_use
        assert pool.opened() == ()


@pytest.mark.parametrize("protocol", ["udp", "tcp"])
@pytest.mark.parametrize(("bound", "there"), [("0.0.0.0", "127.0.0.1"), ("::", "::1")])
async def test_bound_to_all_the_routed_address_is_named(
    protocol: str, bound: str, there: str
) -> None:
    async with opened(section("a", protocol, host=bound)) as (pool, _, _):
        flow = pool.flow("", target(5060, protocol, host=there))
        assert flow.contact.host == flow.sent_by.host == there
        assert flow.contact.port > 0


async def readable(peer: socket.socket) -> None:
    """Wait until something can be read."""
    loop, arrived = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(peer, arrived.set)
    async with asyncio.timeout(60):
        await arrived.wait()
    loop.remove_reader(peer)


LOCAL = (ipaddress.ip_network("127.0.0.0/8"),)
ELSEWHERE = (ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("2001:db8::/32"))


async def test_the_external_address_is_named_outside_the_local_nets() -> None:
    external = "192.0.2.9"
    sections = (
        section("plain", external_signaling_address=external),
        section("port", external_signaling_address=external, external_signaling_port=15060),
        section("far", external_signaling_address=external, local_net=ELSEWHERE),
        section("near", external_signaling_address=external, local_net=LOCAL),
        section("only", external_signaling_port=15060),
    )
    async with opened(*sections) as (pool, _, _):
        flows = {name: pool.flow(name, target(5060)) for name in pool.opened()}
        for flow in flows.values():
            assert flow.contact == flow.sent_by
        assert flows["plain"].contact.host == external
        assert flows["plain"].contact.port not in (0, 15060)
        assert flows["port"].contact == Address(external, 15060)
        assert flows["far"].contact.host == external
        assert flows["near"].contact.host == "127.0.0.1"
        assert flows["only"].contact.host == "127.0.0.1"
        assert flows["only"].contact.port != 15060


async def test_requests_leave_from_the_same_socket_whatever_the_external_address() -> None:
    behind = section("a", external_signaling_address="192.0.2.9", external_signaling_port=9)
    async with opened(behind) as (pool, heard, _), udp_peer() as peer:
        flow = pool.flow("", target(peer.getsockname()[1]))
        flow.send(MESSAGE)
        _, source = await datagram(peer)
        peer.sendto(b"x", source)
        await heard.until(lambda: bool(heard.messages))


async def test_an_external_host_name_is_looked_up() -> None:
    async with nameserver({"nat.example.com": {"A": ["192.0.2.77"]}}) as server:
        options = {"external_signaling_address": "nat.example.com"}
        dns = resolver(server.port)
        async with opened(section("a", **options), dns=dns) as (pool, _, _):
            assert pool.flow("", target(5060)).contact.host == "192.0.2.77"


async def test_nothing_private_is_told_while_the_external_name_has_no_address() -> None:
    zone: dict[str, dict[str, list[str]]] = {"example.com": {}}
    behind = section("a", external_signaling_address="nat.example.com", local_net=ELSEWHERE)
    async with (
        nameserver(zone) as server,
        opened(behind, dns=resolver(server.port)) as (pool, heard, _),
    ):
        flow = pool.flow("", target(5060))
        with pytest.raises(TransportError, match=r"nat\.example\.com has no address yet"):
            _ = flow.contact
        with pytest.raises(TransportError, match=r"nat\.example\.com has no address yet"):
            _ = flow.sent_by
        zone["nat.example.com"] = {"A": ["192.0.2.77"]}
        await heard.until(lambda: heard.reached > 0)
        assert flow.contact.host == "192.0.2.77"


def test_a_change_of_the_external_name_is_told_whatever_its_time_to_live() -> None:
    async def main() -> None:
        zone = {"nat.example.com": {"A": ["192.0.2.77"]}}
        options = {"external_signaling_address": "nat.example.com"}
        clock = asyncio.get_running_loop().time
        async with (
            nameserver(zone, ttl=86_400) as server,
            opened(section("a", **options), dns=resolver(server.port)) as (pool, heard, _),
        ):
            flow = pool.flow("", target(5060))
            assert flow.contact.host == "192.0.2.77"
            await asyncio.sleep(100)
            assert heard.closings == []
            zone["nat.example.com"]["A"] = ["192.0.2.78"]
            changed_at = clock()
            await heard.until(lambda: bool(heard.closings))
            assert clock() - changed_at <= 10
            assert [(one, there) for one, _, there in heard.closings] == [(flow, True)]
            assert "192.0.2.78" in heard.closings[0][1]
            # that nobody answers any more changes nothing
            server.mood = "silent"
            await asyncio.sleep(100)
            assert flow.contact.host == "192.0.2.78"
            assert len(heard.closings) == 1

    run_virtually(main())


async def test_nothing_stands_in_for_a_secure_transport_that_failed() -> None:
    broken = section("secure", "tls", ca_list_file="/nothing.pem")
    async with opened(section("udp"), broken) as (pool, _, failed):
        assert "secure" in failed
        kinds = pool.kinds("secure")
        assert (kinds.offered, kinds.forced) == (frozenset(), "tls")
        assert "/nothing.pem" in kinds.lacking("tls")
        assert pool.kinds().offered == frozenset({TransportKind("udp", 4)})
        assert "/nothing.pem" in pool.kinds().lacking("tls")
        with pytest.raises(TransportError, match=r"/nothing\.pem"):
            pool.flow("secure", target(5060))
        await pool.reopen([section("udp"), section("secure", "tls")])
        assert pool.kinds("secure").offered == frozenset({TransportKind("tls", 4)})


async def test_a_reload_leaves_alone_what_has_not_changed() -> None:
    same, tcp = section("same"), section("tcp", "tcp")
    async with (
        opened(same, tcp, section("gone")) as (pool, heard, _),
        stream_peer() as peer,
    ):
        udp, flow = pool.flow("same", target(5060)), pool.flow("", target(peer.port, "tcp"))
        flow.send(b"1")
        assert await peer.read(1) == b"1"
        moved = section("same")
        object.__setattr__(moved, "source", "pjsip.conf:99")
        result = await pool.reopen([section("new"), moved, tcp])
        assert (result.added, result.removed, result.changed) == (("new",), ("gone",), ())
        assert result.failed == {}
        assert pool.opened() == ("new", "same", "tcp")
        assert pool.flow("same", target(5060)) is udp
        assert pool.flow("", target(5060)).transport == "new"
        pool.flow("", target(peer.port, "tcp")).send(b"2")
        assert await peer.read(1) == b"2"
        assert heard.closings == []


async def test_a_changed_section_waits_for_a_restart_unless_it_allows_a_reload() -> None:
    async with opened(section("a", allow_reload=True), section("b")) as (pool, _, _):
        ports = {name: pool.flow(name, target(5060)).contact.port for name in ("a", "b")}
        result = await pool.reopen(
            [section("a", allow_reload=True, external_signaling_port=1), section("b", tos=8)]
        )
        assert (result.changed, result.kept) == (("a",), ("b",))
        assert pool.flow("a", target(5060)).contact.port != ports["a"]
        assert pool.flow("b", target(5060)).contact.port == ports["b"]


async def test_connections_that_a_reload_cuts_are_told_as_lost() -> None:
    async with opened(section("a", "tcp")) as (pool, heard, _), stream_peer() as peer:
        flow = pool.flow("", target(peer.port, "tcp"))
        flow.send(b"1")
        assert await peer.read(1) == b"1"
        await pool.reopen([])
        assert [(one, established) for one, _, established in heard.closings] == [(flow, True)]


async def test_a_port_may_pass_from_one_section_to_another() -> None:
    async with opened(section("a")) as (pool, _, _):
        port = pool.flow("", target(5060)).contact.port
        result = await pool.reopen([section("b", port=port)])
        assert result.failed == {}
        assert pool.flow("", target(5060)).contact.port == port


async def test_what_failed_is_tried_again_at_the_next_reload() -> None:
    port = closed_port()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as blocker:
        blocker.bind(("127.0.0.1", port))
        async with opened(section("a", port=port)) as (pool, _, failed):
            assert failed["a"].in_use
            blocker.close()
            result = await pool.reopen([section("a", port=port)])
            assert (result.failed, result.added) == ({}, ("a",))


@pytest.mark.parametrize(
    ("host", "ask", "level", "kind"),
    [
        ("127.0.0.1", socket.IP_RECVTOS, socket.IPPROTO_IP, socket.IP_TOS),
        ("::1", socket.IPV6_RECVTCLASS, socket.IPPROTO_IPV6, socket.IPV6_TCLASS),
    ],
)
async def test_datagrams_keep_their_class_of_service_and_port(
    host: str, ask: int, level: int, kind: int
) -> None:
    port = closed_port(host=host)
    marked = section("a", host=host, port=port, tos=0x68, cos=3)
    async with opened(marked) as (pool, _, failed), udp_peer(host) as peer:
        assert failed == {}
        peer.setsockopt(level, ask, 1)
        for _ in range(2):
            pool.flow("", target(peer.getsockname()[1], host=host)).send(MESSAGE)
            await readable(peer)
            _, ancillary, _, source = peer.recvmsg(65_535, 64)
            assert source[1] == port
            said = [data for one, other, data in ancillary if (one, other) == (level, kind)]
            assert int.from_bytes(said[0], sys.byteorder) == 0x68
            await pool.reopen([marked])


@pytest.mark.parametrize(
    ("host", "level", "kind"),
    [
        ("127.0.0.1", socket.IPPROTO_IP, socket.IP_TOS),
        ("::1", socket.IPPROTO_IPV6, socket.IPV6_TCLASS),
    ],
)
def test_connections_are_marked_as_the_section_says(host: str, level: int, kind: int) -> None:
    options = section("a", "tcp", host=host, tos=0x68)
    for made in (sockets.outgoing(options, host), sockets.bound(options)):
        with made:
            assert made.getsockopt(level, kind) == 0x68


@pytest.mark.parametrize("keep_alive_s", [0, 90])
def test_strangers_who_are_silent_are_sent_away(keep_alive_s: float) -> None:
    """Whatever keep-alives there are: 30 s without a word, 10 min after one of use."""

    async def main() -> None:
        clock = asyncio.get_running_loop().time
        port = closed_port(socket.SOCK_STREAM)
        tcp = section("tcp", "tcp", port=port)
        async with opened(tcp, keep_alive_s=keep_alive_s) as (pool, heard, _):
            silent, _writer = await asyncio.open_connection("127.0.0.1", port)
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            began_at = clock()
            writer.write(MESSAGE)
            await heard.until(lambda: bool(heard.messages))
            await silent.read(1_000)
            while await silent.read(1_000):
                pass
            assert 30 <= clock() - began_at <= 45
            assert pool.counters["idle"] == 1
            while await reader.read(1_000):
                pass
            assert 600 <= clock() - began_at <= 615
            assert pool.counters["idle"] == 2
            for one in (_writer, writer):
                one.close()

    run_virtually(main())
