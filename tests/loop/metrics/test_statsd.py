"""Gauges on the wire."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator

import pytest

from pjreg_cli.api.notices import StateDropped, StateMade
from pjreg_cli.config.models import StatsdSettings
from pjreg_cli.engine.tasks import spawn
from pjreg_cli.metrics import statsd
from tests.support.ami_port import Notices, settled
from tests.support.clock import run_virtually

COUNT = "PJSIP.registrations.count"
STATE = "PJSIP.registrations.state."


@pytest.fixture
def sink() -> Iterator[socket.socket]:
    """Somebody who listens."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.setblocking(False)
        yield sock


async def receive(sink: socket.socket) -> str:
    return (await asyncio.get_running_loop().sock_recv(sink, 2000)).decode()


async def received(sink: socket.socket, count: int) -> list[str]:
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(5):
        return [(await loop.sock_recv(sink, 2000)).decode() for _ in range(count)]


async def test_gauges_start_at_zero_and_follow(sink: socket.socket) -> None:
    notices = Notices()
    settings = StatsdSettings(enabled=True, port=sink.getsockname()[1])
    gauges = statsd.Statsd(settings, spawn=spawn)
    gauges.start(notices)
    notices.tell(StateMade("alice"))
    assert await received(sink, 6) == [
        f"{COUNT}:0|g",
        f"{STATE}Registered:0|g",
        f"{STATE}Unregistered:0|g",
        f"{STATE}Rejected:0|g",
        f"{COUNT}:+1|g",
        f"{STATE}Unregistered:+1|g",
    ]
    notices.tell(settled())
    notices.tell(StateDropped("alice", "Registered"))
    assert await received(sink, 6) == [
        f"{STATE}Unregistered:-1|g",
        f"{STATE}Registered:+1|g",
        f"{STATE}Registered:-1|g",
        f"{STATE}Unregistered:+1|g",
        f"{COUNT}:-1|g",
        f"{STATE}Unregistered:-1|g",
    ]
    gauges.close()
    assert notices.listeners == []


async def test_prefix_and_line_feed(sink: socket.socket) -> None:
    settings = StatsdSettings(
        enabled=True, port=sink.getsockname()[1], prefix="sip", add_newline=True
    )
    gauges = statsd.Statsd(settings, spawn=spawn)
    gauges.start(Notices())
    assert (await received(sink, 1))[0] == f"sip.{COUNT}:0|g\n"
    gauges.close()


async def test_server_that_is_not_found_is_told_where_the_gauges_stand_later(
    sink: socket.socket, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(statsd, "RETRY_S", 0.05)
    loop = asyncio.get_running_loop()
    real, failures = loop.getaddrinfo, iter([socket.gaierror(-2, "Name or service not known")])

    async def lookup(*args: object, **options: object) -> object:
        for failure in failures:
            raise failure
        return await real("127.0.0.1", sink.getsockname()[1], type=socket.SOCK_DGRAM)

    monkeypatch.setattr(loop, "getaddrinfo", lookup)
    notices = Notices()
    gauges = statsd.Statsd(StatsdSettings(enabled=True, server="statsd.test"), spawn=spawn)
    gauges.start(notices)
    for name in ("a", "b"):
        notices.tell(StateMade(name))
        notices.tell(settled(name))
    assert await received(sink, 4) == [
        f"{COUNT}:2|g",
        f"{STATE}Registered:2|g",
        f"{STATE}Unregistered:0|g",
        f"{STATE}Rejected:0|g",
    ]
    notices.tell(settled("a", "Rejected", old_word="Registered"))
    assert await received(sink, 2) == [f"{STATE}Registered:-1|g", f"{STATE}Rejected:+1|g"]
    assert "statsd server 'statsd.test' cannot be reached" in caplog.text
    gauges.close()


async def test_nobody_listening_is_no_matter() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    notices = Notices()
    gauges = statsd.Statsd(StatsdSettings(enabled=True, port=port), spawn=spawn)
    gauges.start(notices)
    for _ in range(20):
        notices.tell(StateMade("a"))
        await asyncio.sleep(0)
    gauges.close()
    notices.tell(StateMade("a"))


async def test_disabled_gauges_do_nothing() -> None:
    notices = Notices()
    gauges = statsd.Statsd(StatsdSettings(enabled=False), spawn=spawn)
    gauges.start(notices)
    notices.tell(StateMade("alice"))
    await asyncio.sleep(0)
    gauges.close()
    assert notices.listeners == []


def standing(made: int, registered: int) -> list[str]:
    """What is told of so many registrations, absolutely."""
    counts = (
        (COUNT, made), (STATE + "Registered", registered),
        (STATE + "Unregistered", made - registered), (STATE + "Rejected", 0),
    )  # fmt: skip
    return [f"{gauge}:{number}|g" for gauge, number in counts]


def test_values_that_were_lost_heal() -> None:
    async def main() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink:
            sink.bind(("127.0.0.1", 0))
            sink.setblocking(False)
            notices = Notices()
            settings = StatsdSettings(enabled=True, port=sink.getsockname()[1])
            gauges = statsd.Statsd(settings, spawn=spawn)
            gauges.start(notices)
            for name in ("a", "b"):
                notices.tell(StateMade(name))
                notices.tell(settled(name))
            await received(sink, 4 + 2 * 4)
            for _ in range(3):
                began_at = asyncio.get_running_loop().time()
                async with asyncio.timeout(2 * statsd.HEAL_S):
                    lines = [await receive(sink) for _ in range(4)]
                assert lines == standing(2, 2)
                assert asyncio.get_running_loop().time() - began_at <= statsd.HEAL_S + 0.1
            gauges.close()
            await asyncio.sleep(3 * statsd.HEAL_S)
            with pytest.raises(BlockingIOError):
                sink.recv(2000)

    run_virtually(main())


async def test_other_settings_lead_to_another_server(sink: socket.socket) -> None:
    port = sink.getsockname()[1]
    notices = Notices()
    gauges = statsd.Statsd(StatsdSettings(enabled=False), spawn=spawn)
    gauges.start(notices)
    notices.tell(StateMade("a"))
    notices.tell(settled("a"))
    gauges.reconfigure(StatsdSettings(enabled=True, port=port, prefix="new"))
    assert await received(sink, 4) == [f"new.{line}" for line in standing(1, 1)]
    gauges.reconfigure(StatsdSettings(enabled=False, port=port))
    notices.tell(StateMade("b"))
    gauges.reconfigure(StatsdSettings(enabled=True, port=port))
    assert await received(sink, 4) == standing(2, 1)
    gauges.close()
