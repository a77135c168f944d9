"""The control socket of an instance: commands in, their output and status back.

`protocol.py` explains the frames.  Output is sent in slices, and other connections, timers and SIP
get their turn between two of them; a client that does not read holds back only itself.  The
commands are loaded once somebody connects.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pjreg_cli.api.notices import (
    Doing,
    Notice,
    Reloaded,
    Settled,
    StateDropped,
    StateLeaving,
    StateMade,
    Stopping,
    Traced,
)
from pjreg_cli.api.port import Api
from pjreg_cli.control.access import Permissions, judge, only_shows
from pjreg_cli.control.peer import peer_of
from pjreg_cli.counters import Counters
from pjreg_cli.hurry import HURRY
from pjreg_cli.spawner import Spawner

if TYPE_CHECKING:
    from pjreg_cli.control.connection import Connection, LogFeed

#: connections served at once
_MOST = 256


class _Door(socket.socket):
    """A socket that listens: from the moment on that somebody is let in, turns are short."""

    def accept(self) -> tuple[socket.socket, object]:
        """See socket.socket."""
        HURRY.asked(asyncio.get_running_loop().time())
        return super().accept()


class ControlServer:
    """Serves everybody who connects to the control socket."""

    def __init__(
        self,
        port: Api,
        feed: LogFeed,
        shell_allowed: Callable[[], bool],
        permissions: Callable[[], Permissions],
        *,
        spawn: Spawner,
        counters: Counters | None = None,
    ) -> None:
        self._port = port
        self._feed = feed
        self._shell_allowed = shell_allowed
        self._permissions = permissions
        self._spawn = spawn
        self._closing = False
        counts = counters or Counters()
        self._refused = counts.declare(
            "control_refused", "connections to the control socket beyond the limit"
        )
        self._denied = counts.declare("control_denied", "commands that were not permitted")
        self._lost = counts.declare("console_lines_lost", "lines that consoles read too slowly for")
        self._garbled = counts.declare(
            "control_garbled", "connections to the control socket that were not understood"
        )
        self._servers: list[asyncio.Server] = []
        self._connections: set[Connection] = set()
        self._goodbye = b"stop"
        self._unsubscribe: Callable[[], None] = lambda: None

    async def start(
        self, listening: socket.socket, monitoring: socket.socket | None = None
    ) -> None:
        """Serve `listening`, and for commands that only show `monitoring`: sockets that listen, and
        are the server's from now on."""
        self._unsubscribe = self._port.notices.subscribe(self._noticed)
        door = _Door(fileno=listening.detach())
        self._servers.append(await asyncio.start_unix_server(self._serve, sock=door))
        if monitoring is not None:
            door = _Door(fileno=monitoring.detach())
            self._servers.append(await asyncio.start_unix_server(self._monitor, sock=door))

    async def close(self, within_s: float = 1.0) -> None:
        """Stop serving: what is under way has `within_s` to end, then everybody is told goodbye."""
        self._closing = True
        self._unsubscribe()
        for server in self._servers:
            server.close()
        connections = tuple(self._connections)
        for connection in connections:
            connection.say_goodbye(self._goodbye)
        try:
            async with asyncio.timeout(within_s):
                for connection in connections:
                    await connection.ended.wait()
        except TimeoutError:
            for connection in connections:
                connection.abort()
            for connection in connections:
                await connection.ended.wait()

    @property
    def busy(self) -> bool:
        """Whether a request is under way."""
        return any(connection.busy for connection in self._connections)

    def _noticed(self, notice: Notice) -> None:
        match notice:
            case Stopping(restart=restart):
                self._goodbye = b"restart" if restart else b"stop"
            case Settled() | StateMade() | StateLeaving() | StateDropped() | Reloaded():
                for connection in self._connections:
                    connection.counts_changed()
                    if isinstance(notice, Settled):
                        connection.settled(notice)
            case Doing(text=doing):
                for connection in self._connections:
                    connection.progressed(doing)
            case Traced():
                from pjreg_cli.render.traced import stamped

                text = stamped(notice, datetime.now(UTC).astimezone())
                for connection in self._connections:
                    connection.traced(text)

    def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._take(judge(peer_of(writer), self._permissions), False, reader, writer)

    def _monitor(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._take(only_shows, True, reader, writer)

    def _take(
        self,
        permitted: Callable[[str], bool],
        monitors: bool,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        """Whoever has connected is known at once, so that the end waits for them; who connects
        during it finds nobody."""
        if self._closing:
            writer.close()
            return
        from pjreg_cli.control.connection import Connection

        def asked(line: str) -> bool:
            allowed = permitted(line)
            self._denied.add(not allowed)
            return allowed

        connection = Connection(
            self._port, self._feed, self._shell_allowed, reader, writer, asked, monitors,
            lost=self._lost, garbled=self._garbled,
        )  # fmt: skip
        if len(self._connections) >= _MOST:
            self._refused.add()
            connection.refuse(f"more than {_MOST} connections at once")
            writer.close()
            return
        self._connections.add(connection)
        self._spawn(self._run(connection), "control connection")

    async def _run(self, connection: Connection) -> None:
        try:
            await connection.run()
        finally:
            self._connections.discard(connection)
