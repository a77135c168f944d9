"""A reload never takes away what runs for something that cannot be had."""

from __future__ import annotations

import socket

import pytest

from pjreg_cli.config.models import Transport
from tests.loop.net.support import closed_port, opened, section, target


@pytest.mark.parametrize("protocol", ["udp", "tcp"])
async def test_a_transport_goes_on_when_its_new_form_cannot_be_opened(protocol: str) -> None:
    async with opened(section("a", protocol, allow_reload=True)) as (pool, heard, _):
        flow = pool.flow("", target(5060, protocol))
        contact = flow.contact
        elsewhere = section("a", protocol, host="192.0.2.1", allow_reload=True)
        result = await pool.reopen([elsewhere])
        assert "no address of this host" in str(result.failed["a"])
        assert "what was before goes on" in str(result.failed["a"])
        assert (result.changed, result.removed) == ((), ())
        assert pool.flow("", target(5060, protocol)).contact == contact
        assert heard.closings == []
        # and again, once it can be had
        assert (await pool.reopen([section("a", protocol, allow_reload=True)])).failed == {}


async def test_two_transports_may_swap_their_ports_or_neither_does() -> None:
    one, two = closed_port(), closed_port()

    def sections(first: int, second: int, host: str = "127.0.0.1") -> list[Transport]:
        ports = {"a": (first, "127.0.0.1"), "b": (second, host)}
        return [
            section(name, port=port, host=at, allow_reload=True)
            for name, (port, at) in ports.items()
        ]

    async with opened(*sections(one, two)) as (pool, _, failed):
        assert failed == {}

        def ports() -> list[int]:
            return [pool.flow(name, target(5060)).contact.port for name in ("a", "b")]

        result = await pool.reopen(sections(two, one))
        assert (result.failed, result.changed) == ({}, ("a", "b"))
        assert ports() == [two, one]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as blocker:
            blocker.bind(("127.0.0.1", 0))
            taken = blocker.getsockname()[1]
            result = await pool.reopen(sections(taken, one))
            assert "already in use" in str(result.failed["a"])
            assert ports() == [two, one]
        assert "b" in (await pool.reopen(sections(two, one, "192.0.2.1"))).failed
        assert ports() == [two, one]
