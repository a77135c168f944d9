"""Where the manager interface listens, plain and with TLS."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from collections.abc import Callable

from pjreg_cli.config.manager_conf import Endpoint, endpoints
from pjreg_cli.config.models import ManagerSettings
from pjreg_cli.errors import TransportError
from pjreg_cli.incoming import Admission, Incoming
from pjreg_cli.spawner import Spawner

#: connections at a time, those logged in among them
_SESSIONS = 4096
_BACKLOG = 128


class _Open:
    """The sockets of one endpoint: a host name may stand for several addresses."""

    def __init__(self, sockets: list[Incoming]) -> None:
        self.sockets = sockets

    def close(self) -> None:
        """Listen there no longer."""
        for one in self.sockets:
            one.close()


class Listeners:
    """The sockets in use; they change only where the settings do."""

    def __init__(
        self,
        session: Callable[[Admission], asyncio.Protocol],
        *,
        spawn: Spawner,
        full: Callable[[], bool],
        refused: Callable[[str], None],
    ) -> None:
        """`full` says whether nobody else may come in, `refused` is told who was not let in."""
        self._session = session
        self._spawn = spawn
        self._full = full
        self._refused = refused
        self._open: dict[tuple[Endpoint, str], _Open] = {}

    @property
    def addresses(self) -> tuple[tuple[str, int], ...]:
        """Address and port of each socket."""
        return tuple(one.address for group in self._open.values() for one in group.sockets)

    @property
    def shaking(self) -> int:
        """How many are in their TLS handshake."""
        return sum(one.shaking for group in self._open.values() for one in group.sockets)

    async def apply(self, settings: ManagerSettings) -> tuple[str, ...]:
        """Listen where `settings` want it and nowhere else; why that is not possible somewhere.

        Each address by itself: where one cannot be had, the one of its kind in use goes on.
        """
        wanted = {(endpoint, _stamp(endpoint)): None for endpoint in endpoints(settings)}
        failures: list[str] = []
        failed_kinds: set[bool] = set()
        for key in [key for key in wanted if key not in self._open]:
            endpoint = key[0]
            try:
                context = _context(endpoint)
                # a new certificate for an address in use: the old socket must go first
                for old in [old for old in self._open if old not in wanted]:
                    if old[0].place == endpoint.place:
                        self._open.pop(old).close()
                self._open[key] = await self._listen(endpoint, context)
            except TransportError as error:
                failures.append(str(error))
                failed_kinds.add(endpoint.tls)
        for key in [key for key in self._open if key not in wanted]:
            if key[0].tls not in failed_kinds:
                self._open.pop(key).close()
        return tuple(failures)

    async def _listen(self, endpoint: Endpoint, context: ssl.SSLContext | None) -> _Open:
        try:
            # which finds all addresses of the host and makes the sockets; it accepts nobody
            server = await asyncio.get_running_loop().create_server(
                asyncio.Protocol, endpoint.host, endpoint.port, start_serving=False
            )
            made = [socket.socket(fileno=os.dup(one.fileno())) for one in server.sockets]
            server.close()
            for one in made:
                one.listen(_BACKLOG)
        except OSError as error:
            why = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
            raise TransportError(f"AMI cannot listen on {endpoint}: {why}") from error
        return _Open(
            [
                Incoming(
                    one,
                    self._session,
                    spawn=self._spawn,
                    refused=self._refused,
                    limit=_SESSIONS,
                    per_host=_SESSIONS,
                    shaking=_SESSIONS,
                    tls=context,
                    full=self._full,
                )
                for one in made
            ]
        )

    async def close(self) -> None:
        """Listen nowhere; sessions are not touched."""
        servers, self._open = list(self._open.values()), {}
        for server in servers:
            server.close()


def _stamp(endpoint: Endpoint) -> str:
    """What changes when the certificate's files do, so that a reload takes new ones."""
    if not endpoint.tls:
        return ""
    stamps = []
    for path in (endpoint.certificate, endpoint.key):
        try:
            seen = os.stat(path)
            stamps.append(f"{seen.st_mtime_ns}/{seen.st_size}/{seen.st_ino}")
        except OSError:
            stamps.append("missing")
    return " ".join(stamps)


def _context(endpoint: Endpoint) -> ssl.SSLContext | None:
    if not endpoint.tls:
        return None
    if not endpoint.certificate:
        raise TransportError(f"AMI cannot use TLS on {endpoint}: tlscertfile is not set")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(endpoint.certificate, endpoint.key)
    except (OSError, ssl.SSLError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise TransportError(
            f"AMI cannot use certificate {endpoint.certificate} for {endpoint}: {why}"
        ) from error
    return context
