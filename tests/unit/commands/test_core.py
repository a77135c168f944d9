"""The commands of core."""

from __future__ import annotations

import json

import pytest

from pjreg_cli.commands.tree import Kind, execute
from tests.support.fake_port import Fake
from tests.support.golden import FIXTURES, Golden
from tests.support.transcript import console, said, transcript


async def test_answers_of_core(golden: Golden) -> None:
    lines = ["core show version", "core show version x", "core show uptime"]
    lines += ["core show uptime seconds", "core show uptime minutes", "core show settings"]
    lines += ["core reload", "core reload now", "core abort shutdown", "core abort shutdown now"]
    lines += ["core waitfullybooted", "core waitfullybooted now"]
    golden.check(FIXTURES / "console/core.txt", await transcript(console(Fake()), lines))


async def test_debug_level_lasts(golden: Golden) -> None:
    fake = Fake()
    words = ["4", "4", "0", "atleast 2", "atleast 1", "off", "off", "-3", "off", "bogus", "", "3 M"]
    words += ["5 M", "atleast 2 M", "1 M x", "atleast", "2x"]
    lines = [f"core set debug {word}".rstrip() for word in words]
    golden.check(FIXTURES / "console/debug.txt", await transcript(console(fake), lines))
    assert (fake.instance.debug, fake.instance.debug_of) == (2, {"M": 5})


async def test_verbosity_is_that_of_one_console(golden: Golden) -> None:
    fake = Fake()
    asker = console(fake, Kind.REMOTE)
    words = ["3", "3", "atleast 5", "atleast 1", "", "off", "bogus", "3 silent", "0", "2 loud"]
    lines = [f"core set verbose {word}".rstrip() for word in words]
    golden.check(FIXTURES / "console/verbose.txt", await transcript(asker, lines))
    assert (
        await said(console(fake), "core set verbose 3") == "Console verbose was OFF and is now 3.\n"
    )


@pytest.mark.parametrize("verb", ["stop", "restart"])
@pytest.mark.parametrize("how", ["now", "gracefully", "when convenient"])
async def test_instance_is_told_how_to_end(verb: str, how: str) -> None:
    fake = Fake()
    reply = await execute(f"core {verb} {how}", console(fake))
    assert reply.ok
    assert fake.instance.log == [f"{verb} {how}"]
    waiting = f"Waiting for inactivity to perform {'halt' if verb == 'stop' else 'restart'}\n"
    assert "".join(reply.output) == (waiting if how == "when convenient" else "")


@pytest.mark.parametrize("line", ["core stop now now", "core restart gracefully please"])
async def test_surplus_word_never_ends_an_instance(line: str) -> None:
    fake = Fake()
    reply = await execute(line, console(fake))
    assert "".join(reply.output).startswith("Usage: core ")
    assert fake.instance.log == []


async def test_reload_and_abort_reach_the_instance() -> None:
    fake = Fake()
    await said(console(fake), "core reload")
    await said(console(fake), "core abort shutdown")
    assert fake.instance.log == ["reload", "abort"]


@pytest.mark.parametrize("line", ["core waitfullybooted", "core show uptime"])
async def test_without_an_instance_nothing_is_up(line: str) -> None:
    fake = Fake()
    fake.instance.live = False
    reply = await execute(line, console(fake))
    assert "".join(reply.output).startswith("No instance is running.\n")
    assert not reply.ok


async def test_settings_without_an_instance_tell_no_times() -> None:
    fake = Fake()
    fake.instance.live = False
    text = await said(console(fake), "core show settings")
    assert "answered from the configuration alone" in text
    assert "Startup time" not in text


async def test_facts_as_json() -> None:
    asker = console(Fake(), json=True)
    uptime = json.loads(await said(asker, "core show uptime"))
    assert uptime == {
        "started_at": "2026-08-01T10:57:57Z",
        "reloaded_at": "2026-08-01T11:59:00Z",
        "uptime_s": 3723,
        "since_reload_s": 60,
    }
    assert json.loads(await said(asker, "core show settings"))["pid"] == 4711
    assert json.loads(await said(asker, "core show version")) == {"version": "1.2.3"}
