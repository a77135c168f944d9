"""Connections that others make to us: bounded before they have said a word.

The limits hold from the moment a connection is accepted, TLS handshake included, for a stranger
needs no more than a SYN to get this far.  Where the process runs out of descriptors, accepting
pauses and says so once, and the last `RESERVE` of them are never given to strangers: our own
sockets, files and consoles need them.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import resource
import socket
import ssl
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pjreg_cli.spawner import Spawner

_log = logging.getLogger("pjreg_cli.incoming")

#: descriptors that are never given to strangers
RESERVE = 64
#: how long a TLS handshake of a stranger may take, in seconds
HANDSHAKE_S = 5.0
#: connections accepted in one turn of the event loop
_BATCH = 32
#: how long accepting pauses when the system has no descriptor left, in seconds
_PAUSE_S = 1.0
_EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


class Admission:
    """The place that one connection takes; `leave` gives it back, however often it is called."""

    __slots__ = ("_left", "host")

    def __init__(self, host: str, left: Callable[[Admission], None]) -> None:
        self.host = host
        """The numeric address of the other side."""
        self._left: Callable[[Admission], None] | None = left

    def leave(self) -> None:
        """The connection has ended."""
        left, self._left = self._left, None
        if left is not None:
            left(self)


def _silently(_made: socket.socket) -> AbstractContextManager[None]:
    return contextlib.nullcontext()


class Incoming:
    """Accepts connections at a listening socket.

    `limit` and `per_host` bound how many there are at a time, `shaking` how many of them may be in
    their TLS handshake (`tls`); `full` is asked besides.  `made` gives the protocol of a
    connection, which calls `Admission.leave` when it is lost; `refused` is told why somebody was
    not let in.  Handshakes are made within `telling`, which may tell why one has failed.
    """

    def __init__(
        self,
        sock: socket.socket,
        made: Callable[[Admission], asyncio.Protocol],
        *,
        spawn: Spawner,
        refused: Callable[[str], None],
        limit: int,
        per_host: int,
        shaking: int = 64,
        tls: ssl.SSLContext | None = None,
        telling: Callable[[socket.socket], AbstractContextManager[object]] = _silently,
        full: Callable[[], bool] = lambda: False,
    ) -> None:
        self._socket = sock
        self._made = made
        self._spawn = spawn
        self._refused = refused
        self._limit = limit
        self._per_host = per_host
        self._most_shaking = shaking
        self._tls = tls
        self._telling = telling
        self._full = full
        self._loop = asyncio.get_running_loop()
        self._hosts: Counter[str] = Counter()
        self._pause: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._complained = False
        self._closed = False
        self.count = 0
        """The connections that are open, those in their handshake among them."""
        self.shaking = 0
        """Those accepted that have no protocol yet."""
        sock.setblocking(False)
        self._loop.add_reader(sock, self._accept)

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        host, port = self._socket.getsockname()[:2]
        return str(host), int(port)

    def close(self) -> None:
        """Listen no longer; connections that are complete stay."""
        self._closed = True
        if self._pause is not None:
            self._pause.cancel()
        if self._socket.fileno() >= 0:
            self._loop.remove_reader(self._socket)
            self._socket.close()
        for task in tuple(self._tasks):
            task.cancel()

    # -- letting in ---------------------------------------------------------------------------

    def _accept(self) -> None:
        for _ in range(_BATCH):
            try:
                made, address = self._socket.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                self._rest(error)
                return
            self._let_in(made, str(address[0]))

    def _rest(self, error: OSError) -> None:
        """There is no descriptor, or the socket is broken: be quiet for a while."""
        self._loop.remove_reader(self._socket)
        if error.errno in _EXHAUSTED:
            self._refused("descriptors")
        if not self._complained:
            self._complained = True
            _log.warning("accepting connections pauses: %s", error.strerror or error)
        self._pause = self._loop.call_later(_PAUSE_S, self._resume)

    def _resume(self) -> None:
        self._pause = None
        if not self._closed:
            self._loop.add_reader(self._socket, self._accept)

    def _let_in(self, made: socket.socket, host: str) -> None:
        if why := self._objection(made, host):
            made.close()
            self._refused(why)
            return
        self._complained = False
        made.setblocking(False)
        self.count += 1
        self.shaking += 1
        self._hosts[host] += 1
        admission = Admission(host, self._left)
        task = self._spawn(self._shake_hands(made, admission), f"connection from {host}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _objection(self, made: socket.socket, host: str) -> str:
        """Why somebody cannot come in; empty when nothing speaks against it."""
        most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        if most != resource.RLIM_INFINITY and made.fileno() >= most - min(RESERVE, most // 2):
            # the system gives the lowest number that is free
            return "descriptors"
        if self.count >= self._limit or self._full():
            return "connections"
        if self._hosts[host] >= self._per_host:
            return "connections of one address"
        if self._tls is not None and self.shaking >= self._most_shaking:
            return "handshakes"
        return ""

    async def _shake_hands(self, made: socket.socket, admission: Admission) -> None:
        shaking = True

        def protocol() -> asyncio.Protocol:
            return self._made(admission)

        try:
            with self._telling(made):
                await self._loop.connect_accepted_socket(
                    protocol,
                    made,
                    ssl=self._tls,
                    ssl_handshake_timeout=HANDSHAKE_S if self._tls is not None else None,
                )
            shaking = False
        except (OSError, ssl.SSLError) as error:
            self._refused("handshakes that failed")
            _log.debug("connection from %s: %s", admission.host, error)
        finally:
            self.shaking -= 1
            if shaking:
                with contextlib.suppress(OSError):
                    made.close()
                admission.leave()

    def _left(self, admission: Admission) -> None:
        self.count -= 1
        self._hosts[admission.host] -= 1
        if self._hosts[admission.host] <= 0:
            del self._hosts[admission.host]
