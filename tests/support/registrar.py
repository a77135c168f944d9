"""A registrar on loopback that answers by script, for tests of the client's event loop.

    async with Registrar.open() as registrar:
        registrar.script("alice", fail(503), protected("secret"))
        ...
        await registrar.received(2, "alice")

Each request of a user takes the next answer of the script; the last one stays.  Without a script
everything is granted.  Retransmissions get the answer again and are counted, not recorded.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Self

from pjreg_cli.sip.framing import StreamFramer
from pjreg_cli.sip.headers import Headers
from pjreg_cli.sip.message import Request, Response, parse
from pjreg_cli.sip.uri import parse_name_address
from tests.support.ports import LOOPBACK, free_port

REALM = "loopback"

Extra = tuple[tuple[str, str], ...]


@dataclass(slots=True)
class Seen:
    """A REGISTER that came in, and what was answered."""

    request: Request
    user: str
    protocol: str
    peer: tuple[str, int]
    at: float
    code: int = 0
    """0: no final answer."""
    copies: int = 1
    """How often it came, retransmissions included."""

    @property
    def expires_s(self) -> int:
        """What was asked for."""
        return int(self.request.headers.get("expires") or -1)

    @property
    def cseq(self) -> int:
        """The number in CSeq."""
        return self.request.cseq[0]

    def header(self, name: str) -> str:
        """The first value of a header, empty without one."""
        return self.request.headers.get(name) or ""

    @property
    def credentials(self) -> str:
        """Authorization or Proxy-Authorization, empty without."""
        return self.header("authorization") or self.header("proxy-authorization")


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back for one request."""

    code: int
    headers: Extra = ()
    provisional: bool = False
    """A 100 goes first."""
    close: bool = False
    """The connection is closed afterwards."""
    reason: str = "Scripted"
    via: str = ""
    """Put behind the Via, e.g. `;received=192.0.2.1`."""
    again: bool = False
    """The next request meets the same answer of the script: this one was a challenge."""


Answer = Callable[[Seen], Reply | None]
"""Decides what to say; None is silence."""


# -- answers ----------------------------------------------------------------------------------


def grant(expires_s: int | None = None, *, provisional: bool = False) -> Answer:
    """200 with the Contact and the lifetime asked for, or `expires_s`."""

    def answer(seen: Seen) -> Reply:
        lifetime = seen.expires_s
        if lifetime and expires_s is not None:
            lifetime = expires_s
        contacts = (
            ((("Contact", f"{seen.header('contact')};expires={lifetime}"),)) if lifetime else ()
        )
        return Reply(200, contacts, provisional)

    return answer


def fail(
    code: int,
    headers: Sequence[tuple[str, str]] = (),
    *,
    provisional: bool = False,
    close: bool = False,
) -> Answer:
    """This final response, whatever is asked."""
    reply = Reply(code, tuple(headers), provisional, close)
    return lambda _seen: reply


def silence() -> Answer:
    """No answer at all."""
    return lambda _seen: None


def hang_up() -> Answer:
    """The connection is closed without an answer."""
    return lambda _seen: Reply(0, close=True)


_HASHES = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}


def protected(
    password: str,
    then: Answer | None = None,
    *,
    username: str = "",
    realm: str = REALM,
    algorithm: str = "MD5",
    qop: str = "auth",
    proxy: bool = False,
    stale: int = 0,
) -> Answer:
    """A challenge; what the right credentials get is `then` (everything granted).

    `username` is the To user where none is given.  The first `stale` nonces are not accepted and
    replaced.  Wrong credentials get another challenge.
    """
    code, ask, give = (
        (407, "Proxy-Authenticate", "proxy-authorization")
        if proxy
        else (401, "WWW-Authenticate", "authorization")
    )
    granted = then or grant()
    nonces: list[str] = []

    def challenge(is_stale: bool) -> Reply:
        nonces.append(f"nonce-{len(nonces)}")
        value = f'Digest realm="{realm}", nonce="{nonces[-1]}", algorithm={algorithm}'
        value += f', qop="{qop}"' if qop else ""
        value += ", stale=true" if is_stale else ""
        return Reply(code, ((ask, value),), again=True)

    def answer(seen: Seen) -> Reply | None:
        fields = _fields(seen.header(give))
        if not fields:
            return challenge(is_stale=False)
        name = username or seen.user
        if not _is_right(fields, seen.request.method, name, realm, password, algorithm, qop):
            return challenge(is_stale=False)
        if fields["nonce"] not in nonces[stale:]:
            return challenge(is_stale=True)
        return granted(seen)

    return answer


def _fields(credentials: str) -> dict[str, str]:
    found = re.findall(r'(\w+)=(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))', credentials)
    return {name.lower(): quoted or plain for name, quoted, plain in found}


def _is_right(
    fields: dict[str, str],
    method: str,
    username: str,
    realm: str,
    password: str,
    algorithm: str,
    qop: str,
) -> bool:
    """Whether credentials prove that their sender knows the password (RFC 7616 section 3.4.1)."""

    def digest(*parts: str) -> str:
        return hashlib.new(_HASHES[algorithm], ":".join(parts).encode()).hexdigest()

    if (fields.get("username"), fields.get("realm")) != (username, realm):
        return False
    middle = [fields["nonce"]]
    if qop:
        middle += [fields.get("nc", ""), fields.get("cnonce", ""), "auth"]
    secret, what = digest(username, realm, password), digest(method, fields["uri"])
    return fields.get("response") == digest(secret, *middle, what)


# -- the registrar ----------------------------------------------------------------------------


@dataclass(slots=True)
class Registrar:
    """Listens on one port of loopback, UDP and TCP alike; open it with `Registrar.open`."""

    host: str
    port: int
    seen: list[Seen] = field(default_factory=list)
    bindings: dict[str, set[str]] = field(default_factory=dict)
    """The Contact URIs of each To user, as granted and removed; they do not run out."""
    silent: bool = False
    """Nothing is answered and nothing recorded: as if it were down."""
    deaf: int = 0
    """How many of the next messages do not reach it."""
    keep_alives: int = 0
    """Line ends that came as datagrams."""
    pongs: bool = False
    """Keep-alives of connections are answered (RFC 5626 section 4.4.1)."""
    before: bytes = b""
    """What goes out before each answer over TCP, in the same piece."""
    dead: bool = False
    """Connections that are open hear and say nothing any more; new ones do."""
    loss: int = 0
    """Of so many datagrams one is lost, each way; 0: none."""
    elsewhere: bool = False
    """Datagrams are answered from another port."""
    _passed: int = 1
    _dead_ones: set[asyncio.WriteTransport] = field(default_factory=set)
    _scripts: dict[str, list[Answer]] = field(default_factory=dict)
    _answered: dict[str, tuple[Seen, list[bytes]]] = field(default_factory=dict)
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _connections: set[asyncio.WriteTransport] = field(default_factory=set)

    @classmethod
    @asynccontextmanager
    async def open(
        cls, host: str = LOOPBACK, port: int = 0, context: ssl.SSLContext | None = None
    ) -> AsyncIterator[Self]:
        """Listening until the block ends; `port` 0 chooses a free one.  With `context` its streams
        are TLS."""
        loop = asyncio.get_running_loop()
        self = cls(host, port or free_port(host))
        datagrams, _ = await loop.create_datagram_endpoint(
            lambda: _Datagrams(self), (host, self.port)
        )
        server = await loop.create_server(lambda: _Stream(self), host, self.port, ssl=context)
        try:
            yield self
        finally:
            datagrams.close()
            server.close()
            self.close_connections()
            # closing takes effect in the next round of the loop
            await asyncio.sleep(0)

    def script(self, user: str, *answers: Answer) -> None:
        """From now on the requests of this To user take these answers in turn, then the last."""
        self._scripts[user] = list(answers)

    def close_connections(self) -> None:
        """Close every TCP connection; the port goes on listening."""
        for connection in tuple(self._connections):
            connection.close()

    @property
    def connections(self) -> int:
        """How many TCP connections are open."""
        return len(self._connections)

    def of(self, user: str) -> list[Seen]:
        """The requests of this To user."""
        return [seen for seen in self.seen if seen.user == user]

    async def received(self, count: int, user: str | None = None) -> list[Seen]:
        """Wait until `count` requests (of `user`) have come; all of them."""
        while True:
            found = self.seen if user is None else self.of(user)
            if len(found) >= count:
                return list(found)
            self._news.clear()
            await self._news.wait()

    # -- what comes in ------------------------------------------------------------------------

    def take(self, data: bytes, protocol: str, peer: tuple[str, int]) -> tuple[list[bytes], bool]:
        """The responses to one message, and whether to hang up then."""
        if self.deaf:
            self.deaf -= 1
            return [], False
        message = parse(data)
        if self.silent or not isinstance(message, Request) or message.method == "ACK":
            return [], False
        known = self._answered.get(message.branch)
        if known is not None:
            known[0].copies += 1
            return known[1], False
        target = parse_name_address(message.headers.get("to") or "")
        now = asyncio.get_running_loop().time()
        seen = Seen(message, target.uri.user or "", protocol, peer, now)
        reply = self._decide(seen)
        out = _responses(message, reply) if reply is not None and reply.code else []
        self._answered[message.branch] = seen, out
        self.seen.append(seen)
        self._news.set()
        return out, reply is not None and reply.close

    def _decide(self, seen: Seen) -> Reply | None:
        script = self._scripts.get(seen.user) or [grant()]
        reply = script[0](seen)
        if len(script) > 1 and not (reply is not None and reply.again):
            script.pop(0)
        seen.code = reply.code if reply is not None else 0
        if seen.code == 200:
            self._bind(seen)
        return reply

    def _bind(self, seen: Seen) -> None:
        kept = self.bindings.setdefault(seen.user, set())
        for value in seen.request.headers.listed("contact"):
            contact = parse_name_address(value)
            if seen.expires_s and contact.parameter("expires") != "0":
                kept.add(str(contact.uri))
            else:
                kept.discard(str(contact.uri))

    def loses(self) -> bool:
        """Whether the next datagram is lost: one of so many, in no order that resends could fit."""
        self._passed = (self._passed * 1103515245 + 12345) % 2**31
        return bool(self.loss) and (self._passed >> 16) % self.loss == 0

    def is_dead(self, connection: asyncio.WriteTransport) -> bool:
        """Whether this connection hears nothing."""
        if self.dead:
            self._dead_ones |= self._connections
            self.dead = False
        return connection in self._dead_ones

    def connected(self, connection: asyncio.WriteTransport) -> None:
        """A TCP connection was made."""
        self._connections.add(connection)

    def disconnected(self, connection: asyncio.WriteTransport) -> None:
        """A TCP connection has ended."""
        self._connections.discard(connection)


def _responses(request: Request, reply: Reply) -> list[bytes]:
    """What goes on the wire, a provisional response first where there is one."""
    repeated = ("via", "from", "call-id", "cseq")
    fields = [
        (name, _answered_via(value, reply) if name.lower() == "via" else value)
        for name, value in request.headers
        if name.lower() in repeated
    ]
    to = request.headers.get("to") or ""
    out = []
    if reply.provisional:
        out.append(Response(100, "Trying", Headers([*fields, ("To", to)])).encode())
    final = Headers([*fields, ("To", f"{to};tag=registrar"), *reply.headers])
    return [*out, Response(reply.code, reply.reason, final).encode()]


def _answered_via(value: str, reply: Reply) -> str:
    """The Via of a request as it goes back."""
    return value.replace(";rport", "") + reply.via if reply.via else value


class _Datagrams(asyncio.DatagramProtocol):
    """The registrar's UDP socket."""

    def __init__(self, registrar: Registrar) -> None:
        self._registrar = registrar
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        assert self._transport is not None
        if not data.strip():
            self._registrar.keep_alives += 1
            return
        if self._registrar.loses():
            return
        responses, _ = self._registrar.take(data, "UDP", addr[:2])
        responses = [one for one in responses if not self._registrar.loses()]
        if self._registrar.elsewhere:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
                for response in responses:
                    other.sendto(response, addr)
            return
        for response in responses:
            self._transport.sendto(response, addr)


class _Stream(asyncio.Protocol):
    """One TCP connection to the registrar."""

    def __init__(self, registrar: Registrar) -> None:
        self._registrar = registrar
        self._framer = StreamFramer()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._transport = transport
        self._registrar.connected(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        assert self._transport is not None
        self._registrar.disconnected(self._transport)

    def data_received(self, data: bytes) -> None:
        assert self._transport is not None
        if self._registrar.is_dead(self._transport):
            return
        if self._registrar.pongs and data == b"\r\n\r\n":
            self._transport.write(b"\r\n")
        peer: tuple[str, int] = self._transport.get_extra_info("peername")[:2]
        for message in self._framer.feed(data):
            responses, hang_up_now = self._registrar.take(message, "TCP", peer)
            for response in responses:
                self._transport.write(self._registrar.before + response)
            if hang_up_now:
                self._transport.close()
