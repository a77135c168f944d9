"""A console at work, between a reader and a backend that do as told."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import pytest

from pjreg_cli.commands.command import Suggestion
from pjreg_cli.console.backend import InstanceFacts, Result, Watcher, Write
from pjreg_cli.console.reader import Interrupted, Leaving
from pjreg_cli.console.session import Disconnected, Session
from pjreg_cli.console.terminal import Terminal
from pjreg_cli.console.writer import Writer

FACTS = InstanceFacts("1.0", "/etc/pjsip.conf", "pbx", 1, {"Registered": 1})


@dataclass
class Script:
    """A reader: what the operator does, one after the other."""

    deeds: list[str | Exception]
    shown: list[str] = field(default_factory=list)
    drawn: int = 0

    async def read(self) -> str:
        await asyncio.sleep(0)
        deed = self.deeds.pop(0) if self.deeds else EOFError()
        if isinstance(deed, Exception):
            raise deed
        return deed

    def lines(self, text: str) -> None:
        self.shown.append(text)

    def refresh(self) -> None:
        self.drawn += 1

    def interrupt(self) -> None:
        self.deeds.insert(0, Interrupted())

    def leave(self, error: Exception) -> None:
        self.deeds.insert(0, error)

    def forget(self) -> int:
        return 0

    async def ask(self, question: str) -> str:
        return await self.read()


class Backend:
    """Says every line back."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.watcher: Watcher | None = None
        self.quits = False
        self.slow = False

    async def facts(self) -> InstanceFacts:
        return FACTS

    def watch(self, watcher: Watcher) -> None:
        self.watcher = watcher
        watcher.counts(FACTS.counts)

    def resized(self, columns: int) -> None:
        assert columns >= 0

    async def execute(self, line: str, write: Write) -> Result:
        self.lines.append(line)
        assert self.watcher is not None
        if line == "hang":
            os.kill(os.getpid(), signal.SIGINT)
            await asyncio.sleep(60)
        if line == "die":
            raise ConnectionError("it died")
        if line == "vanish":
            asyncio.get_running_loop().call_soon(self.watcher.closed, "it vanished")
            await asyncio.sleep(60)
        await write(f"<{line}>")
        return Result(ok=True, quit=self.quits)

    async def suggest(self, text: str) -> Sequence[Suggestion]:
        if self.slow:
            raise ConnectionError
        return [Suggestion("next", 0, f"behind {text.strip()}")]

    async def close(self) -> None:
        """Nothing."""


class Desk:
    """A session and all around it."""

    def __init__(self, remote: bool = True, shell_allowed: bool = True) -> None:
        self._pipe = os.pipe()
        self.backend = Backend()
        self.writer = Writer(self._pipe[1])
        self.reader = Script([])
        self.session = Session(
            self.backend,
            FACTS,
            remote=remote,
            colour=False,
            shell_allowed=shell_allowed,
            terminal=Terminal(self._pipe[0]),
            writer=self.writer,
        )

    async def play(self, *deeds: str | Exception, greet: bool = False) -> str:
        """Let the operator do these things; what was written in the end."""
        self.reader = Script(list(deeds))
        await self.session.run(self.reader, (), greet)
        return await self.shown()

    async def shown(self) -> str:
        self.writer.put("|")
        await self.writer.drain()
        return os.read(self._pipe[0], 65_536).decode().removesuffix("|")

    async def close(self) -> None:
        # The thread that writes must not meet the same handle in the next test.
        await self.writer.drain()
        for handle in self._pipe:
            os.close(handle)


@pytest.fixture
async def remote() -> AsyncIterator[Desk]:
    """A remote console."""
    desk = Desk()
    yield desk
    await desk.close()


@pytest.fixture
async def local() -> AsyncIterator[Desk]:
    """A local one."""
    desk = Desk(remote=False)
    yield desk
    await desk.close()


async def test_a_remote_console_is_left_by_word_or_key(remote: Desk) -> None:
    assert await remote.play("one", " exit ") == "<one>\n"
    assert await remote.play("two", Leaving()) == "<two>\n"


async def test_a_backend_may_close_a_remote_console(remote: Desk) -> None:
    remote.backend.quits = True
    assert await remote.play("alias of quit") == "<alias of quit>\n"


async def test_a_local_console_stays_until_the_instance_stops(local: Desk) -> None:
    local.backend.quits = True
    with pytest.raises(EOFError):
        await local.play("quit", "other word for quit", Leaving())
    shown = await local.shown()
    assert "`core stop now` ends both" in shown
    assert "Press Ctrl-D once more" in shown
    assert local.backend.lines == ["other word for quit"]


async def test_two_ctrl_d_stop_the_instance(local: Desk) -> None:
    with pytest.raises(EOFError):
        await local.play(Leaving(), Leaving())
    assert local.backend.lines == ["core stop now"]


async def test_the_end_of_the_input_is_told(remote: Desk) -> None:
    with pytest.raises(EOFError):
        await remote.play("last")
    assert await remote.shown() == "<last>\n"


async def test_blanks_behind_a_line_are_dropped_unless_they_are_meant(remote: Desk) -> None:
    await remote.play(" show x ", "show x\\ ", "   ", "quit")
    assert remote.backend.lines == [" show x", "show x\\ "]


async def test_a_question_is_answered_by_what_can_follow(remote: Desk) -> None:
    assert await remote.play("pjsip ?", "quit") == "  next  behind pjsip\n"
    assert remote.backend.lines == []


async def test_an_instance_that_is_gone_suggests_nothing(remote: Desk) -> None:
    remote.backend.slow = True
    assert await remote.session.suggest("x") == ()


async def test_ctrl_c_ends_the_command_and_not_the_console(remote: Desk) -> None:
    assert await remote.play("hang", "on", "quit") == "<on>\n"


@pytest.mark.parametrize("line", ["die", "vanish"])
async def test_an_instance_gone_during_a_command_is_told(remote: Desk, line: str) -> None:
    with pytest.raises(Disconnected, match=r"it (died|vanished)"):
        await remote.play(line, "never")
    assert remote.backend.lines == [line]


async def test_a_line_given_up_does_nothing(remote: Desk) -> None:
    assert await remote.play(Interrupted(), "quit") == ""
    assert "Ctrl-D" in await remote.play(Interrupted(empty=True), "quit")


async def test_the_bar_is_drawn_again_when_counts_change_and_only_then(remote: Desk) -> None:
    loop = asyncio.get_running_loop()
    for number in (1, 2, 2):
        loop.call_soon(remote.session.counts, {"Registered": number})
    await remote.play("quit")
    assert remote.reader.drawn == 1
    assert any(fragment[1] == "2 registered" for fragment in remote.session.bar())


async def test_log_lines_go_to_whoever_reads(remote: Desk) -> None:
    loop = asyncio.get_running_loop()
    loop.call_soon(remote.session.lines, "a line\n")
    await remote.play("quit")
    assert remote.reader.shown == ["a line\n"]


async def test_the_greeting_comes_first(remote: Desk) -> None:
    assert (await remote.play("x", "quit", greet=True)).startswith(
        "pjreg-cli 1.0, /etc/pjsip.conf\n"
    )


async def test_a_forbidden_shell_is_not_started() -> None:
    desk = Desk(shell_allowed=False)
    assert "no shell" in await desk.play("!touch /nonexistent/x", "quit")
    await desk.close()


async def test_a_shell_that_cannot_start_is_said(
    remote: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHELL", "/does/not/exist")
    assert "No shell can be started" in await remote.play("!true", "quit")


async def test_python_has_its_interrupts_back_afterwards(remote: Desk) -> None:
    await remote.play("quit")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
