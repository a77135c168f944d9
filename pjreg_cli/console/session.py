"""One console at work: reads lines, runs them, shows what comes unasked."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress

from prompt_toolkit.formatted_text import StyleAndTextTuples as Fragments

from pjreg_cli.console.backend import Backend, InstanceFacts, Suggestion, Write
from pjreg_cli.console.completer import NOTHING, explained, question
from pjreg_cli.console.interruptible import Interruptible, NotTaken
from pjreg_cli.console.paint import Painter, paint
from pjreg_cli.console.pipeline import FileSink, Pager, Piped, ShellSink, Sink, taken_apart
from pjreg_cli.console.reader import Interrupted, Leaving, Reader
from pjreg_cli.console.shell import run_shell
from pjreg_cli.console.status import (
    AGAIN,
    LEAVE_LOCAL,
    LEAVE_REMOTE,
    NO_SHELL,
    REALLY,
    RELOAD,
    bar,
    greeting,
)
from pjreg_cli.console.terminal import Terminal
from pjreg_cli.console.watch import show, watched
from pjreg_cli.console.writer import Writer

_PIECE = 4_096
"""Characters written at once: between two pieces Ctrl-C is heard."""
_TWICE_S = 2.0
"""A second Ctrl-D within this time is meant."""
_PATIENCE_S = 2.0
"""How long Tab waits for an instance."""
_SAME_KEY_S = 0.5
"""How much later than a shell we may hear of the Ctrl-C that ended it."""
_LEAVE = frozenset({"quit", "exit"})


_CONFIRMED = ["pjreg", "reload", "--confirm"]
_TIMING = {"pjreg timing on": True, "pjreg timing off": False}


class Disconnected(Exception):  # noqa: N818 -- a fact, told to the caller
    """The instance is gone."""


class Session:
    """A console from its greeting to its end; it owns SIGINT while `run` lasts."""

    def __init__(
        self,
        backend: Backend,
        facts: InstanceFacts,
        *,
        remote: bool,
        colour: bool,
        shell_allowed: bool,
        terminal: Terminal,
        writer: Writer,
        pages: bool = False,
    ) -> None:
        """`pages` where somebody reads who may want a pager."""
        self._pages = pages
        self._timing = False
        self._took_s = 0.0
        self._backend = backend
        self._facts = facts
        self._remote = remote
        self._colour = colour
        self._shell_allowed = shell_allowed
        self._terminal = terminal
        self._writer = writer
        self._reader: Reader | None = None
        self._counts: Mapping[str, int] = facts.counts
        self._doing = ""
        self._work = Interruptible()
        self._in_shell = False
        self._heard_in_shell = asyncio.Event()
        self._interrupted = ""
        """To be said of lines that Ctrl-C has kept from being run."""
        self._gone: Disconnected | None = None
        self._asked_to_leave_at = float("-inf")

    # -- what a reader is made with -----------------------------------------------------------

    def bar(self) -> Fragments:
        """The bar as it is true now."""
        return bar(self._counts, self._doing)

    async def suggest(self, text: str) -> Sequence[Suggestion]:
        """What `text` can go on with; nothing when the instance is gone or slow."""
        try:
            async with asyncio.timeout(_PATIENCE_S):
                return await self._backend.suggest(text)
        except OSError:
            # TimeoutError is one, too.
            return ()

    # -- what the backend tells ---------------------------------------------------------------

    def counts(self, counts: Mapping[str, int]) -> None:
        """The numbers of the bar."""
        if counts != self._counts:
            self._counts = dict(counts)
            if self._reader is not None:
                self._reader.refresh()

    def doing(self, text: str) -> None:
        """What the bar says of what is under way."""
        self._doing = text
        if self._reader is not None:
            self._reader.refresh()

    def lines(self, text: str) -> None:
        """Lines of the log."""
        text = paint(text, self._colour)
        if self._reader is not None:
            self._reader.lines(text)
        else:
            self._writer.put_lines(text)

    def closed(self, why: str) -> None:
        """The instance is gone: end what is under way."""
        self._gone = Disconnected(why)
        if not self._work.cancel() and self._reader is not None:
            self._reader.leave(self._gone)

    # -- the loop -----------------------------------------------------------------------------

    async def run(self, reader: Reader, commands: Sequence[str], greet: bool) -> None:
        """Greet, run `commands`, then what is read.

        Returns when the operator leaves; raises Disconnected, and EOFError when the input ends.
        """
        self._reader = reader
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGINT, self._interrupt)
        try:
            with self._terminal.quiet():
                if greet:
                    self._writer.put(greeting(self._facts, self._remote))
                self._backend.watch(self)
                for command in commands:
                    if await self._do(command):
                        return
                while True:
                    await self._writer.drain()
                    if await self._step(reader):
                        return
        finally:
            loop.remove_signal_handler(signal.SIGINT)
            self._reader = None

    async def _step(self, reader: Reader) -> bool:
        """Read a line and do it; True to leave."""
        if self._gone is not None:
            raise self._gone
        try:
            line = await reader.read()
        except Interrupted as interrupted:
            if interrupted.empty:
                self._writer.put(LEAVE_REMOTE if self._remote else LEAVE_LOCAL)
            return False
        except Leaving:
            return await self._wants_to_leave()
        return await self._do(line)

    async def _wants_to_leave(self) -> bool:
        if self._remote:
            return True
        now = asyncio.get_running_loop().time()
        if now - self._asked_to_leave_at > _TWICE_S:
            self._asked_to_leave_at = now
            self._writer.put(AGAIN)
            return False
        return await self._do("core stop now")

    async def _do(self, line: str) -> bool:
        """Do what a line says; True to leave."""
        command = line.strip()
        if not command:
            return False
        if command.lower() in _LEAVE:
            if not self._remote:
                self._writer.put(LEAVE_LOCAL)
            return self._remote
        if command.startswith("!"):
            await self._shell(command[1:].strip())
            return False
        if (asked := question(line)) is not None:
            self._writer.put(explained(await self.suggest(asked), 80, 1_000) or NOTHING)
            return False
        # Tab leaves a blank behind; error lines repeat what was typed, and look odd with it.
        line = line if line.endswith("\\ ") else line.rstrip()
        if (timing := _TIMING.get(" ".join(command.lower().split()))) is not None:
            self._timing = timing
            self._writer.put(f"How long a command took is {'told' if timing else 'not told'}.\n")
            return False
        if command.lower().split() == _CONFIRMED:
            return await self._reload_if_wanted()
        if self._pages and (pattern := watched(command)) is not None:
            with self._terminal_lent(interactive=True):
                await show(self._backend, pattern, colour=self._colour)
            return False
        piped = taken_apart(line)
        if piped.sign:
            await self._execute_into(piped)
            return False
        return await self._execute(line)

    async def _reload_if_wanted(self) -> bool:
        """Show what a reload would do, and do it once the operator says so."""
        if await self._execute(f"{RELOAD} plan"):
            return True
        reader = self._reader
        assert reader is not None
        try:
            answer = await reader.ask(REALLY)
        except (Interrupted, Leaving):
            answer = ""
        if answer.strip().lower() not in ("y", "yes"):
            self._writer.put("Nothing was reloaded.\n")
            return False
        return await self._execute(RELOAD)

    async def _execute(self, line: str) -> bool:
        """Run a command, its output on the terminal; True to leave."""
        pager = self._pager_of(line)
        if pager is not None:
            return await self._execute_for(line, pager, painter=Painter(self._colour))
        painter = Painter(self._colour)

        async def write(text: str) -> None:
            await self._write(painter.feed(text))

        quits, whole = await self._run(line, write, self._terminal.columns)
        rest = painter.rest()
        if whole:
            await self._write(rest)
        return await self._ended(quits)

    async def _run(self, line: str, write: Write, columns: int) -> tuple[bool, bool]:
        """Have a command run; whether it wants the console closed, and whether it came to its
        end."""
        quits = False

        async def execute() -> None:
            nonlocal quits
            quits = (await self._backend.execute(line, write)).quit

        self._backend.resized(columns)
        began_at = asyncio.get_running_loop().time()
        try:
            whole = await self._work.do(execute())
        except NotTaken:
            whole = True
        except OSError as error:
            raise self._gone or Disconnected(str(error)) from error
        self._took_s = asyncio.get_running_loop().time() - began_at
        return quits, whole

    async def _ended(self, quits: bool) -> bool:
        """Say what is to be said behind an output; True to leave."""
        await self._writer.finish_line()
        told, self._interrupted = self._interrupted, ""
        self._writer.put(told)
        if self._timing:
            self._writer.put(f"({self._took_s * 1000:.0f} ms)\n")
        if self._gone is not None:
            raise self._gone
        return quits and self._remote

    # -- output that goes elsewhere -----------------------------------------------------------

    async def _execute_into(self, piped: Piped) -> None:
        """`COMMAND | shell command`, `COMMAND > file`."""
        if not self._shell_allowed:
            self._writer.put(NO_SHELL)
            return
        try:
            if piped.sign == "|":
                sink: Sink = await ShellSink.start(piped.target)
            else:
                sink = await FileSink.open(piped.target, append=piped.sign == ">>")
        except OSError as error:
            self._writer.put(f"{piped.target}: {error.strerror}\n")
            return
        await self._execute_for(piped.command, sink)

    async def _execute_for(self, line: str, sink: Sink, painter: Painter | None = None) -> bool:
        """Run a command whose output `sink` takes; True to leave."""
        failed: OSError | None = None
        painter = painter or Painter(colour=False)

        async def write(text: str) -> None:
            nonlocal failed
            try:
                await sink.write(painter.feed(text))
            except OSError as error:
                failed = None if isinstance(error, BrokenPipeError) else error
                raise NotTaken from error

        quits, told = False, ""
        columns = self._terminal.columns if isinstance(sink, Pager) else 0
        await self._writer.drain()
        with self._terminal_lent():
            quits, whole = await self._run(line, write, columns)
            if not whole:
                sink.abandon()
            with suppress(OSError, NotTaken):
                await sink.write(painter.rest())
            told = await sink.close()
        if failed is not None:
            told = f"The output could not be written: {failed.strerror}\n"
        self._writer.put(told)
        return await self._ended(quits)

    def _pager_of(self, line: str) -> Pager | None:
        """What pages a long output, if the operator wants that."""
        command = os.environ.get("PJREG_PAGER", "").strip()
        rows = self._terminal.rows
        if not command or not rows or not self._shell_allowed or not self._pages:
            return None
        return Pager(command, rows, self._writer.put)

    async def _write(self, text: str) -> None:
        for at in range(0, len(text), _PIECE):
            self._writer.put(text[at : at + _PIECE])
            await self._writer.drain()

    async def _shell(self, command: str) -> None:
        if not self._shell_allowed:
            self._writer.put(NO_SHELL)
            return
        await self._writer.drain()
        try:
            with self._terminal_lent(interactive=not command):
                if await run_shell(command):
                    await self._hear_it()
        except OSError as error:
            self._writer.put(f"No shell can be started: {error}\n")

    @contextmanager
    def _terminal_lent(self, *, interactive: bool | None = None) -> Iterator[None]:
        """The terminal is somebody else's meanwhile; log lines wait.

        Its modes stay ours for a command that only takes our output (`interactive` None).
        """
        self._writer.hold(True)
        self._in_shell = True
        self._heard_in_shell.clear()
        try:
            modes = nullcontext() if interactive is None else self._terminal.lent(interactive)
            with modes:
                yield
        finally:
            self._in_shell = False
            self._writer.hold(False)

    def suspend(self) -> None:
        """Ctrl-Z: stop with the modes the terminal had, until the shell lets us go on."""
        with self._terminal.lent(interactive=True):
            os.kill(0, signal.SIGTSTP)

    async def _hear_it(self) -> None:
        """The Ctrl-C that ended a shell came to us, too, perhaps a moment later: it is its own."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_SAME_KEY_S):
                await self._heard_in_shell.wait()

    # -- Ctrl-C -------------------------------------------------------------------------------

    def _interrupt(self) -> None:
        """SIGINT: during an output it ends that, at a prompt it gives up the line."""
        if self._in_shell:
            # The terminal has echoed ^C.
            self._heard_in_shell.set()
            self._writer.put("\n")
            if self._work.cancel():
                self._forget_the_rest()
            return
        if self._work.cancel():
            self._forget_the_rest()
        elif self._reader is not None:
            self._reader.interrupt()

    def _forget_the_rest(self) -> None:
        self._terminal.forget_typed()
        dropped = self._reader.forget() if self._reader is not None else 0
        if dropped:
            lines = "line" if dropped == 1 else "lines"
            self._interrupted = f"({dropped:,} more {lines} of what was pasted were not run)\n"
