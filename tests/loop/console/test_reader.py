"""Lines of pipes and files."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from pjreg_cli.console.reader import Keys, LineReader
from pjreg_cli.console.writer import Writer

Pipe = tuple[int, int]


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    """A pipe: where to read, where to write."""
    reading, writing = os.pipe()
    yield reading, writing
    os.close(reading)


def reader(handle: int) -> LineReader:
    return LineReader(Keys(handle), Writer(os.open(os.devnull, os.O_WRONLY)))


async def test_lines_come_one_by_one_and_the_last_needs_no_end(pipe: Pipe) -> None:
    os.write(pipe[1], "one\r\ntwo\n\nzürich".encode())
    os.close(pipe[1])
    lines = reader(pipe[0])
    assert [await lines.read() for _ in range(4)] == ["one", "two", "", "zürich"]
    with pytest.raises(EOFError):
        await lines.read()


async def test_a_sign_may_come_in_pieces(pipe: Pipe) -> None:
    keys = Keys(pipe[0])
    encoded = "ü".encode()
    os.write(pipe[1], encoded[:1])
    asyncio.get_running_loop().call_later(0.01, os.write, pipe[1], encoded[1:])
    assert await keys.more() == "ü"
    os.close(pipe[1])


async def test_a_file_is_read_to_its_end(tmp_path: Path) -> None:
    (tmp_path / "commands").write_text("a\nb\n")
    with (tmp_path / "commands").open() as file:
        lines = reader(file.fileno())
        assert [await lines.read(), await lines.read()] == ["a", "b"]
        with pytest.raises(EOFError):
            await lines.read()


async def test_who_waits_for_a_line_hears_that_it_is_over(pipe: Pipe) -> None:
    lines = reader(pipe[0])
    asyncio.get_running_loop().call_soon(lines.leave, ConnectionError("gone"))
    with pytest.raises(ConnectionError, match="gone"):
        await lines.read()
    os.close(pipe[1])


async def test_lines_that_have_come_are_read_before_it_is_over(pipe: Pipe) -> None:
    os.write(pipe[1], b"one\ntwo\n")
    lines = reader(pipe[0])
    assert await lines.read() == "one"
    lines.interrupt()
    assert await lines.read() == "two"
    with pytest.raises(EOFError):
        await lines.read()
    os.close(pipe[1])
