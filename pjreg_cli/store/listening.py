"""Being told by PostgreSQL that its tables have changed (LISTEN, NOTIFY)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import psycopg

from pjreg_cli.config.table_notifications import EVERYTHING, Told, told
from pjreg_cli.store.postgres_rows import encrypted, reason

if TYPE_CHECKING:
    from pjreg_cli.config.realtime import Database

_log = logging.getLogger("pjreg_cli.store")

CHANNEL = "pjreg_config"
#: after the first notification, more are gathered for so long, in seconds
_GATHER_S = 1.0
_LONGEST_S = 5.0
_PAUSE_S = 5.0


async def listen(
    database: Database, changed: Callable[[Told], Awaitable[object]], channel: str = CHANNEL
) -> None:
    """Call `changed` after each burst of notifications with what they said, and with each session
    that is begun, before which some may have been missed; until cancelled."""
    lost = False
    while True:
        try:
            connection = await psycopg.AsyncConnection.connect(
                encrypted(database.location.get_secret_value()), autocommit=True, connect_timeout=5
            )
            async with connection:
                await connection.execute(f"LISTEN {channel}")
                if lost:
                    _log.info("%s: answers again", database.title)
                lost = False
                # also the first time: the tables were read before anybody listened
                await changed(EVERYTHING)
                while True:
                    await changed(told(await _one_burst(connection)))
        except (psycopg.Error, OSError) as error:
            if not lost:
                why = reason(error, database.location.get_secret_value())
                _log.warning("%s: changes are not told: %s", database.title, why)
            lost = True
            await asyncio.sleep(_PAUSE_S)


# Any would be what rows hold: none are read here
async def _one_burst(connection: psycopg.AsyncConnection[tuple[object, ...]]) -> set[str]:
    """Wait for a notification, and for those that come right behind it; what they say."""
    said = {one.payload async for one in connection.notifies(stop_after=1)}
    loop = asyncio.get_running_loop()
    end = loop.time() + _LONGEST_S
    while loop.time() < end:
        more = {one.payload async for one in connection.notifies(timeout=_GATHER_S, stop_after=1)}
        if not more:
            break
        said |= more
    return said
