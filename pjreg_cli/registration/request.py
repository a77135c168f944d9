"""Builds REGISTER requests (RFC 3261 section 10.2).

A `Template` holds what never changes between the requests of one registration over one flow, so
that a refresh costs no more than putting strings together.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple, Protocol

from pjreg_cli.errors import SipParseError
from pjreg_cli.registration import route
from pjreg_cli.registration.form import USUAL, Form
from pjreg_cli.registration.route import (
    address_of_record,
    contact_user,
    one_line,
    our_contact,
    way_of,
)
from pjreg_cli.sip.address import Address
from pjreg_cli.sip.message import to_bytes
from pjreg_cli.sip.uri import SipUri, find_parameter, read_parameters, unquote

#: what the user agent itself answers with something better than 405 (RFC 3261 section 20.5)
ALLOW = "INVITE, ACK, CANCEL, OPTIONS"
_PREFERENCE = re.compile(r"\s*;\s*q\s*=[^;]*", re.IGNORECASE)


class Settings(route.Settings, Protocol):
    """The options of a registration that shape its requests, by Asterisk's names."""

    @property
    def contact_header_params(self) -> str: ...
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
    fixed = f"\r\nMax-Forwards: {form.max_forwards}\r\nUser-Agent: {one_line(user_agent)}\r\n"
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
    return _PREFERENCE.sub("", one_line(mechanism))


@lru_cache(maxsize=4)
def _supported(outbound: bool, path: bool) -> str:
    """The option tags of outbound (RFC 5626) and Path (RFC 3327)."""
    tags = (("outbound", outbound), ("path", path))
    return ", ".join(tag for tag, wanted in tags if wanted)


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
        way = way_of(settings.server_uri, settings.outbound_proxy, protocol, sent_by, contact, form)
        self.request_uri, self._start, (before, behind), route_line = way
        user = contact_user(settings)
        self.offered = f"{before}{user}{behind}{f';line={line}' if line else ''}"
        self._contact_of = settings, protocol, contact, line
        aor = address_of_record(settings)
        self._from = f"\r\n{names.from_}: <{aor}>;tag="
        given = settings.contact_header_params
        self._parameters = f";{one_line(given)}" if given else ""
        self._contact_name = names.contact
        self.instance = _instance_of(given)
        self._before = f"\r\n{names.to}: <{aor}>\r\n{names.call_id}: {call_id}\r\n"
        self._after = f"{route_line}CSeq: "
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
    return "".join([f"{name}: {one_line(value)}\r\n" for name, value in headers])
