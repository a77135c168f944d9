"""TCP and TLS transports: a listening socket, and one connection for each target."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from pjreg_cli.api.findings import Certificate, Trouble
from pjreg_cli.errors import TransportError
from pjreg_cli.incoming import Admission, Incoming
from pjreg_cli.net import certificates, sockets, tls
from pjreg_cli.net.connection import Connection
from pjreg_cli.net.flow import Endpoint, Flow, Listener, Tap
from pjreg_cli.net.own_address import OwnAddress, Routes
from pjreg_cli.net.trouble import of_connection
from pjreg_cli.net.turns import Turns
from pjreg_cli.sip.address import Address
from pjreg_cli.sip.locate import Target

if TYPE_CHECKING:
    from pjreg_cli.config.models import Transport
    from pjreg_cli.spawner import Spawner

_log = logging.getLogger("pjreg_cli.net")

#: how long a connection, TLS included, may take to be made, in seconds
CONNECT_S = 10.0
#: messages that may wait for a connection
_WAITING = 60_000
#: connections that others may have open to one transport, in all and from one address
_INCOMING = 512
_PER_HOST = 64
#: how long they may be silent, and how long they may take to say something of use, in seconds
_IDLE_S = 600.0
_SPEECHLESS_S = 30.0
#: how often that is looked at, in seconds
_SWEEP_S = 10.0
#: a connection that was silent for so long is asked whether it lives before it is used, in seconds
_STALE_S = 10.0


class StreamFlow(Flow):
    """From one TCP or TLS transport to one target; connects when there is something to send."""

    __slots__ = (
        "_connecting", "_connection", "_endpoint", "_translated", "_waiting", "certificate",
        "protocol", "reliable", "stage", "target", "transport", "trouble",
    )  # fmt: skip

    def __init__(self, endpoint: StreamEndpoint, target: Target) -> None:
        self.transport = endpoint.transport
        self.protocol = endpoint.protocol
        self.reliable = True
        self.target = target
        self.told = None
        self.trouble: Trouble | None = None
        self.stage = ""
        self.certificate: Certificate | None = None
        self._endpoint = endpoint
        self._translated = endpoint.local.translated(target)
        self._connection: Connection | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._waiting: deque[bytes] = deque()

    @property
    def sent_by(self) -> Address:
        """The address for Via: the port is the one we listen on."""
        return self._endpoint.local.named(self.target.host, self._translated)

    @property
    def contact(self) -> Address:
        """The address for Contact, the same."""
        self.told = self._endpoint.local.named(self.target.host, self._translated)
        return self.told

    @property
    def open(self) -> bool:
        """Whether there is a connection now."""
        return self._connection is not None

    def send(self, data: bytes) -> None:
        """Send on the connection, or queue and connect; raises TransportError."""
        connection = self._connection
        if connection is not None:
            if connection.ponged and self._endpoint.now() - connection.heard_at > _STALE_S:
                connection.ping()
            connection.write(data)
            return
        if self._endpoint.closed:
            raise TransportError(f"transport {self.transport} is closed")
        if len(self._waiting) >= _WAITING:
            raise TransportError(f"{self.target}: too many messages wait for a connection")
        self._waiting.append(data)
        if self._connecting is None:
            self._connecting = self._endpoint.spawn(self._connect(), f"connect {self.target}")

    @property
    def link(self) -> Connection | None:
        """The connection there is now."""
        return self._connection

    def carries(self, endpoint: Endpoint) -> bool:
        """Whether it came over the connection that is open now."""
        return endpoint is self._connection

    def is_astray(self) -> bool:
        """Whether the connection is from an address that is ours no longer."""
        connection = self._connection
        return connection is not None and self._endpoint.local.leaves_elsewhere(
            self.target.host, connection.ours.host
        )

    def reset(self) -> None:
        """Give up the connection; the next message opens another one."""
        connecting, self._connecting = self._connecting, None
        connection, self._connection = self._connection, None
        self._waiting.clear()
        if connecting is not None:
            connecting.cancel()
        if connection is not None:
            connection.close()

    def ping(self) -> None:
        """Send a keep-alive, if connected."""
        if self._connection is not None:
            self._connection.ping()

    async def _connect(self) -> None:
        """Make the connection, then send what waits."""
        self.stage = "connect"
        try:
            async with asyncio.timeout(CONNECT_S):
                connection = await self._endpoint.connect(self.target, self._lost, self._reached)
        except (OSError, TransportError) as error:
            self.trouble = of_connection(error, self._endpoint.now(), self.stage)
            self.stage = ""
            self._connecting = None
            self._waiting.clear()
            self._endpoint.listener.closed(self, _explained(self.target, error), False)
            return
        self.stage = ""
        self.trouble = None
        self.certificate = connection.certificate()
        self._connecting = None
        self._connection = connection
        waiting, self._waiting = self._waiting, deque()
        try:
            for data in waiting:
                connection.write(data)
        except TransportError as error:
            self._lost(connection, str(error))

    def _reached(self) -> None:
        """The other side is there; its TLS is yet to come."""
        self.stage = "handshake"

    def suspicion(self) -> Trouble | None:
        """Why nothing may have come back although nothing has failed yet."""
        if self.stage:
            kind = "handshake-timeout" if self.stage == "handshake" else "connect-timeout"
            return Trouble(kind)
        return self._connection.suspicion() if self._connection is not None else None

    def _lost(self, connection: Connection, why: str) -> None:
        """A connection has ended by itself."""
        if connection is self._connection:
            self._connection = None
            self.trouble = connection.trouble
            connection.close()
            lived_s = self._endpoint.now() - connection.made_at
            self._endpoint.listener.closed(
                self, f"{self.target}: {why}", True, lived_s=lived_s, spoke=connection.spoke
            )


class StreamEndpoint:
    """One TCP or TLS transport.  `open` makes it, raising TransportError when it cannot."""

    def __init__(
        self,
        options: Transport,
        listener: Listener,
        tap: Tap,
        routes: Routes,
        spawn: Spawner,
        *,
        turns: Turns,
        refused: Callable[[str], None],
    ) -> None:
        self.transport = options.name
        self.protocol = options.protocol
        self.listener = listener
        self.spawn = spawn
        self.closed = False
        self._options = options
        self._tap = tap
        self._turns = turns
        self._refused = refused
        self.now = asyncio.get_running_loop().time
        secure = options.protocol == "tls"
        self._client = tls.client_context(options) if secure else None
        self._server_context = tls.server_context(options) if secure else None
        self._socket = sockets.bound(options)
        self.local = OwnAddress(options, sockets.address_of(self._socket), routes)
        self._server: Incoming | None = None
        self._flows: dict[tuple[str, int, str, str], StreamFlow] = {}
        self._incoming: set[Connection] = set()
        self._sweeping: asyncio.TimerHandle | None = None

    def open(self) -> None:
        """Begin to listen.  TLS without a certificate has the port, but lets nobody in: we could
        not prove who we are."""
        secure = self.protocol == "tls"
        self._server = Incoming(
            self._socket,
            self._came_in,
            spawn=self.spawn,
            refused=self._turned_away,
            limit=0 if secure and self._server_context is None else _INCOMING,
            per_host=_PER_HOST,
            tls=self._server_context,
            telling=tls.telling,
        )

    def flow(self, target: Target, apart: str = "") -> StreamFlow:
        """The flow to an address; with TLS each name has its own, as its certificate must fit.
        Those that are `apart` share no connection with others."""
        key = (target.host, target.port, target.name if self._client is not None else "", apart)
        flow = self._flows.get(key)
        if flow is None:
            flow = self._flows[key] = StreamFlow(self, target)
        return flow

    def keep_alive(self) -> None:
        """Ping every connection."""
        for flow in self._flows.values():
            flow.ping()
        for connection in self._incoming:
            connection.ping()

    async def connect(
        self,
        target: Target,
        lost: Callable[[Connection, str], None],
        reached: Callable[[], None],
    ) -> Connection:
        """A new connection to a target; raises OSError or TransportError.  `reached` is called when
        the other side is there, before TLS."""
        loop = asyncio.get_running_loop()
        bound = self.local.bound.host
        source = "" if self.local.anywhere else bound
        made = sockets.outgoing(self._options, source)
        try:
            await loop.sock_connect(made, (target.host, target.port))
            reached()
            with tls.telling(made) as told:
                stream, connection = await loop.create_connection(
                    lambda: self._connection(lost),
                    sock=made,
                    ssl=self._client,
                    server_hostname=target.name if self._client is not None else None,
                )
        except ssl.SSLCertVerificationError as error:
            made.close()
            trouble = of_connection(error, self.now(), "handshake", told.certificate)
            why = f"certificate refused: {error.verify_message}"
            raise TransportError(why, trouble) from error
        except BaseException:
            made.close()
            raise
        if self._client is not None and self._options.verify_server:
            certificate = stream.get_extra_info("peercert") or {}
            wildcards = self._options.allow_wildcard_certs
            if why := certificates.mismatch(certificate, target.name, wildcards=wildcards):
                connection.close()
                mark = "wildcard" if "wildcard" in why else "name"
                trouble = Trouble("certificate", mark, certificate=connection.certificate())
                raise TransportError(f"certificate refused: {why}", trouble)
        return connection

    def renew(self) -> None:
        """Read certificates and authorities again, for connections to come; raises TransportError,
        and changes nothing then."""
        client, server = tls.client_context(self._options), tls.server_context(self._options)
        self._client = client
        if self._server_context is not None and server is not None:
            # asked for at every handshake, whatever name the other side wants
            self._server_context.sni_callback = lambda made, _name, _old: _use(made, server)

    async def close(self) -> None:
        """Close the port and all connections; nobody is told."""
        self.closed = True
        for flow in self._flows.values():
            flow.reset()
        if self._server is not None:
            self._server.close()
        if self._sweeping is not None:
            self._sweeping.cancel()
        for connection in tuple(self._incoming):
            connection.close()
        self._incoming.clear()
        self._socket.close()
        # connections that are aborted leave their descriptors on the next turn of the loop
        await asyncio.sleep(0)

    def open_flows(self) -> tuple[StreamFlow, ...]:
        """The flows that have a connection."""
        return tuple(flow for flow in self._flows.values() if flow.open)

    def _connection(
        self,
        lost: Callable[[Connection, str], None],
        opened: Callable[[Connection], None] = lambda _: None,
        admission: Admission | None = None,
    ) -> Connection:
        return Connection(
            self.transport,
            self.protocol,
            listener=self.listener,
            tap=self._tap,
            turns=self._turns,
            lost=lost,
            opened=opened,
            admission=admission,
        )

    # -- those of others ----------------------------------------------------------------------

    def _came_in(self, admission: Admission) -> Connection:
        return self._connection(self._left, self._let_in, admission)

    def _let_in(self, connection: Connection) -> None:
        self._incoming.add(connection)
        if self._sweeping is None:
            self._sweep()

    def _left(self, connection: Connection, why: str) -> None:
        self._incoming.discard(connection)
        if connection.given_up_on:
            self._refused("useless")
        _log.debug("transport %s: %s: %s", self.transport, connection.theirs, why)

    def _turned_away(self, why: str) -> None:
        self._refused(f"refused for {why}" if " " not in why else why)

    def _sweep(self) -> None:
        """Close those that are silent for long, or have not said anything of use yet."""
        now = self.now()
        for connection in tuple(self._incoming):
            idle = now - connection.heard_at > _IDLE_S
            if idle or (not connection.spoke and now - connection.made_at > _SPEECHLESS_S):
                self._incoming.discard(connection)
                connection.close()
                self._refused("idle")
        self._sweeping = None
        if self._incoming:
            loop = asyncio.get_running_loop()
            self._sweeping = loop.call_later(_SWEEP_S, self._sweep)


def _use(made: ssl.SSLObject | ssl.SSLSocket, context: ssl.SSLContext) -> None:
    made.context = context


def _explained(target: Target, error: Exception) -> str:
    """Why a connection could not be made, in one line."""
    if isinstance(error, TimeoutError):
        return f"{target}: no connection within {CONNECT_S:.0f} s"
    broken_off = isinstance(error, ConnectionError) and not error.errno
    if isinstance(error, ssl.SSLError) or (target.protocol == "tls" and broken_off):
        return f"{target}: TLS failed: {tls.reason(error)}"
    return f"{target}: {tls.reason(error)}"
