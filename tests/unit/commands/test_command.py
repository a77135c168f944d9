"""The small parts commands are made of."""

from __future__ import annotations

import asyncio

from pjreg_cli.commands.command import Kind, Verdict, absent, failed, kept, say, usage


def test_lines_said_get_their_ends() -> None:
    assert list(say("a", "").output) == ["a\n", "\n"]
    assert say("a").verdict is Verdict.DONE
    assert absent("a").verdict is Verdict.NEGATIVE
    assert failed("a").verdict is Verdict.FAILED


def test_usage_indents_its_explanation_but_not_its_empty_lines() -> None:
    assert usage("Usage: x", "a", "", "b") == "Usage: x\n       a\n\n       b\n"
    assert usage(" Usage: x", "a", indent=8) == " Usage: x\n        a\n"


def test_only_consoles_are_interactive() -> None:
    assert [kind for kind in Kind if kind.interactive] == [Kind.CONSOLE, Kind.REMOTE]


async def test_a_long_judgement_lets_others_have_their_turn() -> None:
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as group:
        beside = group.create_task(other())
        assert await kept(range(1_000), lambda number: number % 2 == 0) == [*range(0, 1_000, 2)]
        beside.cancel()
    assert turns > 20
