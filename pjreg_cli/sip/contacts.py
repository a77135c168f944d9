"""What a registrar's response says about bindings and about us (RFC 3261 section 10.2.4)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from pjreg_cli.errors import SipParseError
from pjreg_cli.sip.address import bracketed
from pjreg_cli.sip.headers import parse_via, split_list
from pjreg_cli.sip.message import Response
from pjreg_cli.sip.scan import only_contact
from pjreg_cli.sip.uri import (
    NameAddress,
    SipUri,
    equivalent,
    parse_name_address,
    same_user,
    unquote,
)

#: the longest delta-seconds (RFC 3261 section 25.1), and the digits that it takes
_LONGEST_S = 2**32 - 1
_DIGITS = 10
_NUMBER = re.compile(r"[0-9]+")
_SECONDS_WITH_MORE = re.compile(r"([0-9]+)[ \t]*(?:[;(].*)?", re.DOTALL)


def _seconds(digits: str) -> int:
    if len(digits) > _DIGITS:
        # leading zeros count for nothing
        digits = digits.lstrip("0") or "0"
    return min(int(digits), _LONGEST_S) if len(digits) <= _DIGITS else _LONGEST_S


def _delta_seconds(value: str | None) -> int | None:
    """A number of seconds, None for what is none; more than 32 bits count as the most."""
    if value is None or not _NUMBER.fullmatch(value):
        return None
    return _seconds(value)


# -- the granted lifetime ---------------------------------------------------------------------


class Grant(NamedTuple):
    """What a 2xx says about the binding that was asked for."""

    expires_s: int
    """For how long it lasts, in seconds; 0: it grants nothing."""
    missing: bool = False
    """Contacts are listed, and none of them can be ours."""


def granted(
    response: Response, ours: SipUri, requested_s: int, instance: str = "", offered: str = ""
) -> Grant:
    """What a 2xx grants the binding of `ours`, having been asked for `requested_s`; `instance` is
    the `+sip.instance` we offered, empty without one, `offered` may be `ours` as text (RFC 3261
    section 10.2.4, RFC 5626).

    Ours is the Contact that equals it, and the only Contact there is.  Of several of which none
    does: one with our `line` or `+sip.instance`; else the shortest counts of those with our user
    part; else the shortest of all.  Where ours does not say, or says 0, the Expires header counts,
    and without one what we asked for.  An unregister (`requested_s` 0) is granted 0 whatever is
    listed.
    """
    if requested_s <= 0:
        return Grant(0)
    if (alone := granted_alone(response, offered or str(ours))) is not None:
        return alone
    contacts = tuple(_contacts(response))
    header_s = _delta_seconds(response.headers.get("expires"))
    own, missing = _own(contacts, ours, instance)
    # 0 is neither a grant nor a removal
    said = [contact.expires_s or header_s for contact in own]
    known = [expires_s for expires_s in said if expires_s]
    if known:
        return Grant(min(known), missing)
    return Grant(requested_s if header_s is None else header_s, missing)


def granted_alone(response: Response, offered: str) -> Grant | None:
    """What a 2xx to a REGISTER grants that lists nothing but our Contact, written as `offered`;
    None where `granted` has to look."""
    value = only_contact(response)
    if value is None:
        values = response.headers.all("contact")
        if len(values) != 1:
            return None
        value = values[0]
    only = _ONLY_CONTACT.fullmatch(value)
    return _told(only[2]) if only is not None and only[1] == offered else None


# a fleet is granted the same again and again
@lru_cache(maxsize=1024)
def _told(digits: str) -> Grant | None:
    expires_s = _seconds(digits)
    return Grant(expires_s) if expires_s else None


#: one Contact and nothing unusual about it, the answer to nearly every REGISTER
_ONLY_CONTACT = re.compile(r"<([^<>,\"\s]*)>;expires=([0-9]+)")


class _Contact(NamedTuple):
    address: NameAddress | None
    """None for what cannot be read: it counts, but is not us."""
    expires_s: int | None


def _own(
    contacts: Sequence[_Contact], ours: SipUri, instance: str
) -> tuple[Sequence[_Contact], bool]:
    """The Contacts that are ours, or may be, and whether there are some but none that can be."""
    readable = [contact for contact in contacts if contact.address is not None]
    line = ours.parameter("line")

    def equal(address: NameAddress) -> bool:
        return _same(address.uri, ours)

    def marked(address: NameAddress) -> bool:
        return bool(
            (line and address.uri.parameter("line") == line)
            or (instance and (address.parameter("+sip.instance") or "").lower() == instance.lower())
        )

    def our_user(address: NameAddress) -> bool:
        return same_user(address.uri, ours)

    for is_ours in (equal, marked, our_user):
        own = [one for one in readable if one.address is not None and is_ours(one.address)]
        if own:
            return own, False
        if len(contacts) == 1 and is_ours is equal:
            # ours or not: as the only one it counts; a NAT may have rewritten it
            address = contacts[0].address
            return contacts, address is None or not (marked(address) or our_user(address))
    # none that is listed lasts shorter than this; 0 is a binding that has just ended
    return [one for one in contacts if one.expires_s != 0], bool(contacts)


def _contacts(response: Response) -> Iterator[_Contact]:
    """Every Contact of the response."""
    for value in response.headers.listed("contact"):
        try:
            address = parse_name_address(value)
        except SipParseError:
            yield _Contact(None, _expires_beside(value))
        else:
            expires = address.parameter("expires")
            if expires is None:
                # where it does not belong, but who writes it there means it
                expires = address.uri.parameter("expires")
            yield _Contact(address, _delta_seconds(expires))


_EXPIRES = re.compile(r";\s*expires\s*=\s*(\"?[0-9]+\"?)\s*(?=;|$)", re.IGNORECASE)


def _expires_beside(value: str) -> int | None:
    """The expires parameter of a Contact whose URI is none of SIP (tel:, a mangled one)."""
    match = _EXPIRES.search(value, value.rfind(">") + 1)
    return _delta_seconds(unquote(match[1])) if match else None


def _same(listed: SipUri, ours: SipUri) -> bool:
    """Whether a Contact of the list is ours: equal by RFC 3261 section 19.1.4, where port and
    transport that only say the default may come or be missing."""
    return equivalent(_plain(listed), _plain(ours))


def _plain(uri: SipUri) -> SipUri:
    """`uri` without what it says needlessly."""
    transport = (uri.parameter("transport") or "udp").lower()
    secure = uri.scheme == "sips" or transport == "tls"
    port = None if uri.port == (5061 if secure else 5060) else uri.port
    parameters = tuple(
        one
        for one in uri.parameters
        if one[0].lower() != "expires"
        and not (one[0].lower() == "transport" and (one[1] or "").lower() == "udp")
    )
    return uri._replace(port=port, parameters=parameters)


# -- other headers of a response --------------------------------------------------------------


def retry_after_s(response: Response) -> int | None:
    """Retry-After in seconds; comment and parameters are ignored, None for what is no number."""
    if response.origin is not None and "\nRetry-After" not in response.headers.text:
        return None  # `scan` knows headers by their long names only
    match = _SECONDS_WITH_MORE.fullmatch(response.headers.get("retry-after") or "")
    return _seconds(match[1]) if match else None


def min_expires_s(response: Response) -> int | None:
    """Min-Expires in seconds, None without a readable one (RFC 3261 section 20.23)."""
    if response.origin is not None and "\nMin-Expires" not in response.headers.text:
        return None  # as above
    return _delta_seconds(response.headers.get("min-expires"))


def security_servers(response: Response) -> tuple[str, ...]:
    """The mechanisms of all Security-Server headers, as written (RFC 3329 section 2.2)."""
    return response.headers.listed("security-server")


class Seen(NamedTuple):
    """How the other side saw our request come (RFC 3581); None where it does not say."""

    host: str | None
    port: int | None

    def __str__(self) -> str:
        if not self.host and not self.port:
            return ""
        return f"{bracketed(self.host or '')}:{self.port or ''}"


def seen(response: Response) -> Seen:
    """`received` and `rport` of the topmost Via; never raises."""
    if response.via is not None:
        return _seen_around(*response.via)
    via = response.headers.get("via") or ""
    # two of one registrar differ in their branch alone
    return _seen(via.replace(response.branch, "", 1) if response.branch else via)


@lru_cache(maxsize=1024)
def _seen_around(before: str, behind: str) -> Seen:
    return _seen(f"{before};branch={behind}")


@lru_cache(maxsize=1024)
def _seen(value: str) -> Seen:
    elements = split_list(value)
    try:
        via = parse_via(elements[0]) if elements else None
    except SipParseError:
        via = None
    if via is None:
        return Seen(None, None)
    values = {name.lower(): value for name, value in reversed(via.parameters)}
    host = (values.get("received") or "").strip("[]") or None
    port = _delta_seconds(values.get("rport"))
    return Seen(host, port if port is not None and 0 < port <= 65535 else None)
