"""A console's backend in the process of the instance: the command tree answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import aclosing
from datetime import UTC, datetime

from pjreg_cli.api.asker import asked_by
from pjreg_cli.api.notices import Doing, Notice, Settled, Traced
from pjreg_cli.commands.command import Console, Suggestion, pieces
from pjreg_cli.commands.tree import execute, suggest
from pjreg_cli.console.backend import InstanceFacts, Result, Watcher, Write
from pjreg_cli.errors import PjregError
from pjreg_cli.render.traced import stamped

_PIECE = 8_192
"""Characters gathered before they are written."""
_SETTLING_S = 0.02
"""Ten thousand registrations may settle at once: they are counted once."""

LogListener = Callable[[str, str, int], None]
"""Called with level, text, and the verbosity from which on a console wants to see it."""
Log = Callable[[LogListener, int], Callable[[], None]]
"""Subscribes to the log up to a verbosity; the result ends that."""


def silence(_listener: LogListener, _most: int) -> Callable[[], None]:
    """The log of an instance that has none."""
    return lambda: None


def _nothing() -> None:
    """The end of what never began."""


class LocalBackend:
    """Answers from `commands.tree`; traces and counts come as notices."""

    def __init__(self, console: Console, facts: InstanceFacts, log: Log = silence) -> None:
        self._console = console
        self._facts = facts
        self._log = log
        self._end_log: Callable[[], None] = _nothing
        self._ends: list[Callable[[], None]] = []
        self._listener: LogListener | None = None
        self._heard = 0
        """Up to which verbosity lines of the log are asked for."""
        self._counting: asyncio.TimerHandle | None = None

    async def facts(self) -> InstanceFacts:
        """What the program gave for the greeting."""
        return self._facts

    def watch(self, watcher: Watcher) -> None:
        """Tell of log lines, traces and every change of the counts."""

        def heard(notice: Notice) -> None:
            if isinstance(notice, Settled) and (told := self._console.told(notice)):
                watcher.lines(told)
            if isinstance(notice, Traced):
                if not self._console.muted:
                    watcher.lines(stamped(notice, datetime.now(UTC).astimezone()))
            elif isinstance(notice, Doing):
                watcher.doing(notice.text)
            elif self._counting is None:
                loop = asyncio.get_running_loop()
                self._counting = loop.call_later(_SETTLING_S, count)

        def count() -> None:
            self._counting = None
            watcher.counts(self._console.port.registrations.count())

        def logged(_level: str, text: str, verbosity: int) -> None:
            if verbosity <= self._console.verbose and not self._console.muted:
                watcher.lines(text if text.endswith("\n") else f"{text}\n")

        self._listener = logged
        self._ends.append(self._console.port.notices.subscribe(heard))
        self._listen()
        count()

    def _listen(self) -> None:
        """Be told lines of the log as the console wants them now."""
        if self._listener is not None:
            self._end_log()
            self._heard = self._console.verbose
            self._end_log = self._log(self._listener, self._heard)

    async def execute(self, line: str, write: Write) -> Result:
        """Run a command; a long answer is made piece by piece, as the terminal takes it."""
        with asked_by("the console of its terminal"):
            reply = await execute(line, self._console)
        if self._heard != self._console.verbose:
            self._listen()
        gathered: list[str] = []
        size = 0
        ok = reply.ok
        try:
            async with aclosing(pieces(reply)) as output:
                async for chunk in output:
                    gathered.append(chunk)
                    size += len(chunk)
                    if size >= _PIECE:
                        await write("".join(gathered))
                        gathered.clear()
                        size = 0
        except PjregError as error:
            gathered.append(f"{error}\n")
            ok = False
        await write("".join(gathered))
        return Result(ok, reply.quit)

    def resized(self, columns: int) -> None:
        """Our tables keep to so many columns."""
        self._console.width = columns

    async def suggest(self, text: str) -> Sequence[Suggestion]:
        """What the command tree says, at once."""
        return suggest(text, self._console)

    async def close(self) -> None:
        """Listen no longer."""
        self._end_log()
        if self._counting is not None:
            self._counting.cancel()
        while self._ends:
            self._ends.pop()()
