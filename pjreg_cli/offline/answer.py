"""Commands answered in this process, because no instance runs."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable
from contextlib import aclosing
from pathlib import Path

from pjreg_cli import remote
from pjreg_cli.api.configuration import Level
from pjreg_cli.api.port import Api
from pjreg_cli.commands.command import pieces
from pjreg_cli.commands.tree import Console, Kind, execute, suggest
from pjreg_cli.config.load import load
from pjreg_cli.config.settings import Settings
from pjreg_cli.dialects import named
from pjreg_cli.errors import PjregError
from pjreg_cli.offline.api import offline_port
from pjreg_cli.options import FRESH, Options, config_path, configured
from pjreg_cli.store.past import StoredHistory
from pjreg_cli.store.places import state_file_of
from pjreg_cli.store.rows import open_rows

#: commands that are answered without a configuration
_UNCONFIGURED = tuple(
    line.split()
    for line in (
        "core show help",
        "core show version",
        "pjsip show version",
        "config show help",
    )
)
Show = Callable[[bytes], None]


def one_shot(port: Api, options: Options) -> Console:
    """Who asks, when the commands of the command line are executed in this process."""
    return Console(
        port=port,
        kind=Kind.ONE_SHOT,
        dialect=named(options.dialect),
        json=options.json,
        width=remote.columns(),
    )


async def execute_all(console: Console, lines: Iterable[str], show: Show = remote.write) -> int:
    """Execute `lines` in turn; 1 if any failed.  Raises BrokenPipeError."""
    status = remote.DONE
    for line in lines:
        reply = await execute(line, console)
        ok = reply.ok
        try:
            async with aclosing(pieces(reply)) as output:
                async for piece in output:
                    show(piece.encode("utf-8", "surrogateescape"))
        except PjregError as error:
            remote.complain(str(error))
            ok = False
        for complaint in reply.complaints:
            remote.complain(complaint)
        if not ok:
            status = remote.FAILED
        if reply.quit:
            break
    return status


def from_configuration(options: Options, lines: Iterable[str], why: str, show: Show) -> int:
    """Answer from the configuration alone; `why` no instance was asked is said on stderr."""
    lines = list(lines)
    if lines and all(map(_needs_nothing, lines)):
        nothing = Settings(directory=Path(), path=Path())
        return asyncio.run(execute_all(one_shot(offline_port(nothing), options), lines, show))
    try:
        settings = load(Path(config_path(options)), open_rows)
    except PjregError as error:
        remote.complain(f"{why}, and there is no configuration to answer from: {error}")
        if not configured(options):
            remote.complain(FRESH)
        return remote.FAILED
    remote.complain(
        f"{why}: answered from {settings.path} alone, nothing was sent"
        " (--register really registers first)"
    )
    for problem in settings.problems:
        if problem.level is Level.ERROR:
            remote.complain(f"{problem.where}: {problem.message}")
    console = one_shot(offline_port(settings, options.reveal_secrets, _past(settings)), options)
    status = asyncio.run(execute_all(console, lines, show))
    # what is answered of a file that was given up is not what it says
    return remote.FAILED if settings.errors else status


def suggestions(options: Options, text: str) -> list[str]:
    """What a console would suggest after `text`, each with a tab before its explanation."""
    try:
        settings = load(Path(config_path(options)), open_rows)
    except PjregError:
        settings = Settings(directory=Path(), path=Path())
    found = suggest(text, one_shot(offline_port(settings), options))
    return [f"{one.text}\t{one.description}".rstrip("\t") for one in found]


def _needs_nothing(line: str) -> bool:
    """Whether a command is the same whatever is configured."""
    words = line.casefold().split()
    return any(words[: len(known)] == known for known in _UNCONFIGURED)


def _past(settings: Settings) -> StoredHistory:
    """What an instance has left behind."""
    return StoredHistory(state_file_of(settings, os.environ, root=os.geteuid() == 0))
