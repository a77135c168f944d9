"""A TCP proxy that passes, refuses, or keeps connections and moves no byte."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self

from tests.support.ports import LOOPBACK, free_port


class Proxy:
    """Between a client and a server on loopback."""

    def __init__(self, target: int, port: int) -> None:
        self.port = port
        self.target = target
        self.rewrite = (b"", b"")
        """What the server says, and what is said in its place: as many bytes."""
        self._refusing = False
        self._passing = asyncio.Event()
        self._passing.set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    @classmethod
    @asynccontextmanager
    async def open(cls, target: int, sock: socket.socket | None = None) -> AsyncIterator[Self]:
        """Listening until the block ends; on `sock`, where that is another network's."""
        if sock is None:
            sock = socket.create_server((LOOPBACK, free_port()))
        self = cls(target, sock.getsockname()[1])
        server = await asyncio.start_server(self._accept, sock=sock)
        try:
            yield self
        finally:
            server.close()
            self._abort()
            for task in tuple(self._tasks):
                task.cancel()
            if self._tasks:
                await asyncio.wait(tuple(self._tasks))

    def refuse(self) -> None:
        """Close everything, accept nothing."""
        self._refusing = True
        self._abort()

    def swallow(self) -> None:
        """Connections stay, and nothing passes."""
        self._passing.clear()

    def let_pass(self) -> None:
        """As if nothing were between; what was held back is lost with its connection."""
        self._abort()
        self._refusing = False
        self._passing.set()

    def _abort(self) -> None:
        for writer in tuple(self._writers):
            writer.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.add(writer)
        try:
            if self._refusing:
                writer.transport.abort()
                return
            far_reader, far_writer = await asyncio.open_connection(LOOPBACK, self.target)
            self._writers.add(far_writer)
            await asyncio.gather(self._pump(reader, far_writer), self._pump(far_reader, writer))
        except (OSError, asyncio.CancelledError):
            writer.transport.abort()
        finally:
            self._tasks.discard(task)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                await self._passing.wait()
                if self.rewrite[0]:
                    data = data.replace(*self.rewrite)
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.transport.abort()
            self._writers.discard(writer)
