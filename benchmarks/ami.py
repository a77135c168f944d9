"""What AMI costs: a list of many registrations, and many sessions that see every change.

    python -m benchmarks.ami [--registrations 10000] [--sessions 200] [--changes 1000]

The server runs in this process with an instance that only pretends, so that what is measured is
AMI alone; the clients run in another process.  Three numbers matter:

* a list of 10,000 registrations is there within 0.3 s, and others are answered meanwhile;
* 1,000 changes in one second, told to 200 sessions, take less than a tenth of a core;
* no session misses an event.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import time
from collections.abc import Callable
from multiprocessing.connection import Connection

from pjreg_cli.ami.server import ManagerServer
from pjreg_cli.engine.tasks import spawn
from tests.support.ami_client import Client, settings
from tests.support.ami_port import FakeInstance, auth_view, settled, view

LIST_LIMIT_S = 0.3
SHARE_LIMIT = 0.1


def main() -> int:
    """Measure and print; 1 when a limit was missed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--registrations", type=int, default=10_000)
    parser.add_argument("--sessions", type=int, default=200)
    parser.add_argument("--changes", type=int, default=1_000)
    return asyncio.run(_measure(parser.parse_args()))


async def _measure(arguments: argparse.Namespace) -> int:
    names = [f"trunk{number:05}" for number in range(arguments.registrations)]
    fake = FakeInstance(*(view(name, auths=("a",)) for name in names), auths=(auth_view("a"),))
    server = ManagerServer(
        fake.port, settings(authlimit=1000), spawn=spawn, clock=time.perf_counter,
        wall_clock=time.time,
    )  # fmt: skip
    await server.start()
    port = server.addresses[0][1]
    listed = await _ask(_list_client, port, arguments.registrations)
    print(f"list of {arguments.registrations}: {listed[0]:.3f} s; longest ping: {listed[1]:.3f} s")
    share, lost = await _changes(server, fake, port, arguments.sessions, arguments.changes)
    print(f"{arguments.changes} changes in 1 s to {arguments.sessions} sessions:"
          f" {share:.1%} of a core, {lost} events lost")  # fmt: skip
    await server.close()
    return int(listed[0] > LIST_LIMIT_S or share > SHARE_LIMIT or lost > 0)


async def _ask(client: Callable[..., None], port: int, *arguments: int) -> tuple[float, ...]:
    """What a client in another process has to say."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(
        target=client,
        args=(theirs, port, *arguments),
    )
    process.start()
    answer: tuple[float, ...] = await asyncio.to_thread(ours.recv)
    await asyncio.to_thread(process.join)
    return answer


async def _changes(
    server: ManagerServer, fake: FakeInstance, port: int, sessions: int, changes: int
) -> tuple[float, int]:
    """The share of a core that a second of changes takes, and how many events were lost."""
    counting = asyncio.ensure_future(_ask(_event_clients, port, sessions, changes))
    while len(server.sessions()) < sessions:  # noqa: ASYNC110 -- another process logs in
        await asyncio.sleep(0.05)
    await asyncio.sleep(0.5)
    steps = 100
    idle = time.process_time()
    await asyncio.sleep(1)
    idle = time.process_time() - idle
    before, began = time.process_time(), time.perf_counter()
    for step in range(steps):
        for number in range(step * changes // steps, (step + 1) * changes // steps):
            fake.notices.tell(settled(f"trunk{number:05}"))
        await asyncio.sleep(max(0, began + (step + 1) / steps - time.perf_counter()))
    used = time.process_time() - before - idle
    (received,) = await counting
    return used, sessions * changes - int(received)


def _list_client(pipe: Connection, port: int, expected: int) -> None:
    pipe.send(asyncio.run(_list(port, expected)))


async def _list(port: int, expected: int) -> tuple[float, float]:
    client, other = await Client.connect(port), await Client.connect(port)
    await client.login()
    await other.login()
    longest = 0.0
    done = asyncio.Event()

    async def ping() -> None:
        nonlocal longest
        while not done.is_set():
            began = time.perf_counter()
            await other.ask("Ping")
            longest = max(longest, time.perf_counter() - began)

    pinging = asyncio.ensure_future(ping())
    began = time.perf_counter()
    client.send(("Action", "PJSIPShowRegistrationsOutbound"))
    text = await client.raw(b"", f"Registered: {expected}\r\nNotRegistered: 0\r\n\r\n".encode())
    elapsed = time.perf_counter() - began
    assert text.count(b"\r\nStatus: ") == expected
    done.set()
    await pinging
    return elapsed, longest


def _event_clients(pipe: Connection, port: int, sessions: int, changes: int) -> None:
    pipe.send((asyncio.run(_count(port, sessions, changes)),))


async def _count(port: int, sessions: int, changes: int) -> int:
    async def one() -> int:
        client = await Client.connect(port)
        await client.login()
        seen = 0
        while seen < changes:
            seen += (await client.raw(b"")).startswith(b"Event: Registry\r\n")
        return seen

    return sum(await asyncio.gather(*(one() for _ in range(sessions))))


if __name__ == "__main__":
    raise SystemExit(main())
