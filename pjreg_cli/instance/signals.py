"""What signals mean to an instance."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from collections.abc import Callable, Iterator
from os import isatty

from pjreg_cli.api.asker import asked_by
from pjreg_cli.api.instance import Stop
from pjreg_cli.engine.tasks import spawn
from pjreg_cli.instance.lifecycle import Lifecycle
from pjreg_cli.levels import NOTICE

_log = logging.getLogger("pjreg_cli.instance")


@contextlib.contextmanager
def heed_signals(life: Lifecycle, *, on_terminal: bool) -> Iterator[None]:
    """SIGTERM and SIGINT end at once, SIGHUP reloads; SIGPIPE is ignored, as Python has it.

    With a console `on_terminal`, SIGHUP may also say that its window was closed.
    """
    loop = asyncio.get_running_loop()

    def reload() -> None:
        if on_terminal and not isatty(0):
            _log.log(NOTICE, "The terminal of the console is gone; the instance goes on without it")
            return
        with asked_by("SIGHUP"):
            spawn(reload_all(life), "reload")

    def stop(name: str) -> None:
        with asked_by(name):
            life.stop(Stop.NOW)

    handlers: dict[int, Callable[[], None]] = {
        signal.SIGTERM: lambda: stop("SIGTERM"),
        signal.SIGINT: lambda: stop("SIGINT"),
        signal.SIGHUP: reload,
    }
    for number, handler in handlers.items():
        loop.add_signal_handler(number, handler)
    try:
        yield
    finally:
        for number in handlers:
            loop.remove_signal_handler(number)


async def reload_all(life: Lifecycle) -> None:
    """Reload everything."""
    await life.reload(())
