"""Commands that act: what came of them is told, and scripts can wait for it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from pjreg_cli.commands.outcomes import Outcomes
from tests.support import waiting
from tests.support.ami_port import settled
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
    await asyncio.to_thread(instance_of.says, "unregister-refused: the unregister failed")
    assert "waiting: the first attempt" not in instance_of.log()


def test_what_was_under_way_is_not_what_was_asked_for() -> None:
    outcomes = Outcomes()
    outcomes.ask_all("register", {"Registered": 1, "Unregistered": 1}, 1000.0)
    # its first REGISTER was still unanswered when all of them were taken off
    assert outcomes.told(settled("bob", "Unregistered", next_attempt_s=0)) == ""
    assert outcomes.told(settled("alice")) == ""
    assert outcomes.awaited == "register *all: 1 Registered of 2"
    assert outcomes.told(settled("bob")) == "all: 2 Registered, after 0.0 s\n"
    assert outcomes.awaited == ""


async def test_one_shot_that_follows_tells_what_came_of_it(
    instance_of: Instance, registrar: Registrar
) -> None:
    await asyncio.to_thread(instance_of.start)
    assert (await ask(instance_of, "pjreg wait *all")).status == 0

    async def seen(line: str, *sights: str, status: int = 0) -> str:
        words = [*PROGRAM, "-s", str(instance_of.socket), "--follow", "-x", line]
        with Terminal(words, environment=environment(instance_of.home)) as terminal:
            for sight in sights:
                await asyncio.to_thread(terminal.until, sight)
            assert await asyncio.to_thread(terminal.ends) == status
            return terminal.text

    registrar.script("bob", fail(403))
    text = await seen("pjsip send register *all", "all: 1 Registered, 1 Rejected, after ")
    assert text.startswith("Re-register all queued\nall: ")
    assert "all: 1 Unregistered, after " in await seen("pjsip send unregister *all")
    assert await seen("pjsip send unregister *all") == "Unregister all queued"
    assert "all: 1 Registered, 1 Rejected, after " in await seen("pjsip send register *all")
    assert "\nalice: 200 Scripted in " in await seen("pjsip send register alice")
    for _ in range(2):  # what is not registered is taken off all the same
        text = await seen("pjsip send unregister alice")
        assert text.startswith("alice: unregistered, 200 ")
    refused = "Unable to retrieve registration nobody"
    assert (await seen("pjsip send register nobody", status=1)).startswith(refused)
    reloaded = "Module 'res_pjsip.so' reloaded successfully.\nres_pjsip.so: "
    assert await seen("module reload res_pjsip.so") == f"{reloaded}1 tried again"
    conf = (instance_of.etc / "pjsip.conf").read_text("utf-8")
    instance_of.configure(conf.replace("interval = 60", "interval = 60\nexpiration = 99"))
    assert await seen("module reload res_pjsip.so") == f"{reloaded}2 re-registered"


async def test_one_shot_that_follows_says_what_it_waits_for_and_can_be_left(
    instance_of: Instance, registrar: Registrar
) -> None:
    await asyncio.to_thread(instance_of.start)
    assert (await ask(instance_of, "pjreg wait *all")).status == 0
    registrar.silent = True
    words = [*PROGRAM, "-s", str(instance_of.socket), "--follow", "-x", "pjsip send register *all"]
    with Terminal(words, columns=70, environment=environment(instance_of.home)) as terminal:
        await asyncio.to_thread(terminal.until, " s so far (Ctrl-C leaves it to itself")
        assert "\nregister *all: 0 of 2, " in terminal.text
        terminal.type("\x03")
        assert await asyncio.to_thread(terminal.ends) == 130
        assert terminal.text.strip().startswith("Re-register all queued")
        assert "so far" not in terminal.text


async def test_other_one_shots_wait_for_nothing(
    instance_of: Instance, registrar: Registrar
) -> None:
    await asyncio.to_thread(instance_of.start)
    assert (await ask(instance_of, "pjreg wait *all")).status == 0
    registrar.silent = True
    for line, told in (
        ("pjsip send register alice", ""),
        ("module reload res_pjsip.so", "Module 'res_pjsip.so' reloaded successfully.\n"),
        ("module reload", ""),
        ("pjsip send register *all", "Re-register all queued\n"),
    ):
        assert await ask(instance_of, line) == Done(0, told, "")
        assert await ask(instance_of, line, "--follow") == Done(0, told, "")
        words = [*PROGRAM, "-s", str(instance_of.socket), "-x", line]
        with Terminal(words, environment=environment(instance_of.home)) as terminal:
            assert await asyncio.to_thread(terminal.ends) == 0
            assert terminal.text == told.rstrip()


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
