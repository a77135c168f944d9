"""Builds REGISTER requests (RFC 3261 section 10.2).

A `Template` holds what never changes between the requests of one registration over one flow, so
that a refresh costs no more than putting strings together.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple, Protocol

from pjreg_cli.errors import SipParseError
from pjreg_cli.registration.form import USUAL, Form
from pjreg_cli.sip.address import Address, bracketed
from pjreg_cli.sip.message import to_bytes
from pjreg_cli.sip.uri import (
    NameAddress,
    SipUri,
    find_parameter,
    parse_name_address,
    parse_uri,
    read_parameters,
    unquote,
)

#: what the user agent itself answers with something better than 405 (RFC 3261 section 20.5)
ALLOW = "INVITE, ACK, CANCEL, OPTIONS"
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

_PREFERENCE = re.compile(r"\s*;\s*q\s*=[^;]*", re.IGNORECASE)

_ONE_LINE = dict.fromkeys((*range(32), 127), " ")


def _one_line(text: str) -> str:
    """Every control character becomes a blank: no value can end its line."""
    return text if text.isprintable() else text.translate(_ONE_LINE)


class Settings(Protocol):
    """The options of a registration that shape its requests, by Asterisk's names."""

    @property
    def server_uri(self) -> str: ...
    @property
    def client_uri(self) -> str: ...
    @property
    def contact_user(self) -> str: ...
    @property
    def contact_header_params(self) -> str: ...
    @property
    def outbound_proxy(self) -> str: ...
    @property
    def user_agent(self) -> str: ...
    @property
    def support_path(self) -> bool: ...
    @property
    def support_outbound(self) -> bool: ...
    @property
    def security_negotiation(self) -> str: ...
    @property
    def security_mechanisms(self) -> tuple[str, ...]: ...


# -- where it goes ----------------------------------------------------------------------------


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
    user, _, host = _address_of_record(settings).partition("@")
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
        return _Path(proxy.uri, registrar, str(replace(proxy, uri=_ordered(proxy.uri))), sips)
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
    return replace(uri, parameters=tuple(sorted(kept, key=rank)), headers="")


def _in_request_line(uri: SipUri) -> str:
    return str(_ordered(uri, _NOT_IN_REQUEST_URI))


def _address_of_record(settings: Settings) -> str:
    """What To and From name; the grammar leaves them no port (RFC 3261 section 19.1.1)."""
    if (plain := _PLAIN_ADDRESS.fullmatch(settings.client_uri)) is not None:
        return plain[1]
    return str(replace(_ordered(_bare(settings.client_uri), _NOT_IN_TO), port=None))


def our_contact(settings: Settings, protocol: str, address: Address, line: str = "") -> SipUri:
    """The URI we offer in Contact.  `protocol` is the flow's, in lower case; `line` the token that
    tells calls of this registration from others, empty for none."""
    sips = _path(settings.server_uri, settings.outbound_proxy).sips
    place = _place(sips, protocol, address)
    user = _one_line(settings.contact_user) or DEFAULT_CONTACT_USER
    return replace(
        place,
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


@lru_cache(maxsize=256)
def _instance_of(contact_header_params: str) -> str:
    if "+sip.instance" not in contact_header_params.lower():
        return ""
    try:
        parameters = read_parameters(";" + contact_header_params)
    except SipParseError:
        return ""
    return unquote(find_parameter(parameters, "+sip.instance") or "")


# -- the template -----------------------------------------------------------------------------


class _Common(NamedTuple):
    """Header lines that many registrations have alike, and share."""

    register: str
    unregister: str
    security_client: str
    end: str


@lru_cache(maxsize=256)
def _common(
    user_agent: str, supported: str, mechanisms: tuple[str, ...] | None, form: Form
) -> _Common:
    names = form.names
    fixed = f"\r\nMax-Forwards: {form.max_forwards}\r\nUser-Agent: {_one_line(user_agent)}\r\n"
    if supported:
        fixed += f"{names.supported}: {supported}\r\n"
    client = ""
    if mechanisms is not None:
        fixed += "Require: mediasec\r\nProxy-Require: mediasec\r\n"
        client = "".join(f"Security-Client: {_offered(mechanism)}\r\n" for mechanism in mechanisms)
    end = f"{names.content_length}: 0\r\n\r\n"
    return _Common(f"{fixed}Allow: {ALLOW}\r\n", fixed, client, end)


def _offered(mechanism: str) -> str:
    """A mechanism as Security-Client names it: its preference is the server's to say."""
    # origin: reads q and leaves it out
    return _PREFERENCE.sub("", _one_line(mechanism))


@lru_cache(maxsize=4)
def _supported(outbound: bool, path: bool) -> str:
    """The option tags of outbound (RFC 5626) and Path (RFC 3327)."""
    tags = (("outbound", outbound), ("path", path))
    return ", ".join(tag for tag, wanted in tags if wanted)


class _Way(NamedTuple):
    """What registrations at one registrar have in common over one flow, and share."""

    request_uri: str
    start: str
    """Up to the branch."""
    contact: tuple[str, str]
    """Our Contact before and behind its user."""
    route: str
    """The line of Route, empty for none."""


@lru_cache(maxsize=256)
def _way(
    server_uri: str,
    outbound_proxy: str,
    protocol: str,
    sent_by: Address,
    contact: Address,
    form: Form,
) -> _Way:
    path = _path(server_uri, outbound_proxy)
    start = (
        f"REGISTER {path.request_uri} SIP/2.0\r\n"
        f"{form.names.via}: SIP/2.0/{protocol.upper()} {bracketed(sent_by.host)}:{sent_by.port}"
        f"{';rport' if form.rport else ''};branch="
    )
    scheme, _, rest = str(_place(path.sips, protocol, contact)).partition(":")
    route = f"Route: {_one_line(path.route)}\r\n" if path.route else ""
    return _Way(path.request_uri, start, (f"{scheme}:", f"@{rest}"), route)


class Template:
    """The REGISTERs of one registration over one flow.

    `user_agent` is the global one, for registrations without their own.  `protocol` is the flow's
    (`udp`, `tcp`, `tls`), `sent_by` and `contact` its addresses for Via and Contact.  Raises
    SipParseError when a URI of the settings is none.
    """

    __slots__ = (
        "_after",
        "_before",
        "_common",
        "_contact_name",
        "_contact_of",
        "_fixed",
        "_from",
        "_parameters",
        "_start",
        "instance",
        "offered",
        "request_uri",
    )

    request_uri: str
    offered: str
    """What we offer in Contact, as text."""
    instance: str
    """The `+sip.instance` we offer with it, empty without one (RFC 5626 section 4.1)."""

    def __init__(
        self,
        settings: Settings,
        user_agent: str,
        *,
        call_id: str,
        line: str,
        protocol: str,
        sent_by: Address,
        contact: Address,
        form: Form = USUAL,
    ) -> None:
        names = form.names
        way = _way(settings.server_uri, settings.outbound_proxy, protocol, sent_by, contact, form)
        self.request_uri, self._start, (before, behind), route = way
        user = _one_line(settings.contact_user) or DEFAULT_CONTACT_USER
        self.offered = f"{before}{user}{behind}{f';line={line}' if line else ''}"
        self._contact_of = settings, protocol, contact, line
        aor = _address_of_record(settings)
        self._from = f"\r\n{names.from_}: <{aor}>;tag="
        given = settings.contact_header_params
        self._parameters = f";{_one_line(given)}" if given else ""
        self._contact_name = names.contact
        self.instance = _instance_of(given)
        self._before = f"\r\n{names.to}: <{aor}>\r\n{names.call_id}: {call_id}\r\n"
        self._after = f"{route}CSeq: "
        self._fixed = f"{self._before}{self._contact(self.offered)}{self._after}"
        mediasec = settings.security_negotiation == "mediasec"
        self._common = _common(
            settings.user_agent or user_agent,
            _supported(settings.support_outbound, settings.support_path),
            settings.security_mechanisms if mediasec else None,
            form,
        )

    @property
    def contact(self) -> SipUri:
        """What we offer: against this the Contacts of a 2xx are held."""
        return our_contact(*self._contact_of)

    def build(
        self,
        expires_s: int,
        *,
        cseq: int,
        from_tag: str,
        branch: str,
        bound: Sequence[str] = (),
        authorization: Sequence[tuple[str, str]] = (),
        security_verify: Sequence[str] = (),
        agreement: bool = False,
    ) -> bytes:
        """One request; `expires_s` 0 makes it an unregister.

        `bound` are the URIs of ours that the registrar may hold: an unregister takes them off, a
        registration those that are not what we offer now (RFC 3261 section 10.2.2).
        `authorization` are header names with values, as `sip.digest` makes them, `security_verify`
        the values to give back of Security-Server (RFC 3329 section 2.3.1).  With `agreement` (the
        answer to a 494) there is no Security-Client.
        """
        common = self._common
        fixed = self._taking_off(bound, expires_s) if bound else self._fixed
        text = (
            f"{self._start}{branch}{self._from}{from_tag}{fixed}{cseq} REGISTER\r\nExpires: "
            f"{expires_s}{common.register if expires_s else common.unregister}"
        )
        if common.security_client and not agreement:
            text += common.security_client
        if security_verify:
            text += _lines(("Security-Verify", value) for value in security_verify)
        if authorization:
            text += _lines(authorization)
        return to_bytes(text + common.end)

    def _contact(self, uri: str) -> str:
        return f"{self._contact_name}: <{uri}>{self._parameters}\r\n"

    def _taking_off(self, bound: Sequence[str], expires_s: int) -> str:
        """The fixed lines with the Contacts that go."""
        ours = self.offered
        if not expires_s:
            contacts = [self._contact(uri) for uri in bound]
        else:
            gone = [f"{self._contact_name}: <{uri}>;expires=0\r\n" for uri in bound if uri != ours]
            if not gone:
                return self._fixed
            contacts = [self._contact(ours), *gone]
        return f"{self._before}{''.join(contacts)}{self._after}"


def _lines(headers: Iterable[tuple[str, str]]) -> str:
    """Header lines; what a registrar made us repeat cannot end its line either."""
    return "".join([f"{name}: {_one_line(value)}\r\n" for name, value in headers])
