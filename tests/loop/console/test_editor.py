"""The prompt on a pseudo-terminal: what comes while it is on its way is neither torn nor lost."""

from __future__ import annotations

import asyncio
import os
import pty
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from prompt_toolkit.enums import EditingMode
from prompt_toolkit.history import InMemoryHistory

from pjreg_cli.commands.tree import Suggestion
from pjreg_cli.console.editor import EditorReader, Look
from pjreg_cli.console.writer import Writer


class Meddling(Writer):
    """A writer during whose first draining something happens."""

    def __init__(self, handle: int) -> None:
        super().__init__(handle)
        self.meanwhile: Callable[[], None] = lambda: None
        self.written: list[tuple[str, bool]] = []
        """Log lines, and whether a prompt was there to be drawn anew below them."""
        self.prompting: Callable[[], bool] = lambda: False

    async def drain(self) -> None:
        meanwhile, self.meanwhile = self.meanwhile, lambda: None
        await super().drain()
        meanwhile()

    def put_lines(self, text: str) -> None:
        self.written.append((text, self.prompting()))
        super().put_lines(text)


@pytest.fixture
def bench() -> Iterator[tuple[EditorReader, Meddling, int]]:
    """A reader on a pseudo-terminal, its writer, and the other end."""
    with ExitStack() as stack:
        far, near = pty.openpty()
        stack.callback(os.close, far)
        stdin = stack.enter_context(os.fdopen(os.dup(near), "r"))
        stdout = stack.enter_context(os.fdopen(near, "w"))
        writer = Meddling(near)

        async def suggest(_text: str) -> list[Suggestion]:
            return []

        reader = EditorReader(
            stdin,
            stdout,
            writer=writer,
            look=Look(prompt=lambda: "*CLI> ", bar=list, colour=False),
            suggest=suggest,
            history=InMemoryHistory(),
            mode=EditingMode.EMACS,
            term="xterm",
        )
        writer.prompting = lambda: reader._session.app.is_running
        yield reader, writer, far


async def test_a_line_that_comes_before_the_prompt_is_drawn_waits_for_it(
    bench: tuple[EditorReader, Meddling, int],
) -> None:
    reader, writer, far = bench
    writer.meanwhile = lambda: reader.lines("late\n")
    reading = asyncio.ensure_future(reader.read())  # noqa: TID251 -- awaited below
    async with asyncio.timeout(60):
        while not writer.written:  # noqa: ASYNC110 -- no event tells
            await asyncio.sleep(0.01)
        os.write(far, b"word\r")
        assert await reading == "word"
    assert writer.written == [("late\n", True)]


async def test_a_prompt_that_is_ended_before_it_begins_ends(
    bench: tuple[EditorReader, Meddling, int],
) -> None:
    reader, writer, _far = bench
    writer.meanwhile = lambda: reader.leave(EOFError("gone"))
    async with asyncio.timeout(60):
        with pytest.raises(EOFError, match="gone"):
            await reader.read()
