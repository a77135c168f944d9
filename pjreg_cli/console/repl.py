"""The interactive console: `run_local` for `-c`, `run_remote` for `-r` and `-R`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

from pjreg_cli.commands.tree import Console
from pjreg_cli.console.backend import Backend, Facts

Spawn = Callable[[Coroutine[Any, Any, None], str], object]
"""Starts a task with a name (`engine.tasks.spawn`); results of the loop's coroutines are unused."""
Lines = Callable[[Callable[[str], None]], Callable[[], None]]
"""Subscribes to log lines: called with a listener, gives back what ends it."""
Reconnect = Callable[[], Awaitable[Backend]]
"""One attempt to reach the instance again; raises OSError when there is none."""


def silence(_listener: Callable[[str], None]) -> Callable[[], None]:
    """The log of an instance that has none."""
    return lambda: None


async def run_local(
    console: Console,
    *,
    greeting: Facts,
    spawn: Spawn,
    colour: bool,
    shell_allowed: bool,
    commands: Sequence[str] = (),
    lines: Lines = silence,
) -> None:
    """Serve the console of the instance in this process (`-c`).

    It owns SIGINT while it runs.  It ends when it is cancelled (the instance stops) or when the
    terminal is gone: the instance then goes on without a console.  `commands` are run first, as
    typed.
    """
    raise NotImplementedError


async def run_remote(
    backend: Backend,
    *,
    hostname: str,
    colour: bool,
    shell_allowed: bool = True,
    reconnect: Reconnect | None = None,
    commands: Sequence[str] = (),
) -> int:
    """Serve a console of an instance elsewhere (`-r`, with `reconnect` `-R`).

    Returns the exit status: 0 when the operator left, 1 when the instance is gone.
    """
    raise NotImplementedError
