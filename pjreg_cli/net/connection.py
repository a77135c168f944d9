"""One TCP or TLS connection: bytes in, whole messages out."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable
from typing import Any

from pjreg_cli.api.findings import Certificate, Trouble
from pjreg_cli.errors import SipParseError, TransportError
from pjreg_cli.net.flow import Endpoint, Listener, Source, Tap
from pjreg_cli.net.tls import certificate_of
from pjreg_cli.net.trouble import of_end
from pjreg_cli.sip.address import Address
from pjreg_cli.sip.framing import StreamFramer

_log = logging.getLogger("pjreg_cli.net")

#: bytes that may wait for a peer that does not read
_LARGEST_BACKLOG = 16 * 1024 * 1024
#: how much is kept of what came in first, in bytes
_HEARD = 80
#: how SIP begins: the start line of a response or of a request
_LIKE_SIP = re.compile(rb"SIP/2\.|[A-Z]+ (?i:sips?|tel):")
_PING = b"\r\n\r\n"
_PONG = b"\r\n"


class Connection(asyncio.Protocol, Endpoint):
    """A connection, ours or one that came in.

    `lost` is called once, when it has ended for another reason than `close`.
    """

    __slots__ = (
        "_first", "_framer", "_listener", "_lost", "_pings", "_stream", "_tap", "_why", "came_in",
        "heard_at", "peer", "protocol", "reliable", "transport", "trouble",
    )  # fmt: skip

    def __init__(
        self,
        transport: str,
        protocol: str,
        *,
        listener: Listener,
        tap: Tap,
        lost: Callable[[Connection, str], None],
        came_in: Callable[[Connection], bool] | None = None,
    ) -> None:
        self.transport = transport
        self.protocol = protocol
        self.reliable = True
        self._listener = listener
        self._tap = tap
        self._lost: Callable[[Connection, str], None] | None = lost
        self.came_in = came_in
        self._framer = StreamFramer()
        self._pings = 0
        self._stream: asyncio.Transport | None = None
        self._why = ""
        self._first = b""
        self.trouble: Trouble | None = None
        """Why it has ended."""
        self.peer: tuple[Any, ...] = ("", 0)
        self.heard_at = asyncio.get_running_loop().time()
        """When something last came in, by the loop's clock."""

    # -- out ----------------------------------------------------------------------------------

    def write(self, data: bytes) -> None:
        """Send one message; raises TransportError when the connection has ended or is stuck."""
        stream = self._stream
        if stream is None or stream.is_closing():
            raise TransportError(f"{self._label()}: the connection is closed")
        if stream.get_write_buffer_size() > _LARGEST_BACKLOG:
            raise TransportError(f"{self._label()}: the other side does not read")
        stream.write(data)
        if self._tap.active:
            self._tap.sent(data, self.transport, self.protocol, self.ours, self._theirs())

    def reply(self, data: bytes, address: tuple[Any, ...]) -> None:
        """Answer on this connection, whatever the address; dropped when it has ended."""
        try:
            self.write(data)
        except TransportError as error:
            _log.debug("transport %s: answer dropped: %s", self.transport, error)

    def ping(self) -> None:
        """Keep the connection and the NATs on its way open (RFC 5626 section 3.5.1)."""
        if self._stream is not None and not self._stream.is_closing():
            self._stream.write(_PING)

    def close(self) -> None:
        """End the connection at once; `lost` is not called any more."""
        self._lost = None
        if self._stream is not None:
            self._stream.abort()

    def certificate(self) -> Certificate | None:
        """What the other side shows, with TLS."""
        return certificate_of(self._stream) if self._stream is not None else None

    def suspicion(self) -> Trouble | None:
        """Why nothing that makes sense may have come in so far."""
        first = self._first.lstrip(b"\r\n")
        if not first or _LIKE_SIP.match(first):
            return None
        return Trouble("not-sip", heard=first)

    def garbled(self, data: bytes, address: tuple[Any, ...]) -> bool:
        """A message that came in is no SIP."""
        self.trouble = Trouble("not-sip", heard=data[:_HEARD])
        return True

    # -- what asyncio calls -------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection (with TLS, its handshake) is complete."""
        # asyncio hands every stream protocol a Transport
        assert isinstance(transport, asyncio.Transport)
        self._stream = transport
        self.peer = transport.get_extra_info("peername") or self.peer
        if self.came_in is not None and not self.came_in(self):
            self.close()

    def data_received(self, data: bytes) -> None:
        """Cut what came into messages; a stream that is no SIP is closed."""
        self.heard_at = asyncio.get_running_loop().time()
        if not self._first:
            self._first = data[:_HEARD]
        try:
            messages = self._framer.feed(data)
        except SipParseError as error:
            self._why = f"not understood: {error}"
            messages = []
        for message in messages:
            if self._tap.active:
                ours, theirs = self.ours, self._theirs()
                self._tap.received(message, self.transport, self.protocol, ours, theirs)
            self._listener.received(message, Source(self, self.peer))
        if self._framer.broken is not None and self._stream is not None:
            self._why = self._why or f"not understood: {self._framer.broken}"
            self._stream.abort()
        elif self.came_in is not None:
            self._answer_pings()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection has ended."""
        lost, self._lost = self._lost, None
        at = asyncio.get_running_loop().time()
        self.trouble = (self.trouble or self.suspicion() or of_end(exc, at))._replace(at=at)
        if lost is not None:
            lost(
                self,
                self._why or (f"connection lost: {exc}" if exc else "closed by the other side"),
            )

    def _answer_pings(self) -> None:
        """Who connects to us may ask whether we are there; on our own connections we ask."""
        pings, self._pings = self._framer.pings - self._pings, self._framer.pings
        if pings > 0 and self._stream is not None and not self._stream.is_closing():
            self._stream.write(_PONG)

    @property
    def ours(self) -> Address:
        """Our end of the connection, which is not the port we listen on."""
        name = self._stream.get_extra_info("sockname") if self._stream is not None else None
        return Address(str(name[0]), int(name[1])) if name else Address("", 0)

    def _theirs(self) -> Address:
        return Address(str(self.peer[0]), int(self.peer[1]))

    def _label(self) -> str:
        return f"{self.protocol} {self.peer[0]}:{self.peer[1]}"
