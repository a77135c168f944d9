"""Hooks: commands that really run, in a folder of the test's own."""

from __future__ import annotations

import ast
import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pjreg_cli.api.findings import Brief
from pjreg_cli.api.notices import Settled
from pjreg_cli.config.models import HookSettings
from pjreg_cli.counters import Counters
from pjreg_cli.engine.tasks import spawn
from pjreg_cli.instance.hooks import ONE_BY_ONE, Hooks
from tests.support.evidence import evidence

#: writes its environment into a file of its own in the folder that is its argument
SCRIPT = """
import os, sys, time
path = os.path.join(sys.argv[1], f"{time.monotonic_ns()}")
with open(path + ".new", "w") as file:
    file.write(repr({k: v for k, v in os.environ.items() if k.startswith("PJREG_")}))
os.rename(path + ".new", path + ".told")
time.sleep(float(sys.argv[2]))
"""


def settled(
    name: str, word: str, old_word: str = "Registered", reason: str = "Forbidden"
) -> Settled:
    return Settled(
        name=name,
        client_uri=f"sip:{name}@example.com",
        server_uri="sip:example.com",
        word=word,
        old_word=old_word,
        evidence=evidence(code=403, reason=reason),
        attempts=1,
        next_attempt_s=60,
        why=lambda: Brief("forbidden-at-once", "the registrar refuses"),
    )


def command(folder: Path, lasts_s: float = 0) -> str:
    script = folder / "hook.py"
    script.write_text(SCRIPT, "utf-8")
    return f"{sys.executable} '{script}' '{folder}' {lasts_s}"


def told(folder: Path) -> list[dict[str, str]]:
    return [ast.literal_eval(one.read_text("utf-8")) for one in sorted(folder.glob("*.told"))]


async def until(reached: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not reached():  # noqa: ASYNC110 -- other processes are waited for
            await asyncio.sleep(0.05)


async def test_facts_are_in_the_environment_and_no_shell_sees_them(tmp_path: Path) -> None:
    settings = HookSettings(on_rejected=command(tmp_path))
    hooks = Hooks(lambda: settings, spawn)
    hooks.tell(settled("alice", "Rejected", reason="$(touch /tmp/never)\x1b[31m; rm -rf x"))
    hooks.tell(settled("bob", "Registered", "Rejected"))
    await until(lambda: not hooks.busy)
    (found,) = told(tmp_path)
    assert found["PJREG_NAME"] == "alice"
    assert found["PJREG_STATUS"] == "Rejected"
    assert found["PJREG_CAUSE"] == "forbidden-at-once"
    assert found["PJREG_REASON"] == "$(touch /tmp/never)?[31m; rm -rf x"
    assert found["PJREG_COUNT"] == "1"


async def test_what_goes_on_as_before_is_no_change(tmp_path: Path) -> None:
    settings = HookSettings(on_change=command(tmp_path))
    hooks = Hooks(lambda: settings, spawn)
    hooks.tell(settled("alice", "Rejected", "Rejected"))
    hooks.tell(settled("alice", "Registered", "Rejected"))
    await until(lambda: not hooks.busy)
    assert [one["PJREG_STATUS"] for one in told(tmp_path)] == ["Registered"]


async def test_a_fleet_is_told_together(tmp_path: Path) -> None:
    settings = HookSettings(on_rejected=command(tmp_path, 0.3), at_once=1)
    hooks = Hooks(lambda: settings, spawn)
    count = 10 * ONE_BY_ONE
    for number in range(count):
        hooks.tell(settled(f"r{number}", "Rejected"))
    await until(lambda: not hooks.busy)
    assert sum(int(one["PJREG_COUNT"]) for one in told(tmp_path)) == count
    assert len(told(tmp_path)) == 2
    assert told(tmp_path)[1]["PJREG_NAMES"].splitlines()[0] == "r1"


async def test_one_that_does_not_end_is_killed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = HookSettings(on_rejected=command(tmp_path, 1000), timeout=1)
    hooks = Hooks(lambda: settings, spawn)
    hooks.tell(settled("alice", "Rejected"))
    await until(lambda: not hooks.busy)
    assert "was killed" in caplog.text


async def test_one_that_cannot_be_run_is_told(caplog: pytest.LogCaptureFixture) -> None:
    settings = HookSettings(on_change="/nowhere/hook --now")
    hooks = Hooks(lambda: settings, spawn)
    hooks.tell(settled("alice", "Rejected"))
    await until(lambda: not hooks.busy)
    assert "/nowhere/hook cannot be run" in caplog.text


async def test_changes_beyond_those_that_may_wait_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("pjreg_cli.instance.hooks._WAITING", 5)
    counters = Counters()
    settings = HookSettings(on_rejected=command(tmp_path, 0.1), at_once=1)
    hooks = Hooks(lambda: settings, spawn, counters)
    for number in range(9):
        hooks.tell(settled(f"r{number}", "Rejected"))
    await until(lambda: not hooks.busy)
    assert {one.name: one.value for one in counters.counts()}["hooks_untold"] == 3
    assert "3 changes were not told" in caplog.text
