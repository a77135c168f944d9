"""Keeps registrations as tables of a database say, when those say that they have changed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from pjreg_cli.config.settings import Scope
from pjreg_cli.store.rows import told as listen

if TYPE_CHECKING:
    from pjreg_cli.config.table_notifications import Told
    from pjreg_cli.engine.engine import Engine

_log = logging.getLogger("pjreg_cli.instance")

#: seconds until tables that could not be read at the start are tried again
_AGAIN_S = 10.0


async def follow(engine: Engine, withhold: Callable[[str], None]) -> None:
    """Read tables that could not be read at the start as soon as they can be, then whenever the
    database says that they have changed; until cancelled.  `withhold` is told why a change is not
    applied, and of nothing once one is."""
    table = engine.settings.mapped.table
    if table is None:
        return
    while engine.settings.unread:
        await asyncio.sleep(_AGAIN_S)
        if (await engine.reload(Scope.PJSIP)).ok:
            _log.info("%s can be read now", table.database.title)

    async def changed(told: Told) -> None:
        report = await engine.reload(Scope.REGISTRATIONS, told=told)
        withhold("" if report.ok else report.failures[0])

    schema = engine.settings.cluster.schema
    plain = schema.isascii() and schema.isidentifier()
    await listen(table.database, changed, f"{schema.lower() if plain else 'pjreg'}_config")
