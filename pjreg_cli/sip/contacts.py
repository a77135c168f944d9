"""What a registrar's response says about bindings and about us (RFC 3261 section 10.2.4)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from pjreg_cli.errors import SipParseError
from pjreg_cli.sip.headers import parse_via
from pjreg_cli.sip.message import Response
from pjreg_cli.sip.uri import NameAddress, SipUri, equivalent, parse_name_address, unquote

#: the longest delta-seconds (RFC 3261 section 25.1)
_LONGEST_S = 2**32 - 1
_NUMBER = re.compile(r"[0-9]+")
_SECONDS_WITH_MORE = re.compile(r"([0-9]+)[ \t]*(?:[;(].*)?", re.DOTALL)


def _seconds(digits: str) -> int:
    return min(int(digits), _LONGEST_S) if len(digits) <= 10 else _LONGEST_S


def _delta_seconds(value: str | None) -> int | None:
    """A number of seconds, None for what is none; more than 32 bits count as the most."""
    if value is None or not _NUMBER.fullmatch(value):
        return None
    return _seconds(value)


# -- the granted lifetime ---------------------------------------------------------------------


def granted_s(response: Response, ours: SipUri, requested_s: int) -> int:
    """For how many seconds a 2xx grants the binding of `ours`, having been asked for
    `requested_s`.

    The first of these that is there: `expires` of our Contact (the shortest, if it is listed
    more than once); with our Contact missing, `expires` of the only Contact there is; the Expires
    header; what we asked for.  0 in answer to a registration is no grant and no removal, what we
    asked for counts instead.  An unregister (`requested_s` 0) is granted 0 whatever is listed.
    """
    if requested_s <= 0:
        return 0
    values = response.headers.all("contact")
    only = _ONLY_CONTACT.fullmatch(values[0]) if len(values) == 1 else None
    if only is not None:
        # ours or not: as the only one it counts
        return _seconds(only[1]) or requested_s
    contacts = tuple(_contacts(response))
    own = [contact for contact in contacts if contact.address and _is(contact.address, ours)]
    if own:
        said = min((c.expires_s for c in own if c.expires_s is not None), default=None)
    else:
        said = contacts[0].expires_s if len(contacts) == 1 else None
    if said is None:
        said = _delta_seconds(response.headers.get("expires"))
    return said or requested_s


#: one Contact and nothing unusual about it, the answer to nearly every REGISTER
_ONLY_CONTACT = re.compile(r"<[^<>,\"\s]*>;expires=([0-9]+)")


class _Contact(NamedTuple):
    address: NameAddress | None
    expires_s: int | None


def _contacts(response: Response) -> Iterator[_Contact]:
    """Every Contact of the response, one that cannot be read as None: it counts, but is not us."""
    for value in response.headers.listed("contact"):
        try:
            address = parse_name_address(value)
        except SipParseError:
            yield _Contact(None, _expires_beside(value))
        else:
            yield _Contact(address, _delta_seconds(address.parameter("expires")))


_EXPIRES = re.compile(r";\s*expires\s*=\s*(\"?[0-9]+\"?)\s*(?=;|$)", re.IGNORECASE)


def _expires_beside(value: str) -> int | None:
    """The expires parameter of a Contact whose URI is none of SIP (tel:, a mangled one)."""
    match = _EXPIRES.search(value, value.rfind(">") + 1)
    return _delta_seconds(unquote(match[1])) if match else None


def _is(contact: NameAddress, ours: SipUri) -> bool:
    return equivalent(contact.uri, ours)


# -- other headers of a response --------------------------------------------------------------


def retry_after_s(response: Response) -> int | None:
    """Retry-After in seconds; comment and parameters are ignored, None for what is no number."""
    match = _SECONDS_WITH_MORE.fullmatch(response.headers.get("retry-after") or "")
    return _seconds(match[1]) if match else None


def min_expires_s(response: Response) -> int | None:
    """Min-Expires in seconds, None without a readable one (RFC 3261 section 20.23)."""
    return _delta_seconds(response.headers.get("min-expires"))


def security_servers(response: Response) -> tuple[str, ...]:
    """The mechanisms of all Security-Server headers, as written (RFC 3329 section 2.2)."""
    return response.headers.listed("security-server")


class Seen(NamedTuple):
    """How the other side saw our request come (RFC 3581); None where it does not say."""

    host: str | None
    port: int | None

    def __str__(self) -> str:
        return f"{self.host or ''}:{self.port or ''}" if self.host or self.port else ""


def seen(response: Response) -> Seen:
    """`received` and `rport` of the topmost Via; never raises."""
    elements = response.headers.listed("via")
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
