"""What the service manager is told."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from pjreg_cli.instance.supervisor import Supervisor
from tests.support.clock import run_virtually


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    """Somebody who listens."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as made:
        made.bind(str(tmp_path / "notify"))
        made.setblocking(False)
        yield made


def told(manager: socket.socket) -> list[str]:
    """Everything said since."""
    found = []
    while True:
        try:
            found.append(manager.recv(4096).decode())
        except BlockingIOError:
            return found


def environ(manager: socket.socket, **more: str) -> dict[str, str]:
    return {"NOTIFY_SOCKET": manager.getsockname(), **more}


def test_up_reloading_stopping(manager: socket.socket) -> None:
    async def main() -> None:
        supervisor = Supervisor(environ(manager), lambda: "2 Registered")
        supervisor.ready()
        assert told(manager) == ["READY=1\nSTATUS=2 Registered"]
        supervisor.reloading()
        (word,) = told(manager)
        first, second = word.splitlines()
        assert first == "RELOADING=1"
        assert int(second.removeprefix("MONOTONIC_USEC=")) > 0
        supervisor.ready()
        supervisor.stopping()
        assert told(manager) == ["READY=1\nSTATUS=2 Registered", "STOPPING=1\nSTATUS=stopping"]
        supervisor.close()
        supervisor.stopping()
        assert told(manager) == []

    run_virtually(main())


@pytest.mark.parametrize(
    ("more", "fed"),
    [
        ({"WATCHDOG_USEC": "2000000"}, True),
        ({"WATCHDOG_USEC": "2000000", "WATCHDOG_PID": str(os.getpid())}, True),
        ({"WATCHDOG_USEC": "2000000", "WATCHDOG_PID": "1"}, False),
        ({"WATCHDOG_USEC": "soon"}, False),
        ({"WATCHDOG_USEC": "0"}, False),
        ({}, False),
    ],
)
def test_the_watchdog_is_fed_twice_as_often_as_it_wants(
    manager: socket.socket, more: dict[str, str], fed: bool
) -> None:
    async def main() -> None:
        supervisor = Supervisor(environ(manager, **more), lambda: "same")
        supervisor.ready()
        told(manager)
        await asyncio.sleep(9.5)
        found = told(manager)
        assert found.count("WATCHDOG=1") == (9 if fed else 0)
        supervisor.close()

    run_virtually(main())


@pytest.mark.parametrize("address", ["", "nowhere", "/nonexistent/socket", "@pjreg-nobody"])
def test_nobody_to_tell_is_no_matter(address: str) -> None:
    async def main() -> None:
        supervisor = Supervisor({"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "1000"}, lambda: "x")
        supervisor.ready()
        supervisor.reloading()
        supervisor.stopping()
        supervisor.close()

    run_virtually(main())
