"""The interactive console: `run_local` for `-c`, `run_remote` for `-r` and `-R`."""

from __future__ import annotations

import asyncio
import atexit
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path

from prompt_toolkit.utils import is_dumb_terminal

from pjreg_cli.commands.command import Console
from pjreg_cli.console.backend import Backend, InstanceFacts
from pjreg_cli.console.editor import EditorReader, Look
from pjreg_cli.console.environment import editing_mode, history_path, prompt_values
from pjreg_cli.console.history import HistoryFile
from pjreg_cli.console.local import LocalBackend, Log, silence
from pjreg_cli.console.prompt import LOCAL, REMOTE, PromptValues, expand
from pjreg_cli.console.reader import Keys, LineReader, PlainReader, Reader
from pjreg_cli.console.session import Disconnected, Session
from pjreg_cli.console.status import farewell
from pjreg_cli.console.terminal import Terminal
from pjreg_cli.console.writer import Writer

Reconnect = Callable[[], Awaitable[Backend]]
"""One attempt to reach the instance again; raises OSError when there is none."""

RECONNECT_S = 30.0
"""How long `-R` looks for an instance that has gone."""
_ATTEMPT_S = 0.25


async def run_local(
    console: Console,
    *,
    greeting: InstanceFacts,
    colour: bool,
    shell_allowed: bool = True,
    commands: Sequence[str] = (),
    log: Log = silence,
) -> None:
    """Serve the console of the instance in this process (`-c`).

    It ends when it is cancelled (the instance stops) or when the terminal is gone: the instance
    then goes on without a console.  It owns SIGINT while it runs and leaves it as Python has it.
    `commands` are run first, as if typed; `log` subscribes to the log, traces come as notices.
    """
    backend = LocalBackend(console, greeting, log)
    place = _Place(colour)
    session = place.session(backend, greeting, remote=False, shell_allowed=shell_allowed)
    reader = place.reader(
        session, prompt_values(greeting.hostname or os.uname().nodename, remote=False), LOCAL
    )
    try:
        await session.run(reader, commands, greet=place.interactive)
    except EOFError:
        return
    finally:
        await backend.close()


async def run_remote(
    backend: Backend,
    *,
    hostname: str,
    colour: bool,
    shell_allowed: bool = True,
    reconnect: Reconnect | None = None,
    commands: Sequence[str] = (),
) -> int:
    """Serve a console of an instance elsewhere (`-r`; `-R` with `reconnect`).

    `hostname` is that of the instance, unless it told another in its facts.  Returns the exit
    status: 0 when the operator left or the input ended, 1 when the instance is gone.
    """
    place = _Place(colour)
    while True:
        try:
            facts = await backend.facts()
            session = place.session(backend, facts, remote=True, shell_allowed=shell_allowed)
            around = prompt_values(facts.hostname or hostname, remote=True)
            await session.run(place.reader(session, around, REMOTE), commands, place.interactive)
        except EOFError:
            return 0
        except Disconnected as gone:
            place.complain(farewell(facts, str(gone)))
        except OSError as error:
            place.complain(f"{error}\n")
        else:
            return 0
        finally:
            await backend.close()
        again = await _reached(reconnect, place) if reconnect is not None else None
        if again is None:
            return 1
        backend, commands = again, ()


async def _reached(reconnect: Reconnect, place: _Place) -> Backend | None:
    """Look for the instance for `RECONNECT_S` seconds, or until Ctrl-C."""
    loop = asyncio.get_running_loop()
    given_up = asyncio.Event()
    # before it is said: whoever reads it may press the key at once
    loop.add_signal_handler(signal.SIGINT, given_up.set)
    try:
        place.complain(f"Looking for it for {RECONNECT_S:.0f} s (Ctrl-C gives up)\n")
        async with asyncio.timeout(RECONNECT_S):
            while not given_up.is_set():
                with suppress(OSError):
                    return await reconnect()
                with suppress(TimeoutError):
                    await asyncio.wait_for(given_up.wait(), _ATTEMPT_S)
    except TimeoutError:
        place.complain("There is no instance to connect to\n")
    finally:
        loop.remove_signal_handler(signal.SIGINT)
    return None


class _Place:
    """Where a console takes place: the terminal, or the files that stand in for it."""

    def __init__(self, colour: bool) -> None:
        self._input = sys.stdin.fileno()
        self.writer = Writer(sys.stdout.fileno(), sys.stdout.encoding)
        self._terminal = Terminal(self._input)
        self._keys = Keys(self._input, sys.stdin.encoding)
        self._history = HistoryFile(history_path(os.environ, Path.home()))
        atexit.register(self._history.close)
        self.interactive = sys.stdin.isatty() and sys.stdout.isatty()
        self._dumb = is_dumb_terminal()
        self._colour = colour and not self._dumb

    def session(
        self, backend: Backend, facts: InstanceFacts, *, remote: bool, shell_allowed: bool
    ) -> Session:
        return Session(
            backend,
            facts,
            remote=remote,
            colour=self._colour,
            shell_allowed=shell_allowed,
            terminal=self._terminal,
            writer=self.writer,
            pages=self.interactive,
        )

    def reader(self, session: Session, around: PromptValues, default: str) -> Reader:
        template = os.environ.get("ASTERISK_PROMPT") or default

        def prompt() -> str:
            return expand(template, around, self._colour)

        if not self.interactive:
            return LineReader(self._keys, self.writer)
        if self._dumb:
            return PlainReader(self._keys, self.writer, prompt=prompt, terminal=self._terminal)
        return EditorReader(
            sys.stdin,
            sys.stdout,
            writer=self.writer,
            look=Look(prompt, session.bar, self._colour),
            suggest=session.suggest,
            history=self._history,
            mode=editing_mode(os.environ),
            term=os.environ.get("TERM"),
            suspend=session.suspend if around.remote else None,
        )

    def complain(self, text: str) -> None:
        """What is not the output of a command."""
        sys.stderr.write(text)
        sys.stderr.flush()
