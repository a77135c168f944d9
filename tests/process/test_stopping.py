"""`core stop gracefully`: how it goes, and how it is taken back."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import waiting
from tests.support.instance import PROGRAM, Instance, environment, trunks_conf
from tests.support.registrar import Registrar
from tests.support.terminal import Terminal

SHOW = "pjsip show registrations"


@pytest.fixture
def started() -> Iterator[list[Instance]]:
    """Instances that end with the test."""
    found: list[Instance] = []
    yield found
    for one in found:
        one.stop()


async def ask(instance: Instance, line: str) -> str:
    return (await asyncio.to_thread(instance.ask, line)).out


async def until(instance: Instance, line: str, text: str, times: int = 1) -> None:
    """Ask until the answer has this text so often."""
    await asyncio.to_thread(
        waiting.until, lambda: instance.told(line).out.count(text) == times, f"{text} of {line}"
    )


async def trunks(
    home: Path, registrar: Registrar, started: list[Instance], *names: str
) -> Instance:
    one = Instance(home, trunks_conf(registrar.port, *names))
    started.append(one)
    await asyncio.to_thread(one.start)
    await until(one, SHOW, " Registered ", len(names))
    return one


def console(instance: Instance) -> Terminal:
    words = [*PROGRAM, "-r", "-s", str(instance.socket)]
    return Terminal(words, environment=environment(instance.home), columns=130)


async def test_stop_that_was_taken_back_registers_again(
    home: Path, registrar: Registrar, started: list[Instance]
) -> None:
    one = await trunks(home, registrar, started, "alice", "bob")
    await ask(one, "pjsip send unregister bob")
    await until(one, SHOW, " Registered ")
    registrar.silent = True
    await ask(one, "core stop gracefully")
    await until(one, SHOW, " Registered ", 0)
    assert await ask(one, "core abort shutdown") == ""
    # not before: with an answer to what is sent again the stop would be over
    registrar.silent = False
    await until(one, SHOW, " Registered ")
    assert "alice" in (await ask(one, SHOW)).split(" Registered ")[0].splitlines()[-1]
    assert "Unregistered" in await ask(one, "pjreg status bob")
    await asyncio.to_thread(one.says, "The stop was taken back: 1 register again")


async def test_bar_tells_how_a_graceful_stop_goes(
    home: Path, registrar: Registrar, started: list[Instance]
) -> None:
    one = await trunks(home, registrar, started, "alice", "bob")
    with console(one) as terminal:
        await asyncio.to_thread(terminal.until, "2 registered")
        registrar.silent = True
        terminal.enter("core stop gracefully")
        await asyncio.to_thread(terminal.until, "0 registered")
        await asyncio.to_thread(terminal.until, "stopping: 0 of 2 answered, ")
        with console(one) as second:
            await asyncio.to_thread(second.until, "2 registrations: 2 unregistered")
            await asyncio.to_thread(second.until, "stopping: 0 of 2 answered, ")
        registrar.silent = False
        assert await asyncio.to_thread(terminal.ends) == 1
    assert await asyncio.to_thread(one.wait) == 0
    await asyncio.to_thread(one.says, "stopping: 0 of 2 answered")


async def test_bar_counts_what_the_table_shows(
    home: Path, registrar: Registrar, started: list[Instance]
) -> None:
    one = await trunks(home, registrar, started, "alice", "bob")
    with console(one) as terminal:
        await asyncio.to_thread(terminal.until, "2 registered")
        registrar.silent = True
        terminal.enter("pjsip send unregister *all")
        await asyncio.to_thread(terminal.until, "0 registered   0 rejected   2 unregistered")
        registrar.silent = False
        with console(one) as second:
            await asyncio.to_thread(second.until, "2 registrations: 2 unregistered")
