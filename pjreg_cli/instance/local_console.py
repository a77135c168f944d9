"""An instance with its console in this terminal (`-c`)."""

from __future__ import annotations

import sys

from pjreg_cli.commands.tree import Console, Kind
from pjreg_cli.console.backend import InstanceFacts
from pjreg_cli.console.repl import run_local
from pjreg_cli.dialects import named
from pjreg_cli.instance.program import Program, run_instance
from pjreg_cli.options import Options


def run(options: Options) -> int:
    """Run an instance and its console until it is stopped; the exit status."""
    return run_instance(options, console)


async def console(program: Program, options: Options) -> None:
    """Serve the terminal until this is cancelled or the terminal is gone."""
    view = program.life.view()
    asker = Console(
        port=program.port,
        kind=Kind.CONSOLE,
        dialect=named(options.dialect),
        json=options.json,
        verbose=options.verbose,
    )
    facts = InstanceFacts(
        version=view.version,
        config_path=view.config_path,
        pid=view.pid,
        counts=program.port.registrations.count(),
    )
    await run_local(
        asker,
        greeting=facts,
        colour=options.coloured(terminal=sys.stdout.isatty()),
        log=program.logs.subscribe,
    )
