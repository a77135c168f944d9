"""What the parts of `net` and their users say to each other."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Any, NamedTuple, Protocol

from pjreg_cli.api.findings import Certificate, Trouble
from pjreg_cli.sip.address import Address
from pjreg_cli.sip.locate import Target


class Tap(Protocol):
    """Who wants to see every SIP message that passes."""

    active: bool
    """Whether anybody looks; neither method is called while it is False."""

    def sent(
        self, data: bytes, transport: str, protocol: str, ours: Address, theirs: Address
    ) -> None:
        """`data` was handed to the transport (for a stream: to its queue)."""
        ...

    def received(
        self, data: bytes, transport: str, protocol: str, ours: Address, theirs: Address
    ) -> None:
        """`data` came in, one whole message."""
        ...


class Endpoint(ABC):
    """Something that receives messages and can answer them: a UDP socket or one connection."""

    __slots__ = ()

    transport: str
    """The name of its section."""
    protocol: str
    """`udp`, `tcp` or `tls`."""
    reliable: bool

    @abstractmethod
    def reply(self, data: bytes, address: tuple[Any, ...]) -> None:
        """Send `data` back to where a message came from; best effort, never raises."""

    def garbled(self, data: bytes, address: tuple[Any, ...]) -> bool:
        """What came from `address` is no SIP; whether anybody waits for something from there."""
        return False


class Link(Protocol):
    """The connection that a stream's flow has now."""

    made_at: float
    """When it was made, by the loop's clock."""
    heard_at: float
    """When something last came in."""
    spoke: bool
    """Whether a message has come in over it."""
    ponged: bool
    """Whether the other side answers keep-alives."""

    def ping(self) -> None:
        """Send a keep-alive."""
        ...

    def give_up(self, why: str) -> None:
        """End it as one that is dead; the listener is told that it was lost."""
        ...


class Source(NamedTuple):
    """Where a message came from, and the way back."""

    endpoint: Endpoint
    address: tuple[Any, ...]
    """The socket address: numeric host, port, and more for IPv6."""

    @property
    def host(self) -> str:
        """The numeric address of the sender."""
        return str(self.address[0])

    @property
    def port(self) -> int:
        """The port of the sender."""
        return int(self.address[1])

    def reply(self, data: bytes) -> None:
        """Send `data` back; best effort, never raises."""
        self.endpoint.reply(data, self.address)


class Flow(ABC):
    """The way from one transport to one target; the same object for all who go that way.

    A stream's flow outlives its connections: `send` connects when there is none.
    """

    __slots__ = ("told",)

    transport: str
    """The name of the transport's section."""
    protocol: str
    """`udp`, `tcp` or `tls`."""
    reliable: bool
    """Whether messages arrive without retransmissions (RFC 3261 section 17)."""
    target: Target
    told: Address | None
    """What `contact` was when last asked for; None before."""
    trouble: Trouble | None = None
    """What last went wrong on this way."""
    stage: str = ""
    """How far a connection has come that is being made: `connect`, `handshake`; empty for none."""
    certificate: Certificate | None = None
    """What the other side of a TLS connection shows."""

    @property
    @abstractmethod
    def sent_by(self) -> Address:
        """The address and port for Via (RFC 3261 section 18.1.1), NAT rules applied."""

    @property
    @abstractmethod
    def contact(self) -> Address:
        """The address and port for Contact, NAT rules applied."""

    @property
    def open(self) -> bool:
        """Whether there is a connection now; over UDP always."""
        return True

    @abstractmethod
    def send(self, data: bytes) -> None:
        """Send one message, or queue it until the connection is there; never waits.

        Raises TransportError when it certainly cannot be sent.  What fails later, a stream tells
        by `Listener.closed`, UDP by `Listener.refused`.
        """

    def suspicion(self) -> Trouble | None:
        """Why nothing may have come back although nothing has failed yet; None: no idea."""
        return None

    @property
    def link(self) -> Link | None:
        """The connection there is now; None for UDP and while there is none."""
        return None

    @abstractmethod
    def carries(self, endpoint: Endpoint) -> bool:
        """Whether what came to `endpoint` may answer what was sent over this flow: over a stream,
        only what came over its connection."""

    def is_astray(self) -> bool:
        """Whether there is a connection from an address that is ours no longer."""
        return False

    def keep_alive(self) -> None:
        """Send what holds open the way back through a NAT; streams have their own."""
        return

    @abstractmethod
    def reset(self) -> None:
        """Give up the connection, without telling the listener; the next `send` opens a new one.
        Nothing for UDP."""


class Listener(Protocol):
    """Who is told what comes in.  Called on the event loop, never from within `Flow.send`; must not
    block or raise."""

    def received(self, data: bytes, source: Source) -> bool:
        """A datagram, raw, or one whole message of a stream; whether it was of any use."""
        ...

    def closed(
        self,
        flow: Flow,
        why: str,
        established: bool,
        *,
        lived_s: float = math.inf,
        spoke: bool = True,
    ) -> None:
        """The connection could not be made (`established` False) or was lost, `lived_s` seconds
        after it was made and, unless it `spoke`, without a single message having come in; for UDP,
        the transport was closed."""
        ...

    def refused(self, flow: Flow) -> None:
        """An ICMP message says that nobody listens where this UDP flow leads."""
        ...

    def reachable(self) -> None:
        """What kept requests from leaving this host may be over: an address has become known, a
        network is there again, a transport could be opened."""
        ...


class Failure(NamedTuple):
    """Why a transport could not be opened."""

    why: str
    """One line that names the address or file and what can be done."""
    in_use: bool = False
    """Somebody else has the port."""

    def __str__(self) -> str:
        return self.why
