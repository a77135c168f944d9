"""Commands answered in this process, because no instance runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path

from pjreg_cli import remote
from pjreg_cli.api.port import Api
from pjreg_cli.commands.tree import Console, Kind, execute
from pjreg_cli.config.load import load
from pjreg_cli.dialects import named
from pjreg_cli.errors import PjregError
from pjreg_cli.offline.api import offline_port
from pjreg_cli.options import Options, config_path

Show = Callable[[bytes], None]


def one_shot(port: Api, options: Options) -> Console:
    """Who asks, when the commands of the command line are executed in this process."""
    return Console(port=port, kind=Kind.ONE_SHOT, dialect=named(options.dialect), json=options.json)


async def execute_all(console: Console, lines: Iterable[str], show: Show = remote.write) -> int:
    """Execute `lines` in turn; 1 if any failed.  Raises BrokenPipeError."""
    status = remote.DONE
    for line in lines:
        reply = await execute(line, console)
        for piece in reply.output:
            show(piece.encode("utf-8", "surrogateescape"))
        if not reply.ok:
            status = remote.FAILED
        if reply.quit:
            break
    return status


def from_configuration(options: Options, lines: Iterable[str], why: str, show: Show) -> int:
    """Answer from the configuration alone; `why` no instance was asked is said on stderr."""
    path = config_path(options)
    try:
        settings = load(Path(path))
    except PjregError as error:
        remote.complain(f"{why}, and there is no configuration to answer from: {error}")
        return remote.FAILED
    remote.complain(
        f"{why}: answered from {settings.path} alone, nothing was sent"
        " (--register really registers first)"
    )
    console = one_shot(offline_port(settings), options)
    return asyncio.run(execute_all(console, lines, show))
