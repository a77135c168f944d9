"""Text on its way to the terminal."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator

import pytest

from pjreg_cli.console.writer import BACKLOG, Writer

Pipe = tuple[int, int]


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    """A pipe: where to read, where to write."""
    reading, writing = os.pipe()
    yield reading, writing
    for handle in (reading, writing):
        os.close(handle)


async def test_text_is_written_in_order(pipe: Pipe) -> None:
    writer = Writer(pipe[1])
    for word in ("one ", "two ", "zürich\n"):
        writer.put(word)
    await writer.drain()
    assert os.read(pipe[0], 100).decode() == "one two zürich\n"


async def test_log_lines_wait_for_a_line_to_end(pipe: Pipe) -> None:
    writer = Writer(pipe[1])
    writer.put("half ")
    await writer.drain()
    writer.put_lines("log\n")
    writer.put("line\n")
    writer.put("")
    await writer.drain()
    await writer.drain()
    assert os.read(pipe[0], 100) == b"half line\nlog\n"


async def test_log_lines_are_held_back_while_a_shell_has_the_terminal(pipe: Pipe) -> None:
    writer = Writer(pipe[1])
    writer.hold(True)
    writer.put_lines("log\n")
    writer.put("output\n")
    await writer.drain()
    assert os.read(pipe[0], 100) == b"output\n"
    writer.hold(False)
    await writer.drain()
    assert os.read(pipe[0], 100) == b"log\n"


async def test_an_unfinished_line_is_finished(pipe: Pipe) -> None:
    writer = Writer(pipe[1])
    writer.put("no end")
    await writer.finish_line()
    await writer.finish_line()
    assert os.read(pipe[0], 100) == b"no end\n"


async def test_too_many_log_lines_are_dropped_and_counted(pipe: Pipe) -> None:
    writer = Writer(pipe[1])
    writer.hold(True)
    writer.put_lines("kept\n")
    writer.put_lines("x" * BACKLOG + "\n")
    writer.put_lines("kept as well\n")
    writer.hold(False)
    await writer.drain()
    assert os.read(pipe[0], 1000).decode() == (
        "kept\nkept as well\n(1 lines of the log were dropped: the terminal was too slow)\n"
    )


async def test_a_terminal_that_stands_still_does_not_stop_the_loop(pipe: Pipe) -> None:
    writer = Writer(pipe[1])
    writer.put("x" * 1_000_000)
    drained = asyncio.ensure_future(writer.drain())  # noqa: TID251 -- watched, then awaited
    await asyncio.sleep(0)
    assert not drained.done()
    loop = asyncio.get_running_loop()
    left = 1_000_000
    while left:
        left -= len(await loop.run_in_executor(None, os.read, pipe[0], 65_536))
    await drained


async def test_a_terminal_that_is_gone_swallows_everything() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    writer = Writer(writing)
    writer.put("into the void\n")
    await writer.drain()
    writer.put("again\n")
    await writer.drain()
    os.close(writing)


async def test_signs_the_terminal_does_not_have_become_others(pipe: Pipe) -> None:
    writer = Writer(pipe[1], "ascii")
    writer.put("zürich\n")
    await writer.drain()
    assert os.read(pipe[0], 100) == b"z?rich\n"
