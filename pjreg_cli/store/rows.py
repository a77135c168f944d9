"""Tables of configuration, opened by the driver that is configured; no other is loaded."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from pjreg_cli.errors import ConfigError

if TYPE_CHECKING:
    from pjreg_cli.config.realtime import Database, Rows
    from pjreg_cli.config.table_notifications import Told


def open_rows(database: Database) -> AbstractContextManager[Rows]:
    """See `config.realtime.OpenRows`."""
    if database.driver == "sqlite3":
        from pjreg_cli.store.sqlite_rows import SqliteRows

        return SqliteRows.open(database)
    try:
        from pjreg_cli.store.postgres_rows import PostgresRows
    except ImportError as error:
        raise ConfigError(
            "PostgreSQL needs a driver: pip install 'pjreg-cli[postgres]'", database.title
        ) from error
    return PostgresRows.open(database)


async def told(
    database: Database, changed: Callable[[Told], Awaitable[object]], channel: str
) -> None:
    """Call `changed` whenever the database says by `channel` that its tables have changed; ends at
    once for one that never says so."""
    if database.driver != "pgsql":
        return
    try:
        from pjreg_cli.store.listening import listen
    except ImportError:
        return  # `open_rows` has said it
    await listen(database, changed, channel)
