"""A connection to PostgreSQL that is cut, not cancelled, when it does not answer in time."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable
from typing import Any, Self, TypeVar

import psycopg

from pjreg_cli.errors import StoreError
from pjreg_cli.store.postgres_rows import encrypted, reason

T = TypeVar("T")

_CONNECT_S = 2


class Connection:
    """One session; whatever goes wrong ends it and raises StoreError."""

    # Any: what a row holds is known to its query alone
    def __init__(self, inner: psycopg.AsyncConnection[tuple[Any, ...]]) -> None:
        self.inner = inner

    @classmethod
    async def open(cls, conninfo: str, name: str, *, setup: str = "") -> Self:
        """Connect as application `name` and run `setup`; raises StoreError."""
        try:
            inner = await psycopg.AsyncConnection.connect(
                encrypted(conninfo),
                autocommit=True,
                connect_timeout=_CONNECT_S,
                client_encoding="UTF8",
                application_name=name,
                tcp_user_timeout=_CONNECT_S * 1000,
            )
        except (psycopg.Error, OSError) as error:
            raise StoreError(f"cannot be reached: {reason(error, conninfo)}") from None
        self = cls(inner)
        if setup:
            await self.run(_CONNECT_S, inner.execute(setup.encode()))
        return self

    @property
    def closed(self) -> bool:
        """Whether nothing can be asked any more."""
        return bool(self.inner.closed)

    async def run(self, within_s: float, asked: Awaitable[T]) -> T:
        """What is `asked`, if it is answered within so many seconds; else the session has ended.

        A driver that waits for a network which swallows packets does not notice that it is
        cancelled; it notices when its socket is shut.
        """
        handle = asyncio.get_running_loop().call_later(within_s, self.cut)
        try:
            return await asked
        except (psycopg.Error, OSError) as error:
            raise StoreError(reason(error), getattr(error, "sqlstate", None) or "") from error
        finally:
            handle.cancel()

    def cut(self) -> None:
        """End the session at once, without a word to the server."""
        if self.inner.closed:
            return
        try:
            with socket.socket(fileno=os.dup(self.inner.fileno())) as sock:
                sock.shutdown(socket.SHUT_RDWR)
        except (OSError, psycopg.Error):
            return  # it is gone already

    async def close(self) -> None:
        """End the session."""
        try:
            await self.inner.close()
        except (psycopg.Error, OSError):
            return


async def rows_of(
    connection: Connection, query: bytes, values: Any, *, fetch: bool = True
) -> list[tuple[Any, ...]]:
    """What a query finds.  Any: it takes a sequence or a mapping, and finds what it likes."""
    cursor = await connection.inner.execute(query, values or None)
    return await cursor.fetchall() if fetch and cursor.description else []
