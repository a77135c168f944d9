"""`pjreg-cli demo`: an instance against a registrar of its own on loopback.

No network, no privileges, nothing left behind: ports are chosen free, everything that is written
lives in a temporary folder, and what was registered is unregistered at the end.
"""

from __future__ import annotations

import asyncio
import copy
import os
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from string import Template

from pjreg_cli import remote
from pjreg_cli.api.notices import Notice, Settled
from pjreg_cli.config.load import load
from pjreg_cli.control.claim import Claim
from pjreg_cli.demo import registrar as demo_registrar
from pjreg_cli.demo.database import move_accounts
from pjreg_cli.errors import PjregError, TransportError
from pjreg_cli.instance.local_console import console
from pjreg_cli.instance.logs import Logs
from pjreg_cli.instance.program import LEAVE_S, Program, serve
from pjreg_cli.instance.register_once import until_terminated
from pjreg_cli.offline.answer import execute_all, one_shot
from pjreg_cli.options import Options, as_line
from pjreg_cli.store.rows import open_rows

#: what would leave the folder behind if it came at the wrong moment
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_FIXTURES = Path(__file__).parents[1] / "fixtures" / "demo"

#: every registration of the fixtures has an outcome after little more than a second
_SETTLE_S = 5.0
#: how often another free port is tried when somebody took the one that was chosen
_TRIES = 5

_HINT = """\
A registrar and four trunks on loopback.  Try: pjsip show registrations,
pjreg explain old-account, pjreg watch, pjsip send unregister office.
Tab completes, ? lists.  core stop now ends the demo.
"""

#: command, and the registration whose next outcome it waits for
_TOUR = (
    ("pjsip show registrations", ""),
    ("pjsip show registration old-account", ""),
    ("pjsip send unregister office", "office"),
    ("pjsip show registrations", ""),
)


def run(options: Options) -> int:
    """Run the demo: with the words that follow as one command, else as a console or a tour."""
    words = options.words[1:]
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
    try:
        with tempfile.TemporaryDirectory(prefix="pjreg-demo-") as folder:
            return asyncio.run(until_terminated(_heeding(options, Path(folder), as_line(words))))
    except PjregError as error:
        remote.complain(str(error))
        return remote.FAILED
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


async def _heeding(options: Options, folder: Path, command: str) -> int:
    """The demo, which signals end; before and behind it they wait until the folder is gone."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)
    try:
        return await _demo(options, folder, command)
    finally:
        signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)


async def _demo(options: Options, folder: Path, command: str) -> int:
    if not command and os.isatty(0) and os.isatty(1):
        async with _registrar_and_trunks(options, folder, quiet=True) as program:
            return await _at_terminal(program, options)
    async with _registrar_and_trunks(options, folder, quiet=not options.verbose) as program:
        await program.engine.settled(_SETTLE_S)
        asker = one_shot(program.port, options)
        if command:
            return await execute_all(asker, [command])
        status = remote.DONE
        for line, awaited in _TOUR:
            remote.write(f"*CLI> {line}\n".encode())
            outcome = _outcome(program, awaited)
            status = max(status, await execute_all(asker, [line]))
            if awaited:
                await asyncio.wait_for(outcome, _SETTLE_S)
        return status


async def _at_terminal(program: Program, options: Options) -> int:
    """Open the console, and the control socket beside it, until the operator stops the demo."""
    remote.write(_HINT.encode())
    claim = Claim.take(program.socket_path)
    try:
        await serve(program, options, claim, console)
    finally:
        claim.release()
    return remote.DONE


def _outcome(program: Program, name: str) -> asyncio.Future[None]:
    """Done once the registration `name` has had its next outcome."""
    outcome: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def heard(notice: Notice) -> None:
        if isinstance(notice, Settled) and notice.name == name:
            end()
            if not outcome.done():
                outcome.set_result(None)

    end = program.engine.notices.subscribe(heard) if name else lambda: None
    return outcome


@asynccontextmanager
async def _registrar_and_trunks(
    options: Options, folder: Path, *, quiet: bool
) -> AsyncIterator[Program]:
    """The engine of a demo at work; unregisters at the end."""
    async with AsyncExitStack() as stack:
        logs = Logs(
            stderr=None if quiet else sys.stderr,
            verbose=options.verbose,
            debug=options.debug,
        )
        stack.callback(logs.close)
        registrar = await demo_registrar.start()
        stack.callback(registrar.close)
        program = await _open(options, folder, logs, registrar.port, stack)
        stack.push_async_callback(program.engine.leave, LEAVE_S)
        yield program


async def _open(
    options: Options, folder: Path, logs: Logs, registrar: int, stack: AsyncExitStack
) -> Program:
    own = copy.copy(options)
    own.socket = str(folder / "ctl")
    for left in reversed(range(_TRIES)):
        _write_configuration(folder, {"REGISTRAR": registrar, "PORT": _free_port()})
        if options.database:
            move_accounts(folder)
        program = Program(load(folder, open_rows), own, logs)
        async with AsyncExitStack() as attempt:
            try:
                await program.open(attempt)
            except TransportError:
                if not left:
                    raise
                continue
            stack.push_async_callback(attempt.pop_all().aclose)
            return program
    raise AssertionError("the last try either returns or raises")


def _write_configuration(folder: Path, ports: dict[str, int]) -> None:
    for source in sorted(_FIXTURES.iterdir()):
        text = Template(source.read_text("utf-8")).safe_substitute(ports)
        (folder / source.name).write_text(text, "utf-8")


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port
