"""Where the manager interface listens, plain and with TLS; what is careless about it."""

from __future__ import annotations

import asyncio
import ipaddress
import os
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pjreg_cli.config.models import ManagerSettings
from pjreg_cli.errors import TransportError
from pjreg_cli.sip.address import split_host_port

#: the port for TLS where none is given, as in the origin
TLS_PORT = 5039
#: a secret shorter than this is worth a warning when others can reach the port
SHORT_SECRET = 8


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address to listen on; `certificate` and `key` are files, used with TLS only."""

    host: str
    port: int
    tls: bool = False
    certificate: str = ""
    key: str = ""

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach it."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


def endpoints(settings: ManagerSettings) -> tuple[Endpoint, ...]:
    """Where these settings want to listen."""
    if not settings.enabled:
        return ()
    host, port = _split(settings.bindaddr, settings.port)
    plain = Endpoint(host, port)
    if not settings.tlsenable:
        return (plain,)
    host, port = _split(settings.tlsbindaddr or host, TLS_PORT)
    certificate = settings.tlscertfile
    return (plain, Endpoint(host, port, True, certificate, settings.tlsprivatekey or certificate))


def _split(text: str, port: int) -> tuple[str, int]:
    """Host and port of `HOST`, `HOST:PORT`, `[V6]`, `[V6]:PORT` or `V6`."""
    text = text.strip()
    host, given = split_host_port(text) or (text, "")
    return host or "0.0.0.0", int(given) if given.isascii() and given.isdecimal() else port


def warnings(settings: ManagerSettings) -> Iterator[str]:
    """What is careless: accounts that can be guessed, reachable from other machines."""
    exposed = [str(endpoint) for endpoint in endpoints(settings) if not endpoint.loopback]
    if not exposed:
        return
    where = " and ".join(exposed)
    for account in settings.users:
        length = len(account.secret.get_secret_value())
        if length == 0:
            yield (
                f"{account.source}: manager user '{account.name}' has no secret and cannot log in,"
                f" while AMI listens on {where}"
            )
        elif length < SHORT_SECRET:
            yield (
                f"{account.source}: the secret of manager user '{account.name}' is shorter than"
                f" {SHORT_SECRET} characters, while AMI listens on {where}"
            )


class Listeners:
    """The sockets in use; they change only where the settings do."""

    def __init__(self, session: Callable[[], asyncio.Protocol]) -> None:
        self._session = session
        self._open: dict[tuple[Endpoint, str], asyncio.Server] = {}

    @property
    def addresses(self) -> tuple[tuple[str, int], ...]:
        """Address and port of each socket."""
        return tuple(
            sock.getsockname()[:2] for server in self._open.values() for sock in server.sockets
        )

    async def apply(self, settings: ManagerSettings) -> None:
        """Listen where `settings` want it and nowhere else; TransportError: all stays as it was."""
        wanted = {(endpoint, _stamp(endpoint)): None for endpoint in endpoints(settings)}
        opened: dict[tuple[Endpoint, str], asyncio.Server] = {}
        # a new certificate for an address in use: the old socket must go first
        moved = {endpoint for endpoint, _ in self._open} & {endpoint for endpoint, _ in wanted}
        renewed = [key for key in self._open if key not in wanted and key[0] in moved]
        contexts = {key: _context(key[0]) for key in wanted if key not in self._open}
        for key in renewed:
            self._open.pop(key).close()
        try:
            for key, context in contexts.items():
                opened[key] = await self._listen(key[0], context)
        except TransportError:
            for server in opened.values():
                server.close()
            raise
        for key in [key for key in self._open if key not in wanted]:
            self._open.pop(key).close()
        self._open |= opened

    async def _listen(self, endpoint: Endpoint, context: ssl.SSLContext | None) -> asyncio.Server:
        try:
            return await asyncio.get_running_loop().create_server(
                self._session, endpoint.host, endpoint.port, ssl=context, backlog=128
            )
        except OSError as error:
            why = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
            raise TransportError(f"AMI cannot listen on {endpoint}: {why}") from error

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
