"""Sockets made as a section wants them."""

from __future__ import annotations

import socket

import pytest

from pjreg_cli.config.models import Transport
from pjreg_cli.errors import TransportError
from pjreg_cli.net import sockets


def section(
    protocol: str = "udp", host: str = "127.0.0.1", port: int = 0, tos: int = 0
) -> Transport:
    return Transport(name="a", source="", protocol=protocol, host=host, port=port, tos=tos)


def test_udp_has_a_big_buffer_and_the_service_class() -> None:
    with sockets.bound(section(tos=0xB8)) as made:
        assert made.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) > 200_000
        assert made.getsockopt(socket.IPPROTO_IP, socket.IP_TOS) == 0xB8
        assert not made.getblocking()


@pytest.mark.parametrize("protocol", ["udp", "tcp"])
def test_two_programs_cannot_share_a_port(protocol: str) -> None:
    with sockets.bound(section(protocol)) as made:
        port = sockets.address_of(made).port
        with pytest.raises(sockets.InUseError, match="already in use"):
            sockets.bound(section(protocol, port=port))


def test_ipv6_leaves_ipv4_to_others() -> None:
    with sockets.bound(section(host="::")) as made:
        port = sockets.address_of(made).port
        sockets.bound(section(host="0.0.0.0", port=port)).close()


def test_a_failed_bind_leaves_no_socket() -> None:
    with pytest.raises(TransportError, match=r"192\.0\.2\.1:0 is no address of this host"):
        sockets.bound(section(host="192.0.2.1"))


def test_an_outgoing_socket_leaves_from_the_bound_address_and_probes_when_asked() -> None:
    options = Transport(
        name="a", source="", protocol="tcp", host="127.0.0.1", port=0,
        tcp_keepalive_enable=True, tcp_keepalive_idle_time=7,
    )  # fmt: skip
    with sockets.outgoing(options, "127.0.0.2") as made:
        assert made.getsockname()[0] == "127.0.0.2"
        assert made.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert made.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 7


def test_a_message_does_not_wait_for_the_acknowledgement_of_the_one_before() -> None:
    def waits(made: socket.socket) -> bool:
        return not made.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)

    with sockets.bound(section("tcp")) as listening, sockets.outgoing(section("tcp"), "") as made:
        assert not waits(made)
        made.setblocking(True)
        made.connect(listening.getsockname())
        listening.setblocking(True)
        with listening.accept()[0] as accepted:
            assert not waits(accepted)
