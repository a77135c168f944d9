"""One TCP or TLS connection: bytes in, whole messages out."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pjreg_cli.api.findings import Certificate, Trouble
from pjreg_cli.errors import TransportError
from pjreg_cli.net.flow import Endpoint, Listener, Source, Tap
from pjreg_cli.net.tls import certificate_of
from pjreg_cli.net.trouble import of_end
from pjreg_cli.sip.address import Address
from pjreg_cli.sip.framing import StreamFramer

if TYPE_CHECKING:
    from pjreg_cli.incoming import Admission
    from pjreg_cli.net.turns import Turns

_log = logging.getLogger("pjreg_cli.net")

#: bytes that may wait for a peer that does not read
_LARGEST_BACKLOG = 16 * 1024 * 1024
#: how much is kept of what came in first, in bytes
_HEARD = 80
#: how SIP begins: the start line of a response or of a request
_LIKE_SIP = re.compile(rb"SIP/2\.|[A-Z]+ (?i:sips?|tel):")
#: bytes that may wait for their turn before no more is read
_LARGEST_INBOX = 256 * 1024
#: messages looked at in one slice of work
_SLICE = 16
#: messages of no use that end a connection: so many of a stranger, so many in a row of a registrar
_PATIENCE_WITH_STRANGERS = 3
_PATIENCE = 16
_PING = b"\r\n\r\n"
_PONG = b"\r\n"
#: how long the answer to a keep-alive may take, in seconds (RFC 5626 section 4.4.1)
PONG_S = 10.0


class Connection(asyncio.Protocol, Endpoint):
    """A connection, ours or one that came in (`admission`).

    `lost` is called once, when it has ended for another reason than `close`.
    """

    __slots__ = (
        "_admission", "_asked_at", "_asking", "_first", "_framer", "_listener", "_loop", "_lost",
        "_opened", "_paused", "_pings", "_stream", "_tap", "_turns", "_useless", "_why", "_working",
        "given_up_on", "heard_at", "made_at", "peer", "ponged", "protocol", "reliable", "spoke",
        "transport", "trouble",
    )  # fmt: skip

    def __init__(
        self,
        transport: str,
        protocol: str,
        *,
        listener: Listener,
        tap: Tap,
        turns: Turns,
        lost: Callable[[Connection, str], None],
        opened: Callable[[Connection], None] = lambda _: None,
        admission: Admission | None = None,
    ) -> None:
        self.transport = transport
        self.protocol = protocol
        self.reliable = True
        self._listener = listener
        self._tap = tap
        self._turns = turns
        self._lost: Callable[[Connection, str], None] | None = lost
        self._opened = opened
        self._admission = admission
        self._loop = asyncio.get_running_loop()
        self._framer = StreamFramer()
        self._pings = 0
        self._useless = 0
        self._working = False
        self._paused = False
        self._stream: asyncio.Transport | None = None
        self._why = ""
        self._first = b""
        self.trouble: Trouble | None = None
        """Why it has ended."""
        self._asking: asyncio.TimerHandle | None = None
        self._asked_at: float | None = None
        self.peer: tuple[Any, ...] = ("", 0)
        self.made_at = self.heard_at = self._loop.time()
        """When it was made, and when something last came in, by the loop's clock."""
        self.ponged = False
        """The other side has answered a keep-alive: that it is silent means something."""
        self.given_up_on = False
        """It was closed for what came in."""
        self.spoke = False
        """A message came in that was of use."""

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
            self._tap.sent(data, self.transport, self.protocol, self.ours, self.theirs)

    def reply(self, data: bytes, address: tuple[Any, ...]) -> None:
        """Answer on this connection, whatever the address; dropped when it has ended."""
        try:
            self.write(data)
        except TransportError as error:
            _log.debug("transport %s: answer dropped: %s", self.transport, error)

    def ping(self) -> None:
        """Keep the connection and the NATs on its way open (RFC 5626 section 3.5.1).

        Whoever has answered a keep-alive before is given 10 s to answer this one.
        """
        if not self._open:
            return
        assert self._stream is not None
        self._stream.write(_PING)
        if self._admission is not None or self._asked_at is not None:
            return
        self._asked_at = self._loop.time()
        self._asking = self._loop.call_later(PONG_S, self._unanswered, self._asked_at)

    def close(self) -> None:
        """End the connection at once; `lost` is not called any more."""
        self._lost = None
        self._stop_asking()
        self._framer = StreamFramer()
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

    @property
    def _open(self) -> bool:
        return self._stream is not None and not self._stream.is_closing()

    def _unanswered(self, asked_at: float) -> None:
        """The time for an answer is over; anything heard since counts as one."""
        self._asking, self._asked_at = None, None
        if self.ponged and self.heard_at < asked_at:
            self.give_up(f"no answer to a keep-alive within {PONG_S:.0f} s")

    def _stop_asking(self) -> None:
        if self._asking is not None:
            self._asking.cancel()
            self._asking = None

    def give_up(self, why: str) -> None:
        """End the connection as one that is dead, and tell so."""
        lost, self._lost = self._lost, None
        self.close()
        if lost is not None:
            lost(self, why)

    # -- what asyncio calls -------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection (with TLS, its handshake) is complete."""
        # asyncio hands every stream protocol a Transport
        assert isinstance(transport, asyncio.Transport)
        self._stream = transport
        self.peer = transport.get_extra_info("peername") or self.peer
        self._opened(self)

    def data_received(self, data: bytes) -> None:
        """Cut what came into messages, when it is this connection's turn."""
        self.heard_at = self._loop.time()
        if not self._first:
            self._first = data[:_HEARD]
        if self._asked_at is not None and data[:2] == _PONG and data[:4] != _PING:
            self.ponged = True
            self._stop_asking()
            self._asked_at = None
        self._framer.add(data)
        if not self._working:
            self._working = True
            self._turns.ready(self)
        elif self._framer.size > _LARGEST_INBOX and self._stream is not None:
            self._paused = True
            self._stream.pause_reading()

    def work(self) -> bool:
        """Handle some messages; whether more may be there.  A stream that is no SIP is closed."""
        framer = self._framer
        for _ in range(_SLICE):
            message = framer.take()
            if message is None:
                break
            self._take(message)
            if self._framer is not framer:
                self._working = False  # closed by what came in
                return False
        else:
            return True
        self._working = False
        if framer.broken is not None:
            self._give_up_on(f"not understood: {framer.broken}")
        elif self._admission is not None:
            self._answer_pings()
        if self._paused and self._open and self._stream is not None:
            self._paused = False
            self._stream.resume_reading()
        if self._stream is None:
            self._tell_lost()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection has ended; what came before is handled first."""
        self._stream = None
        self._stop_asking()
        if self._admission is not None:
            self._admission.leave()
        self._why = self._why or (f"connection lost: {exc}" if exc else "closed by the other side")
        at = self._loop.time()
        self.trouble = (self.trouble or self.suspicion() or of_end(exc, at))._replace(at=at)
        if not self._working:
            self._tell_lost()

    def _tell_lost(self) -> None:
        lost, self._lost = self._lost, None
        if lost is not None:
            lost(self, self._why)

    # -- messages -----------------------------------------------------------------------------

    def _take(self, message: bytes) -> None:
        if self._tap.active:
            ours, theirs = self.ours, self.theirs
            self._tap.received(message, self.transport, self.protocol, ours, theirs)
        if self._listener.received(message, Source(self, self.peer)):
            self.spoke = True
            self._useless = 0 if self._admission is None else self._useless
            return
        self._useless += 1
        patience = _PATIENCE if self._admission is None else _PATIENCE_WITH_STRANGERS
        if self._useless >= patience:
            self._give_up_on("not understood: nothing but messages of no use")

    def _give_up_on(self, why: str) -> None:
        self._why = self._why or why
        self.given_up_on = True
        if self._stream is not None:
            self._framer = StreamFramer()
            self._stream.abort()

    def _answer_pings(self) -> None:
        """Who connects to us may ask whether we are there; on our own connections we ask."""
        pings, self._pings = self._framer.pings - self._pings, self._framer.pings
        if pings > 0 and self._open and self._stream is not None:
            self._stream.write(_PONG)

    @property
    def ours(self) -> Address:
        """Our end of the connection, which is not the port we listen on."""
        name = self._stream.get_extra_info("sockname") if self._stream is not None else None
        return Address(str(name[0]), int(name[1])) if name else Address("", 0)

    @property
    def theirs(self) -> Address:
        """The other end."""
        return Address(str(self.peer[0]), int(self.peer[1]))

    def _label(self) -> str:
        return f"{self.protocol} {self.theirs}"
