"""One connection, its other side scripted."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from pjreg_cli.errors import TransportError
from pjreg_cli.net.connection import Connection
from tests.loop.net.support import ANSWER, Heard, Tapped


class Wire(asyncio.Transport):
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        super().__init__({"peername": ("192.0.2.7", 5060), "sockname": ("192.0.2.1", 40_000)})
        self.written = b""
        self.backlog = 0
        self.aborted = False

    def write(self, data: Any) -> None:
        self.written += data

    def get_write_buffer_size(self) -> int:
        return self.backlog

    def is_closing(self) -> bool:
        return self.aborted

    def abort(self) -> None:
        self.aborted = True


def connected(came_in: bool = False) -> tuple[Connection, Wire, Heard, list[str]]:
    heard, lost, tap = Heard(), list[str](), Tapped()
    connection = Connection(
        "a",
        "tcp",
        listener=heard,
        tap=tap,
        lost=lambda _, why: lost.append(why),
        came_in=(lambda _: True) if came_in else None,
    )
    wire = Wire()
    connection.connection_made(wire)
    return connection, wire, heard, lost


async def test_pings_of_those_who_connect_to_us_are_answered() -> None:
    connection, wire, heard, _ = connected(came_in=True)
    connection.data_received(b"\r\n\r\n")
    assert wire.written == b"\r\n"
    connection.data_received(ANSWER)
    assert wire.written == b"\r\n"
    assert [data for data, _ in heard.messages] == [ANSWER]


async def test_on_our_own_connections_pongs_are_never_answered() -> None:
    connection, wire, _, _ = connected()
    for _ in range(4):
        connection.data_received(b"\r\n")
    assert wire.written == b""


async def test_a_peer_that_does_not_read_is_an_error_not_a_leak() -> None:
    connection, wire, _, _ = connected()
    wire.backlog = 32 * 1024 * 1024
    with pytest.raises(TransportError, match="does not read"):
        connection.write(b"x")
    connection.reply(b"x", ())
    assert wire.written == b""


async def test_a_closed_connection_says_nothing_more() -> None:
    connection, wire, _, lost = connected()
    connection.close()
    connection.ping()
    connection.connection_lost(None)
    with pytest.raises(TransportError, match="closed"):
        connection.write(b"x")
    assert (wire.written, lost) == (b"", [])


async def test_the_end_is_told_once_with_its_reason() -> None:
    connection, _, _, lost = connected()
    connection.connection_lost(ConnectionResetError(104, "Connection reset by peer"))
    connection.connection_lost(None)
    assert len(lost) == 1
    assert "reset by peer" in lost[0]
