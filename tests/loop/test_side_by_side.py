"""Trunks of all kinds in one instance: what happens to one is no business of the others.

Real sockets, virtual time.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from itertools import pairwise

import pytest

from pjreg_cli.engine.engine import Engine
from pjreg_cli.engine.randomness import Ids
from tests.loop.test_engine import HOUR, configuration, transport
from tests.support.clock import run_virtually
from tests.support.lossy import lossy_relay
from tests.support.ports import LOOPBACK, free_port
from tests.support.registrar import Registrar, Reply, Seen
from tests.support.registrations import registration

#: trunks at each of the bad registrars
COUNT = 100


def closes(seen: Seen) -> Reply:
    """Granted, and the connection closed at once."""
    return Reply(200, (("Contact", f"{seen.header('contact')};expires=60"),), close=True)


@pytest.mark.long
@pytest.mark.timeout(600)
def test_a_healthy_trunk_never_misses_beside_loss_silence_and_a_registrar_that_closes() -> None:
    async def main() -> None:
        async with AsyncExitStack() as stack:
            opened = [await stack.enter_async_context(Registrar.open()) for _ in range(4)]
            healthy, lost, silent, closing = opened
            relay = await stack.enter_async_context(lossy_relay(lost.port, 0.2))
            silent.silent = True
            sections = {"healthy": registration("healthy", **at(healthy.port))}
            for number in range(COUNT):
                name = f"n{number}"
                closing.script(name, closes)
                sections |= {
                    f"{kind}{number}": registration(f"{kind}{number}", **at(port, suffix, name))
                    for kind, port, suffix in (
                        ("lossy", relay.port, ""),
                        ("silent", silent.port, ""),
                        ("deaf", silent.port, ";transport=tcp"),
                        ("closing", closing.port, ";transport=tcp"),
                    )
                }
            settings = replace(
                configuration(healthy, {}),
                registrations=sections,
                transports={"udp": transport(free_port()), "tcp": transport(free_port(), "tcp")},
            )
            engine = Engine(settings, version="0", wall_clock=lambda: 0.0, ids=Ids(seed=1))
            await engine.open()
            try:
                await asyncio.sleep(HOUR / 4)
                times = [one.at for one in healthy.of("healthy")]
                assert len(times) >= 17
                assert all(b - a == pytest.approx(50, abs=0.5) for a, b in pairwise(times))
                words = {row.name: row.word for row in engine.registrations.rows()}
                assert words["healthy"] == "Registered"
                registered = sum(words[f"lossy{number}"] == "Registered" for number in range(COUNT))
                assert registered >= COUNT * 0.95
                assert {words[f"silent{number}"] for number in range(COUNT)} == {"Rejected"}
            finally:
                await engine.close()

    run_virtually(main())


def at(port: int, suffix: str = "", user: str = "healthy") -> dict[str, object]:
    """A trunk that asks for a minute."""
    return {
        "server_uri": f"sip:{LOOPBACK}:{port}{suffix}",
        "client_uri": f"sip:{user}@{LOOPBACK}",
        "expiration": 60,
        "max_retries": 1000,
        "retry_interval": 20,
    }
