"""Typing without escape codes."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator, Callable, Sequence

import pytest
from prompt_toolkit.history import InMemoryHistory

from pjreg_cli.commands.command import Suggestion
from pjreg_cli.console.dumb import DumbReader
from pjreg_cli.console.reader import Interrupted, Keys, Leaving
from pjreg_cli.console.writer import Writer

Typed = Callable[[str], "Desk"]


async def suggest(text: str) -> Sequence[Suggestion]:
    """Three names, whatever has been typed."""
    begun = text.rpartition(" ")[2]
    names = ("alpha", "alps", "语言")
    return [Suggestion(name, -len(begun), "a name") for name in names if name.startswith(begun)]


class Desk:
    """A reader with what has been typed already, and what it shows."""

    def __init__(self, keys: str) -> None:
        self._typing = os.pipe()
        self._showing = os.pipe()
        os.write(self._typing[1], keys.encode())
        os.close(self._typing[1])
        self.writer = Writer(self._showing[1])
        self.reader = DumbReader(
            Keys(self._typing[0]),
            writer=self.writer,
            prompt=lambda: "> ",
            suggest=suggest,
            history=InMemoryHistory(["older", "newest"]),
            size=lambda: (80, 24),
        )

    async def shown(self) -> str:
        """All that was written so far."""
        await self.writer.drain()
        return os.read(self._showing[0], 65_536).decode()

    def close(self) -> None:
        for handle in (self._typing[0], *self._showing):
            os.close(handle)


@pytest.fixture
async def typed() -> AsyncIterator[Typed]:
    """Makes readers that are closed with the test."""
    desks: list[Desk] = []

    def make(keys: str) -> Desk:
        desks.append(Desk(keys))
        return desks[-1]

    yield make
    for desk in desks:
        # The thread that writes must not meet the same handle in the next test.
        await desk.writer.drain()
        desk.close()


def seen(text: str) -> str:
    """What is left on the screen of one line after all backspaces."""
    screen: list[str] = []
    at = 0
    for sign in text:
        if sign == "\b":
            at -= 1
        else:
            screen[at : at + 1] = [sign]
            at += 1
    return "".join(screen).rstrip()


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        ("plain\r", "plain"),
        ("plain\n", "plain"),
        ("wrogx\x7f\bng\r", "wrong"),
        ("all of it\x15new\r", "new"),
        ("one two three\x17\r", "one two "),
        ("one two  \x17\r", "one "),
        ("\x10\r", "newest"),
        ("\x10\x10\r", "older"),
        ("\x10\x10\x10\x10\r", "older"),
        ("\x10\x10\x0e\r", "newest"),
        ("x\x10\x0e\r", ""),
        ("a\x1b[A\x1b[1;5C\x1bOPb\r", "ab"),
        ("\x01\x02bell\x07\r", "bell"),
        ("like a?b\r", "like a?b"),
        ("al\th\t!\r", "alpha !"),
        ("语\t!\r", "语言 !"),
    ],
)
async def test_keys_make_a_line(typed: Typed, keys: str, line: str) -> None:
    assert await typed(keys).reader.read() == line


@pytest.mark.parametrize("keys", ["wrogn\x7f\x7fng\r", "语言\x7fx\r", "old\x15new\r", "\x10\x10\r"])
async def test_the_screen_shows_what_will_be_run(typed: Typed, keys: str) -> None:
    desk = typed(keys)
    line = await desk.reader.read()
    shown = (await desk.shown()).removesuffix("\n")
    broad = shown.replace("语", "__").replace("言", "__")
    assert seen(broad) == "> " + line.replace("语", "__").replace("言", "__")


async def test_tab_and_question_mark_list_on_lines_of_their_own(typed: Typed) -> None:
    desk = typed("x al\t?\r")
    assert await desk.reader.read() == "x alp"
    assert await desk.shown() == (
        "> x alp\nalpha  alps\n> x alp\n  alpha  a name\n  alps   a name\n> x alp\n"
    )


async def test_no_way_on_rings_the_bell(typed: Typed) -> None:
    desk = typed("zzz\t\r")
    await desk.reader.read()
    assert "\a" in await desk.shown()


async def test_ctrl_d_leaves_on_an_empty_line_only(typed: Typed) -> None:
    desk = typed("x\x04\r\x04")
    assert await desk.reader.read() == "x"
    with pytest.raises(Leaving):
        await desk.reader.read()


async def test_the_end_of_the_input_is_told(typed: Typed) -> None:
    with pytest.raises(EOFError):
        await typed("half").reader.read()


async def test_lines_typed_ahead_wait_their_turn(typed: Typed) -> None:
    desk = typed("one\rtwo\r")
    assert [await desk.reader.read(), await desk.reader.read()] == ["one", "two"]


async def test_what_was_entered_is_in_the_history_once(typed: Typed) -> None:
    desk = typed("new\rnew\r \r\x10\r")
    lines = [await desk.reader.read() for _ in range(4)]
    assert lines == ["new", "new", " ", "new"]


async def test_an_interrupt_tells_whether_a_line_was_begun() -> None:
    typing, showing = os.pipe(), os.pipe()
    writer = Writer(showing[1])
    reader = DumbReader(
        Keys(typing[0]),
        writer=writer,
        prompt=lambda: "> ",
        suggest=suggest,
        history=InMemoryHistory(),
        size=lambda: (80, 24),
    )
    asyncio.get_running_loop().call_later(0.01, reader.interrupt)
    with pytest.raises(Interrupted) as caught:
        await reader.read()
    assert caught.value.empty
    await writer.drain()
    for handle in (*typing, *showing):
        os.close(handle)


async def test_nothing_but_plain_signs_is_written(typed: Typed) -> None:
    desk = typed("al\t?\x17x\x10\x12\r")
    await desk.reader.read()
    assert not re.search(r"[^\n\b\a -~]", await desk.shown())
