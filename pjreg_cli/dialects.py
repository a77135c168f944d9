"""The two layouts of tables and manager messages: Asterisk's of today and that of Asterisk 12.

A dialect is a plain value.  It changes how things look and which options are shown, never what
the program does.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Dialect(NamedTuple):
    """One layout; widths are in bytes, as Asterisk counts them."""

    name: str
    auth_width: int
    """Width of the auth column of the table of registrations."""
    rule: str
    """The line under the head of every table."""
    expiry: bool
    """Whether a row tells when the next attempt is due."""
    counted: bool
    """Whether a table ends with the number of its rows."""
    options: frozenset[str] | None
    """The options of a registration that are shown; None: all of them."""
    registration_keys: tuple[str, ...]
    """Option names in the order of OutboundRegistrationDetail."""
    auth_keys: tuple[str, ...]
    """Option names in the order of AuthDetail; empty: no such events are sent."""
    list_items: bool
    """Whether the list of registrations ends with ListItems."""

    def shows(self, option: str) -> bool:
        """Whether this option of a registration is shown."""
        return self.options is None or option in self.options


def ami_key(option: str) -> str:
    """An option's name as manager messages spell it: `client_uri` is `ClientUri`."""
    return "".join(part[:1].upper() + part[1:] for part in option.split("_"))


_REGISTRATION_KEYS = (
    "max_retries",
    "client_uri",
    "security_negotiation",
    "auth_rejection_permanent",
    "server_uri",
    "max_random_initial_delay",
    "support_path",
    "retry_interval",
    "contact_header_params",
    "expiration",
    "transport",
    "line",
    "contact_user",
    "endpoint",
    "user_agent",
    "forbidden_retry_interval",
    "outbound_auth",
    "security_mechanisms",
    "outbound_proxy",
    "fatal_retry_interval",
    "support_outbound",
)

_AUTH_KEYS = (
    "oauth_secret",
    "password_digest",
    "supported_algorithms_uas",
    "refresh_token",
    "username",
    "md5_cred",
    "realm",
    "auth_type",
    "password",
    "supported_algorithms_uac",
    "nonce_lifetime",
    "oauth_clientid",
)

_TWELVE_KEYS = (
    "support_path",
    "auth_rejection_permanent",
    "server_uri",
    "client_uri",
    "retry_interval",
    "max_retries",
    "outbound_proxy",
    "transport",
    "forbidden_retry_interval",
    "outbound_auth",
    "contact_user",
    "expiration",
)

CURRENT = Dialect(
    name="current",
    auth_width=26,
    rule="=" * 90,
    expiry=True,
    counted=True,
    options=None,
    registration_keys=_REGISTRATION_KEYS,
    auth_keys=_AUTH_KEYS,
    list_items=True,
)

TWELVE = Dialect(
    name="12",
    auth_width=16,
    rule=" " + "=" * 89,
    expiry=False,
    counted=False,
    options=frozenset(_TWELVE_KEYS),
    registration_keys=_TWELVE_KEYS,
    auth_keys=(),
    list_items=False,
)

_BY_NAME = {dialect.name: dialect for dialect in (CURRENT, TWELVE)}

#: what `named` takes
NAMES = tuple(_BY_NAME)


def named(text: str) -> Dialect:
    """The dialect of this name, one of NAMES; raises KeyError for any other."""
    return _BY_NAME[text]


def ordered(
    keys: Iterable[str], options: Iterable[tuple[str, tuple[str, ...]]]
) -> tuple[tuple[str, str], ...]:
    """The options of a view as manager keys and values, in the order of `keys`.

    Options without a value in this view are left out (`security_mechanisms` is there only when
    it is set); several values are joined by commas without blanks, and options that `keys` does
    not know are not sent.
    """
    values = {name: ",".join(parts) for name, parts in options}
    return tuple((ami_key(key), values[key]) for key in keys if key in values)
