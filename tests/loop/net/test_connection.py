"""One connection, its other side scripted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from pjreg_cli.errors import TransportError
from pjreg_cli.incoming import Admission
from pjreg_cli.net.connection import PONG_S, Connection
from pjreg_cli.net.turns import Turns
from tests.loop.net.support import ANSWER, Heard, Tapped
from tests.support.clock import run_virtually


class Wire(asyncio.Transport):
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        super().__init__({"peername": ("192.0.2.7", 5060), "sockname": ("192.0.2.1", 40_000)})
        self.written = b""
        self.backlog = 0
        self.aborted = False
        self.paused = False

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False

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
        turns=Turns(),
        lost=lambda _, why: lost.append(why),
        admission=Admission("192.0.2.7", lambda _: None) if came_in else None,
    )
    wire = Wire()
    connection.connection_made(wire)
    return connection, wire, heard, lost


async def turns_until(reached: Callable[[], object]) -> None:
    """Let the loop turn until this holds: work is put off when a turn has taken its time, which is
    the processor's to say."""
    while not reached():  # noqa: ASYNC110 -- turns are what is waited for
        await asyncio.sleep(0)


async def test_pings_of_those_who_connect_to_us_are_answered() -> None:
    connection, wire, heard, _ = connected(came_in=True)
    connection.data_received(b"\r\n\r\n")
    await turns_until(lambda: wire.written)
    connection.data_received(ANSWER)
    await turns_until(lambda: heard.messages)
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


async def test_strangers_who_talk_rubbish_lose_their_connection() -> None:
    connection, wire, heard, lost = connected(came_in=True)
    heard.understands = lambda _data: False
    connection.data_received(ANSWER * 100)
    await turns_until(lambda: wire.aborted)
    assert len(heard.messages) == 3
    connection.connection_lost(None)
    assert len(lost) == 1
    assert "of no use" in lost[0]


async def test_a_registrar_is_forgiven_a_few_bad_messages() -> None:
    connection, wire, heard, _ = connected()
    heard.understands = lambda _data: len(heard.messages) % 10 == 0
    connection.data_received(ANSWER * 100)
    await turns_until(lambda: len(heard.messages) >= 100)
    assert not wire.aborted
    heard.understands = lambda _data: False
    connection.data_received(ANSWER * 100)
    await turns_until(lambda: wire.aborted)
    assert len(heard.messages) < 120


async def test_all_that_came_before_the_end_is_handled_before_the_end_is_told() -> None:
    connection, _, heard, lost = connected()
    connection.data_received(ANSWER * 200)
    connection.connection_lost(None)
    seen_when_told = -1
    while not lost:
        seen_when_told = len(heard.messages)
        await asyncio.sleep(0)
    assert len(heard.messages) == 200
    assert seen_when_told <= 200


async def test_more_than_can_be_handled_is_not_read() -> None:
    connection, wire, heard, _ = connected()
    slow = 0.002

    def slowly(_data: bytes) -> bool:
        ends_at = asyncio.get_running_loop().time() + slow
        while asyncio.get_running_loop().time() < ends_at:
            pass
        return True

    heard.understands = slowly
    for _ in range(10):
        connection.data_received(ANSWER * 1000)
    assert wire.paused
    slow = 0.0
    await turns_until(lambda: not wire.paused)
    assert len(heard.messages) == 10_000


def test_who_has_answered_a_keep_alive_must_answer_the_next() -> None:
    async def main() -> None:
        connection, wire, _, lost = connected()
        connection.ping()
        await asyncio.sleep(PONG_S + 1)
        assert lost == [], "it never has"
        connection.ping()
        connection.data_received(b"\r\n")
        await asyncio.sleep(PONG_S + 1)
        assert (lost, connection.ponged) == ([], True)
        connection.ping()
        await asyncio.sleep(1)
        connection.data_received(ANSWER)
        await asyncio.sleep(PONG_S + 1)
        assert lost == [], "anything that is heard counts"
        connection.ping()
        await asyncio.sleep(PONG_S + 1)
        assert wire.aborted
        assert len(lost) == 1

    run_virtually(main())


def test_keep_alives_of_the_other_side_are_no_answers() -> None:
    async def main() -> None:
        connection, _, _, lost = connected()
        connection.ping()
        connection.data_received(b"\r\n\r\n")
        assert not connection.ponged
        await asyncio.sleep(PONG_S + 1)
        connection.ping()
        await asyncio.sleep(PONG_S + 1)
        assert lost == []

    run_virtually(main())
