"""Where a REGISTER goes and what it is about, as its URIs say (RFC 3261 sections 10.2 and 12)."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple, Protocol

from pjreg_cli.registration.form import Form
from pjreg_cli.sip.address import Address, bracketed
from pjreg_cli.sip.uri import NameAddress, SipUri, parse_name_address, parse_uri

#: the user part of a Contact for which none is configured
DEFAULT_CONTACT_USER = "s"

#: protocols that a Contact names; UDP is what a URI without `transport` means
_CONTACT_TRANSPORTS = {"tcp": "TCP", "tls": "TLS", "ws": "WS", "wss": "WSS"}
_SECURE = frozenset({"tls", "wss"})
#: origin: these come first in every URI it writes, in this order
_PARAMETER_ORDER = ("user", "method", "transport", "ttl", "maddr", "lr")
#: what the URI of a To or From must not have (RFC 3261 section 19.1.1, table 1)
_NOT_IN_TO = frozenset({"method", "transport", "ttl", "maddr", "lr"})
_NOT_IN_REQUEST_URI = frozenset({"method"})

#: an address of record as most are written: nothing in it that To and From may not hold
_PLAIN_ADDRESS = re.compile(
    r"(sips?:[A-Za-z0-9_.+\-]+@[A-Za-z0-9_.\-]+)(?::(?:[0-9]{1,4}|[1-5][0-9]{4}|6[0-4][0-9]{3}))?"
)

_ONE_LINE = dict.fromkeys((*range(32), 127), " ")


def one_line(text: str) -> str:
    """Every control character becomes a blank: no value can end its line."""
    return text if text.isprintable() else text.translate(_ONE_LINE)


class Settings(Protocol):
    """The options of a registration that say where its requests go, by Asterisk's names."""

    @property
    def server_uri(self) -> str: ...
    @property
    def client_uri(self) -> str: ...
    @property
    def contact_user(self) -> str: ...
    @property
    def outbound_proxy(self) -> str: ...


def next_hop(settings: Settings) -> SipUri:
    """The URI whose host is to be looked up: the outbound proxy, else the registrar.

    Raises SipParseError when it is no SIP URI (as do the functions below).
    """
    return _path(settings.server_uri, settings.outbound_proxy).next_hop


def request_uri(settings: Settings) -> str:
    """The Request-URI; digest credentials name it too (RFC 7616 section 3.4)."""
    return _path(settings.server_uri, settings.outbound_proxy).request_uri


class Place(NamedTuple):
    """Which binding a registration is about, but for its address: two of one place must not get
    into each other's way."""

    aor: str
    registrar: tuple[str, int]
    contact_user: str


def place_of(settings: Settings) -> Place:
    """Where the binding of a registration lives: at this registrar, for this AOR, under this user
    of Contact.  Raises SipParseError."""
    user, _, host = address_of_record(settings).partition("@")
    return Place(f"{user}@{host.lower()}", _registrar(settings.server_uri), settings.contact_user)


@lru_cache(maxsize=1024)
def _registrar(server_uri: str) -> tuple[str, int]:
    uri = _bare(server_uri)
    secure = uri.scheme == "sips" or (uri.parameter("transport") or "").lower() == "tls"
    return uri.host.lower(), uri.port or (5061 if secure else 5060)


class _Path(NamedTuple):
    """How requests of a registration travel (RFC 3261 section 12.2.1.1)."""

    next_hop: SipUri
    request_uri: str
    route: str
    """The value of Route, empty for none."""
    sips: bool
    """Whether the registrar's URI demands TLS all the way."""


# many registrations have their registrar in common, and every attempt asks
@lru_cache(maxsize=1024)
def _path(server_uri: str, outbound_proxy: str) -> _Path:
    server = _bare(server_uri)
    registrar, sips = _in_request_line(server), server.scheme == "sips"
    proxy = _proxy(outbound_proxy)
    if proxy is None:
        return _Path(server, registrar, "", sips)
    if proxy.uri.has("lr") and proxy.uri.has("hide"):
        # origin: a proxy to be hidden is where requests go, and is named nowhere in them
        return _Path(proxy.uri, registrar, "", sips)
    if proxy.uri.has("lr"):
        return _Path(proxy.uri, registrar, str(proxy._replace(uri=_ordered(proxy.uri))), sips)
    return _Path(proxy.uri, _in_request_line(proxy.uri), f"<{registrar}>", sips)


def _proxy(value: str) -> NameAddress | None:
    text = value.strip()
    if not text:
        return None
    # without brackets parameters are the URI's here: `;lr` can be meant for nothing else
    return parse_name_address(text) if "<" in text else NameAddress("", parse_uri(text))


def _bare(text: str) -> SipUri:
    """The URI, whether or not it stands in angle brackets."""
    return parse_uri(text.strip().removeprefix("<").removesuffix(">"))


def _ordered(uri: SipUri, without: frozenset[str] = frozenset()) -> SipUri:
    """`uri` without its headers and some parameters, known parameters first."""

    def rank(parameter: tuple[str, str | None]) -> int:
        name = parameter[0].lower()
        return _PARAMETER_ORDER.index(name) if name in _PARAMETER_ORDER else len(_PARAMETER_ORDER)

    kept = (one for one in uri.parameters if one[0].lower() not in without)
    return uri._replace(parameters=tuple(sorted(kept, key=rank)), headers="")


def _in_request_line(uri: SipUri) -> str:
    return str(_ordered(uri, _NOT_IN_REQUEST_URI))


def address_of_record(settings: Settings) -> str:
    """What To and From name; the grammar leaves them no port (RFC 3261 section 19.1.1)."""
    if (plain := _PLAIN_ADDRESS.fullmatch(settings.client_uri)) is not None:
        return plain[1]
    return str(_ordered(_bare(settings.client_uri), _NOT_IN_TO)._replace(port=None))


def contact_user(settings: Settings) -> str:
    """The user part of our Contact."""
    return one_line(settings.contact_user) or DEFAULT_CONTACT_USER


def our_contact(settings: Settings, protocol: str, address: Address, line: str = "") -> SipUri:
    """The URI we offer in Contact.  `protocol` is the flow's, in lower case; `line` the token that
    tells calls of this registration from others, empty for none."""
    sips = _path(settings.server_uri, settings.outbound_proxy).sips
    place = _place(sips, protocol, address)
    user = contact_user(settings)
    return place._replace(
        user=user,
        parameters=(*place.parameters, ("line", line)) if line else place.parameters,
    )


def _place(sips: bool, protocol: str, address: Address) -> SipUri:
    """The part of our Contact that registrations over one flow have in common."""
    named = _CONTACT_TRANSPORTS.get(protocol)
    return SipUri(
        scheme="sips" if sips and protocol in _SECURE else "sip",
        user=None,
        password=None,
        host=address.host,
        port=address.port,
        parameters=() if named is None else (("transport", named),),
    )


class Way(NamedTuple):
    """What registrations at one registrar have in common over one flow, and share."""

    request_uri: str
    start: str
    """Up to the branch."""
    contact: tuple[str, str]
    """Our Contact before and behind its user."""
    route: str
    """The line of Route, empty for none."""


@lru_cache(maxsize=256)
def way_of(
    server_uri: str,
    outbound_proxy: str,
    protocol: str,
    sent_by: Address,
    contact: Address,
    form: Form,
) -> Way:
    """The way of these addresses; `protocol`, `sent_by` and `contact` are the flow's."""
    path = _path(server_uri, outbound_proxy)
    start = (
        f"REGISTER {path.request_uri} SIP/2.0\r\n"
        f"{form.names.via}: SIP/2.0/{protocol.upper()} {bracketed(sent_by.host)}:{sent_by.port}"
        f"{';rport' if form.rport else ''};branch="
    )
    scheme, _, rest = str(_place(path.sips, protocol, contact)).partition(":")
    route = f"Route: {one_line(path.route)}\r\n" if path.route else ""
    return Way(path.request_uri, start, (f"{scheme}:", f"@{rest}"), route)
