"""Registrations for the time of a few commands only (`--register`)."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Coroutine, Iterable
from contextlib import AsyncExitStack
from pathlib import Path

from pjreg_cli import levels, remote
from pjreg_cli.config.load import load
from pjreg_cli.console.progress import Progress
from pjreg_cli.control.claim import Claim
from pjreg_cli.engine.problems import log_problems
from pjreg_cli.errors import PjregError
from pjreg_cli.instance.logs import Logs
from pjreg_cli.instance.program import LEAVE_S, Program
from pjreg_cli.offline.answer import Show, execute_all, one_shot
from pjreg_cli.options import Options, config_path
from pjreg_cli.store.rows import open_rows

#: names in a complaint
_NAMED = 5
_ENDING = (signal.SIGTERM, signal.SIGHUP)


def register_and_answer(options: Options, lines: Iterable[str], show: Show) -> int:
    """Register for the time of these commands only, and unregister again; the exit status."""
    try:
        return asyncio.run(until_terminated(_registered(options, lines, show)))
    except PjregError as error:
        remote.complain(str(error))
        return remote.FAILED


async def _registered(options: Options, lines: Iterable[str], show: Show) -> int:
    settings = load(Path(config_path(options)), open_rows)
    # whoever asked for an answer wants to hear of troubles only
    logs = Logs(
        stderr=sys.stderr, verbose=options.verbose, debug=options.debug, least=levels.WARNING
    )
    async with AsyncExitStack() as stack:
        stack.callback(logs.close)
        claim = Claim.take(Path(options.socket_path))
        stack.callback(claim.release)
        log_problems(settings.problems)
        program = Program(settings, options, logs)
        stack.push_async_callback(program.engine.close)
        await program.engine.open()
        progress = stack.enter_context(Progress(sys.stderr))
        stack.push_async_callback(_leave, program, progress)
        settled = await _settled(program, options, progress)
        status = await execute_all(one_shot(program.port, options), lines, show)
        return status if settled else remote.FAILED


async def _settled(program: Program, options: Options, progress: Progress) -> bool:
    """Wait until every registration has had an outcome; says which have had none in time."""
    registrations = program.port.registrations
    every = len(registrations.names())

    def text() -> str:
        left = sum(view.evidence is None for view in registrations.views())
        return f"registering: {every - left} of {every} have an answer"

    with progress.showing(text):
        settled = await program.engine.settled(options.wait_s)
    if not settled:
        without = [view.row.name for view in registrations.views() if view.evidence is None]
        names = ", ".join(without[:_NAMED]) + (" ..." if without[_NAMED:] else "")
        remote.complain(f"no outcome within {options.wait_s:g} s: {names}")
    return settled


async def _leave(program: Program, progress: Progress) -> None:
    """Unregister what was registered."""
    began_at = asyncio.get_running_loop().time()

    def text() -> str:
        done, every = program.engine.leaving()
        left_s = LEAVE_S - (asyncio.get_running_loop().time() - began_at)
        return f"unregistering: {done} of {every} answered, {max(0, left_s):.0f} s left"

    with progress.showing(text):
        await program.engine.leave(LEAVE_S)


async def until_terminated(work: Coroutine[object, object, int]) -> int:
    """Run `work`; SIGTERM and SIGHUP cancel it, as SIGINT does, so that it can tidy up."""
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    assert task is not None
    for number in _ENDING:
        loop.add_signal_handler(number, task.cancel)
    try:
        return await work
    except asyncio.CancelledError:
        return remote.INTERRUPTED
    finally:
        for number in _ENDING:
            loop.remove_signal_handler(number)
