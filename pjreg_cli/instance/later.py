"""Loads what every instance needs sooner or later, once it is up.

By then nobody waits for it.  It is not left to the moment of need: an upgrade may have replaced the
files until then, or descriptors may have run out.
"""

from __future__ import annotations

import asyncio
from typing import Final

from pjreg_cli.engine import garbage

#: seconds after the start
AFTER_S = 3.0
#: seconds between two of them: others get their turn
_BETWEEN_S = 0.05
#: commands, causes, name servers, and what reloads say; what only some configurations ask for is
#: not among them.  Those that load many others stand behind these, so that none takes long.
MODULES: Final = (
    "pjreg_cli.why",
    "pjreg_cli.why.diagnosis",
    "pjreg_cli.why.places",
    "pjreg_cli.commands.command",
    "pjreg_cli.commands.cluster",
    "pjreg_cli.commands.pjreg",
    "pjreg_cli.commands.table",
    "pjreg_cli.commands.trace",
    "pjreg_cli.commands.why",
    "pjreg_cli.commands.tree",
    "pjreg_cli.control.protocol",
    "pjreg_cli.control.connection",
    "pjreg_cli.render.traced",
    "zipfile",
    "email.message",
    "importlib.metadata",
    "dns.name",
    "dns.rdata",
    "dns.edns",
    "dns.rdataset",
    "dns.message",
    "pjreg_cli.net.dns_answers",
    "pjreg_cli.net.dns_client",
    "pjreg_cli.config.plan",
    "pjreg_cli.config.check",
    "pjreg_cli.config.help",
    "pjreg_cli.instance.added",
)


async def load() -> None:
    """Load one after the other."""
    await asyncio.sleep(AFTER_S)
    for name in MODULES:
        __import__(name)
        await asyncio.sleep(_BETWEEN_S)
    garbage.set_aside()
