"""A small registrar on loopback for `pjreg-cli demo`: digest, bindings, and two ways to refuse.

It checks credentials on its own, from the passwords, and so is also a second opinion on
`sip/digest.py`.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import cast

from pjreg_cli.errors import SipParseError
from pjreg_cli.sip.headers import Headers
from pjreg_cli.sip.message import Request, Response, parse
from pjreg_cli.sip.uri import parse_name_address

_REALM = "demo.invalid"
_HASHES = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}
_FIELD = re.compile(r'(\w+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))')


@dataclass(frozen=True, slots=True)
class Subscriber:
    """An account of the registrar."""

    password: str = ""
    algorithm: str = "MD5"
    refusal: tuple[int, str] | None = None
    """What every REGISTER is answered, whatever it carries."""


SUBSCRIBERS: Mapping[str, Subscriber] = {
    "office": Subscriber("correct-horse"),
    "warehouse": Subscriber("battery-staple", "SHA-256"),
    "mistyped": Subscriber("another-one-entirely"),
    "overloaded": Subscriber(refusal=(503, "Service Unavailable")),
}


class DemoRegistrar(asyncio.DatagramProtocol):
    """Answers REGISTER (RFC 3261 section 10.3) for `subscribers`; anything else is passed over."""

    def __init__(
        self,
        subscribers: Mapping[str, Subscriber] = SUBSCRIBERS,
        nonce: Callable[[], str] = lambda: secrets.token_hex(16),
    ) -> None:
        self._subscribers = subscribers
        self._new_nonce = nonce
        self._nonces: set[str] = set()
        self._transport: asyncio.DatagramTransport | None = None
        self.bindings: dict[str, str] = {}
        """Contact URI of every subscriber that is registered."""

    @property
    def port(self) -> int:
        """The UDP port it answers on."""
        assert self._transport is not None
        port: int = self._transport.get_extra_info("sockname")[1]
        return port

    def close(self) -> None:
        """Answer no more."""
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is open."""
        # the loop's datagram transport does not derive from the class that describes it
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """One message, perhaps."""
        try:
            message = parse(data)
            if isinstance(message, Request) and message.method == "REGISTER":
                assert self._transport is not None
                self._transport.sendto(self.answer(message).encode(), addr)
        except SipParseError:
            return

    def answer(self, request: Request) -> Response:
        """The response to a REGISTER; raises SipParseError."""
        user = parse_name_address(request.headers.get("To") or "").uri.user or ""
        subscriber = self._subscribers.get(user)
        if subscriber is None:
            return _response(request, 404, "Not Found")
        if subscriber.refusal is not None:
            return _response(request, *subscriber.refusal)
        if not self._proven(request, user, subscriber):
            return _response(request, 401, "Unauthorized", self._challenge(subscriber))
        return self._bind(request, user)

    def _challenge(self, subscriber: Subscriber) -> tuple[str, str]:
        nonce = self._new_nonce()
        self._nonces.add(nonce)
        offer = f'Digest realm="{_REALM}", nonce="{nonce}", qop="auth"'
        return "WWW-Authenticate", f"{offer}, algorithm={subscriber.algorithm}"

    def _proven(self, request: Request, user: str, subscriber: Subscriber) -> bool:
        """Whether the credentials are right and the nonce is one that was not used (RFC 7616)."""
        fields = dict(_fields(request.headers.get("Authorization") or ""))
        nonce = fields.get("nonce", "")
        if nonce not in self._nonces or fields.get("username") != user:
            return False
        self._nonces.remove(nonce)
        digest = _HASHES[subscriber.algorithm]

        def hexed(*parts: str) -> str:
            return digest(":".join(parts).encode()).hexdigest()

        return fields.get("response") == hexed(
            hexed(user, _REALM, subscriber.password),
            nonce,
            fields.get("nc", ""),
            fields.get("cnonce", ""),
            "auth",
            hexed("REGISTER", fields.get("uri", "")),
        )

    def _bind(self, request: Request, user: str) -> Response:
        expires = request.headers.get("Expires") or "3600"
        contact = request.headers.get("Contact") or ""
        if expires == "0":
            self.bindings.pop(user, None)
            return _response(request, 200, "OK")
        self.bindings[user] = str(parse_name_address(contact).uri)
        granted = f"<{self.bindings[user]}>;expires={expires}"
        return _response(request, 200, "OK", ("Contact", granted))


def _fields(value: str) -> Iterator[tuple[str, str]]:
    """The parameters of an Authorization header."""
    for name, quoted, bare in _FIELD.findall(value):
        yield name.lower(), quoted or bare


def _response(request: Request, code: int, reason: str, *more: tuple[str, str]) -> Response:
    """A response with what every response repeats (RFC 3261 section 8.2.6)."""
    to = request.headers.get("To") or ""
    fields = [
        *(("Via", via) for via in request.headers.all("Via")),
        ("From", request.headers.get("From") or ""),
        ("To", to if ";tag=" in to else f"{to};tag=demo"),
        ("Call-ID", request.headers.get("Call-ID") or ""),
        ("CSeq", request.headers.get("CSeq") or ""),
        *more,
    ]
    return Response(code, reason, Headers(fields))


async def start() -> DemoRegistrar:
    """A registrar on a free port of 127.0.0.1."""
    loop = asyncio.get_running_loop()
    _, registrar = await loop.create_datagram_endpoint(DemoRegistrar, local_addr=("127.0.0.1", 0))
    return registrar
