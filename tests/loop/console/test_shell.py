"""`!command`."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from pjreg_cli.console.shell import run_shell


async def test_a_command_runs_in_the_operators_shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHELL", "/bin/sh")
    await run_shell(f'echo "$0 $((40 + 2))" > {tmp_path}/out')
    assert (tmp_path / "out").read_text() == "/bin/sh 42\n"


async def test_a_command_ends_with_the_console(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHELL", "/bin/sh")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await run_shell("exec sleep 60")


async def test_a_command_that_will_not_end_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHELL", "/bin/sh")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await run_shell("trap '' HUP; exec sleep 60")


async def test_a_shell_that_does_not_exist_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHELL", "/does/not/exist")
    with pytest.raises(FileNotFoundError):
        await run_shell("true")
