"""What a registration must fulfil beyond the form of each option (pure)."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from pjreg_cli.config.models import Registration, Transport
from pjreg_cli.errors import SipParseError
from pjreg_cli.sip.uri import parse_name_address, parse_uri

LONGEST_URI: Final = 511
LONGEST_HOST: Final = 255

# What nearly every URI looks like is accepted at once; the parser decides about the rest.
_PLAIN: Final = re.compile(
    r"(sips?):(?:[A-Za-z0-9_.+~*-]+@)?([A-Za-z0-9][A-Za-z0-9.-]*)(?::[1-9][0-9]{0,3})?", re.ASCII
)
_PLAIN_USER: Final = re.compile(r"[A-Za-z0-9_.+-]*", re.ASCII)
_PROTOCOLS: Final = frozenset({"udp", "tcp", "tls"})


class Server(NamedTuple):
    """What a server_uri asks for."""

    problem: str
    """Why it cannot be used; empty when it can."""
    protocol: str = "udp"
    """The kind of transport it needs: `udp`, `tcp`, `tls` or the unknown word it names."""
    version: int = 0
    """4 or 6 for a numeric address, 0 for a name."""


class Defect(NamedTuple):
    """Why a section is refused, and the option whose line is to blame (empty: the header)."""

    option: str
    message: str


def uri_problem(text: str) -> str:
    """Why a text is no `sip:` or `sips:` URI that a registration can use; empty when it is.

    Angle brackets around it are allowed, nothing before or behind them.
    """
    if len(text) <= LONGEST_HOST and _PLAIN.fullmatch(text):
        return ""
    if len(text) > LONGEST_URI:
        return f"is longer than {LONGEST_URI} characters"
    try:
        uri = parse_uri(bare(text))
    except SipParseError:
        return "is not a sip: or sips: URI"
    if len(uri.host) > LONGEST_HOST:
        return f"has a host of more than {LONGEST_HOST} characters"
    return ""


def server(text: str) -> Server:
    """What a server_uri asks for."""
    problem = uri_problem(text)
    if problem:
        return Server(problem)
    uri = parse_uri(bare(text))
    protocol = "tls" if uri.scheme == "sips" else (uri.parameter("transport") or "udp").lower()
    return Server("", protocol, _version(uri.host))


def bare(text: str) -> str:
    """A URI without the angle brackets around it."""
    return text[1:-1] if text[:1] == "<" and text[-1:] == ">" else text


def _version(host: str) -> int:
    if ":" in host:
        return 6
    if not host[-1:].isdigit():
        return 0
    try:
        return ipaddress.ip_address(host).version
    except ValueError:
        return 0


class OpenTransports(NamedTuple):
    """The transports there are: their names and kinds."""

    names: frozenset[str]
    kinds: frozenset[tuple[str, int]]

    @staticmethod
    def of(transports: Iterable[Transport]) -> OpenTransports:
        """What these transports open."""
        them = tuple(transports)
        return OpenTransports(
            frozenset(t.name for t in them),
            frozenset((t.protocol, 6 if ":" in t.host else 4) for t in them),
        )

    def missing(self, needs: Server, named: str) -> str:
        """Why a registration cannot leave; empty when it can.

        `named` is its transport option: one that exists is taken whatever the server_uri says,
        one that does not is ignored.
        """
        if named in self.names:
            return ""
        protocol = needs.protocol
        if protocol not in _PROTOCOLS:
            return f"its transport '{protocol[:20]}' is none that can register"
        versions = (needs.version,) if needs.version else (4, 6)
        if any((protocol, version) in self.kinds for version in versions):
            return ""
        family = f" over IPv{needs.version}" if needs.version else ""
        return f"no transport for {protocol}{family} is configured"


class Inspector:
    """Inspects registrations one after the other; remembers what their server_uris ask for."""

    def __init__(self, transports: OpenTransports) -> None:
        self._transports = transports
        self._servers: dict[str, Server] = {}

    def defect(self, registration: Registration) -> Defect | None:
        """The first thing that makes Asterisk refuse a registration whose options are all in
        form; None when there is none."""
        text = registration.server_uri
        needs = self._servers.get(text)
        if needs is None:
            needs = self._servers[text] = server(text)
        if needs.problem or uri_problem(registration.client_uri):
            return _bad_uri(registration, needs)
        if (
            registration.line is not bool(registration.endpoint)
            or registration.outbound_proxy
            or registration.security_negotiation != "no"
            or not registration.expiration
            or not _PLAIN_USER.fullmatch(registration.contact_user)
        ) and (found := _unusual(registration)):
            return found
        missing = self._transports.missing(needs, registration.transport)
        return Defect("server_uri", missing) if missing else None


def _bad_uri(registration: Registration, needs: Server) -> Defect:
    if not registration.server_uri:
        return Defect("", "server_uri is missing")
    if needs.problem:
        return Defect("server_uri", f"server_uri {needs.problem}")
    if not registration.client_uri:
        return Defect("", "client_uri is missing")
    return Defect("client_uri", f"client_uri {uri_problem(registration.client_uri)}")


def _unusual(registration: Registration) -> Defect | None:
    """What is wrong with a combination that most registrations do not have."""
    if registration.line and not registration.endpoint:
        return Defect("line", "line=yes needs an endpoint")
    if registration.endpoint and not registration.line:
        return Defect("endpoint", "endpoint needs line=yes")
    if registration.security_negotiation not in ("no", "mediasec"):
        return Defect("security_negotiation", "security_negotiation is neither no nor mediasec")
    if not registration.expiration:
        return Defect("expiration", "expiration is 0")
    if registration.outbound_proxy and not _is_proxy(registration.outbound_proxy):
        return Defect("outbound_proxy", "outbound_proxy is not a sip: or sips: URI")
    if not _is_user(registration.contact_user):
        return Defect("contact_user", "contact_user cannot stand in a Contact")
    return None


def _is_proxy(text: str) -> bool:
    try:
        if "<" in text:
            parse_name_address(text)
        else:
            parse_uri(text)
    except SipParseError:
        return False
    return True


def _is_user(text: str) -> bool:
    if not text:
        return True
    try:
        return "@" not in text and parse_uri(f"sip:{text}@invalid").host == "invalid"
    except SipParseError:
        return False
