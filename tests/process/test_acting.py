"""Commands that act: what came of them is told, and scripts can wait for it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import waiting
from tests.support.instance import PROGRAM, Done, Instance, environment, run, trunks_conf
from tests.support.registrar import Registrar, fail
from tests.support.terminal import Terminal


@pytest.fixture
def instance_of(home: Path, registrar: Registrar) -> Iterator[Instance]:
    """An instance with the trunks alice and bob, not yet started."""
    one = Instance(home, trunks_conf(registrar.port, "alice", "bob", more="retry_interval = 60"))
    yield one
    one.stop()


async def ask(instance: Instance, line: str, *options: str) -> Done:
    return await asyncio.to_thread(instance.ask, line, *options)


async def test_console_tells_what_came_of_a_send(
    instance_of: Instance, registrar: Registrar
) -> None:
    await asyncio.to_thread(instance_of.start)
    assert (await ask(instance_of, "pjreg wait *all")).status == 0
    words = [*PROGRAM, "-r", "-s", str(instance_of.socket)]
    with Terminal(words, environment=environment(instance_of.home)) as terminal:
        await asyncio.to_thread(terminal.until, "*CLI>")
        terminal.enter("pjsip send unregister alice")
        await asyncio.to_thread(terminal.until, "\nalice: unregistered, 200 Scripted in ")
        registrar.script("alice", fail(403))
        terminal.enter("pjsip send register alice")
        await asyncio.to_thread(terminal.until, "\nalice: 403 ")
        await asyncio.to_thread(terminal.until, " ms: Rejected, no further attempt")
        terminal.enter("pjsip send register bob")
        await asyncio.to_thread(terminal.until, "\nbob: 200 Scripted in ")
        await asyncio.to_thread(terminal.until, " ms, 3600 s")


async def test_console_sums_up_what_came_of_all(
    instance_of: Instance, registrar: Registrar
) -> None:
    await asyncio.to_thread(instance_of.start)
    assert (await ask(instance_of, "pjreg wait *all")).status == 0
    words = [*PROGRAM, "-r", "-s", str(instance_of.socket)]
    with Terminal(words, environment=environment(instance_of.home)) as terminal:
        await asyncio.to_thread(terminal.until, "*CLI>")
        registrar.script("bob", fail(403))
        terminal.enter("pjsip send register *all")
        await asyncio.to_thread(terminal.until, "\nall: 1 Registered, 1 Rejected, after ")
        terminal.enter("pjsip send unregister *all")
        await asyncio.to_thread(terminal.until, "\nall: 1 Unregistered, after ")
    # the one that left is explained, not the one that has its name by now
    assert "unregister-refused: the unregister failed" in instance_of.log()
    assert "waiting: the first attempt" not in instance_of.log()


async def test_script_waits_until_a_registration_stands(
    instance_of: Instance, registrar: Registrar
) -> None:
    registrar.script("bob", fail(403))
    await asyncio.to_thread(instance_of.start)
    assert await ask(instance_of, "pjreg wait alice --timeout 20") == Done(0, "", "")
    late = await ask(instance_of, "pjreg wait *all --registered --timeout=0.2")
    assert late == Done(1, "After 0.2 s not Registered: bob\n", "")
    told = await ask(instance_of, "pjreg wait *all --timeout 0.2", "--json")
    assert json.loads(told.out) == {"reached": False, "others": ["bob"]}
    assert (await ask(instance_of, "pjreg wait bob --unregistered")).status == 0
    assert (await ask(instance_of, "pjreg wait alice --unregistered --timeout 0")).status == 1
    await ask(instance_of, "pjsip send unregister alice")
    assert (await ask(instance_of, "pjreg wait alice --unregistered")).status == 0
    await ask(instance_of, "pjsip send register alice")
    assert (await ask(instance_of, "pjreg wait alice --registered")).status == 0
    assert registrar.bindings["alice"]


@pytest.mark.parametrize(
    ("words", "piece"),
    [
        ("nobody", "Unable to find object nobody."),
        ("", "Usage: pjreg wait"),
        ("alice --timeout soon", "--timeout takes 0 to 3600, not 'soon'"),
        ("alice --registered --unregistered", "exclude each other"),
    ],
)
async def test_waiting_for_nothing_that_can_come_is_told(
    instance_of: Instance, words: str, piece: str
) -> None:
    await asyncio.to_thread(instance_of.start)
    done = await ask(instance_of, f"pjreg wait {words}")
    assert done.status == 1
    assert piece in done.out


async def test_ctrl_c_ends_the_waiting_of_a_console(
    instance_of: Instance, registrar: Registrar
) -> None:
    registrar.silent = True
    await asyncio.to_thread(instance_of.start)
    words = [*PROGRAM, "-r", "-s", str(instance_of.socket)]
    with Terminal(words, environment=environment(instance_of.home)) as terminal:
        await asyncio.to_thread(terminal.until, lambda me: "2 unregistered" in me.lines[-1])
        terminal.enter("pjreg wait alice --timeout 3000")
        # while it waits there is no bar
        await asyncio.to_thread(terminal.until, lambda me: not me.lines[-1])

        def given_up(me: Terminal) -> bool:
            if me.prompt_line.endswith("*CLI>"):
                return True
            # the key may come before the command has begun
            me.type("\x03")
            return False

        await asyncio.to_thread(terminal.until, given_up)
        terminal.enter("core show uptime")
        await asyncio.to_thread(terminal.until, "System uptime")


def test_waiting_needs_an_instance(home: Path) -> None:
    (home / "pjsip.conf").write_text(trunks_conf(1, "a", port=1))
    done = run("pjreg", "wait", "a", home=home)
    assert done.status == 1
    assert "No instance is running" in done.out
    waiting.until(lambda: not (home / "ctl").exists(), "nothing is left")


async def test_reload_asks_before_it_reloads(instance_of: Instance) -> None:
    await asyncio.to_thread(instance_of.start)
    words = [*PROGRAM, "-s", str(instance_of.socket)]
    own = environment(instance_of.home)
    with Terminal([*words, "pjreg", "reload", "--confirm"], environment=own) as terminal:
        await asyncio.to_thread(terminal.until, "2 kept")
        await asyncio.to_thread(terminal.until_prompt, "Reload? [y/N]")
        terminal.enter("n")
        assert await asyncio.to_thread(terminal.ends) == 1
        assert "Nothing was reloaded." in terminal.text
    with Terminal([*words, "-r"], environment=own) as terminal:
        await asyncio.to_thread(terminal.until, "*CLI>")
        terminal.enter("pjreg reload --confirm")
        await asyncio.to_thread(terminal.until_prompt, "Reload? [y/N]")
        terminal.enter("")
        await asyncio.to_thread(terminal.until, "Nothing was reloaded.")
        terminal.enter("pjreg reload --confirm")
        await asyncio.to_thread(terminal.until_prompt, "Reload? [y/N]")
        terminal.enter("y")
        await asyncio.to_thread(terminal.until, "unchanged")
    piped = await asyncio.to_thread(
        run, "pjreg", "reload", "--confirm", home=instance_of.home, stdin="y\n"
    )
    assert (piped.status, piped.out) == (2, "")
