"""Options as Asterisk shows them: order, spelling, number of lines (pure and cheap)."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from pydantic import SecretStr

from pjreg_cli.api.configuration import Option
from pjreg_cli.config.models import Auth, Global, Registration, System, Transport
from pjreg_cli.config.secrets import MASK, masked_uri, secret
from pjreg_cli.config.types import FOREVER, option_names
from pjreg_cli.sip.address import Address

_MECHANISMS: Final = 14  # where security_mechanisms stands among the options, when it is shown
_NONE: Final = ("",)
_BOOLEAN: Final = {True: ("true",), False: ("false",)}
_YES_NO: Final = {True: ("yes",), False: ("no",)}
_CAPITAL: Final = {True: ("Yes",), False: ("No",)}

# the booleans that are not shown as true and false
_YES_NO_OPTIONS: Final = frozenset(
    {"use_callerid_contact", "send_contact_status_on_update_registration", "norefersub"}
)
_CAPITAL_OPTIONS: Final = frozenset(
    {"allow_wildcard_certs", "require_client_cert", "verify_client", "verify_server"}
)


@lru_cache(maxsize=8192)
def _shared(name: str, value: str | int | bool) -> Option:
    """An option whose value many registrations have: one object for all of them."""
    if isinstance(value, bool):
        return Option(name, (_YES_NO if name == "support_outbound" else _BOOLEAN)[value])
    return Option(name, (str(value),))


def registration_options(r: Registration, reveal: bool = False) -> tuple[Option, ...]:
    """The options of `pjsip show registration`; `security_mechanisms` only when set, and the
    wizard that made it first.  Passwords inside URIs are masked unless `reveal`."""
    options: tuple[Option, ...] = (
        _shared("auth_rejection_permanent", r.auth_rejection_permanent),
        Option("client_uri", (masked_uri(r.client_uri, reveal),)),
        _shared("contact_header_params", r.contact_header_params),
        Option("contact_user", (r.contact_user,)),
        _shared("endpoint", r.endpoint),
        _shared("expiration", r.expiration),
        _shared("fatal_retry_interval", r.fatal_retry_interval),
        _shared("forbidden_retry_interval", r.forbidden_retry_interval),
        _shared("line", r.line),
        _shared("max_random_initial_delay", r.max_random_initial_delay),
        _shared("max_retries", "forever" if r.max_retries == FOREVER else r.max_retries),
        Option("outbound_auth", r.outbound_auth or _NONE),
        _shared("outbound_proxy", masked_uri(r.outbound_proxy, reveal)),
        _shared("retry_interval", r.retry_interval),
        _shared("security_negotiation", r.security_negotiation),
        _shared("server_uri", masked_uri(r.server_uri, reveal)),
        _shared("support_outbound", r.support_outbound),
        _shared("support_path", r.support_path),
        _shared("transport", r.transport),
        _shared("user_agent", r.user_agent),
    )
    if r.security_mechanisms:
        mechanisms = Option("security_mechanisms", (", ".join(r.security_mechanisms),))
        options = (*options[:_MECHANISMS], mechanisms, *options[_MECHANISMS:])
    return (Option("@pjsip_wizard", (r.wizard,)), *options) if r.wizard else options


def auth_options(auth: Auth, reveal: bool) -> tuple[Option, ...]:
    """The options of `pjsip show auth`; secrets are masked unless `reveal`."""
    digests = [f"{algorithm}:{digest.get_secret_value()}" for algorithm, digest in _digests(auth)]
    shown_digests = tuple(text if reveal else MASK for text in digests)
    options = (
        Option("auth_type", (auth.auth_type,)),
        Option("md5_cred", (secret(auth.md5_cred, reveal),)),
        Option("nonce_lifetime", (str(auth.nonce_lifetime),)),
        Option("oauth_clientid", (auth.oauth_clientid,)),
        Option("oauth_secret", (secret(auth.oauth_secret, reveal),)),
        Option("password", (secret(auth.password, reveal),)),
        Option("password_digest", shown_digests or _NONE),
        Option("realm", (auth.realm,)),
        Option("refresh_token", (secret(auth.refresh_token, reveal),)),
        Option("supported_algorithms_uac", (",".join(auth.supported_algorithms_uac),)),
        Option("supported_algorithms_uas", (",".join(auth.supported_algorithms_uas),)),
        Option("username", (auth.username,)),
    )
    return (Option("@pjsip_wizard", (auth.wizard,)), *options) if auth.wizard else options


def _digests(auth: Auth) -> tuple[tuple[str, SecretStr], ...]:
    """The digests, md5_cred among them as one of MD5."""
    if not auth.md5_cred.get_secret_value():
        return auth.password_digest
    return (("MD5", auth.md5_cred), *(d for d in auth.password_digest if d[0] != "MD5"))


def transport_options(transport: Transport) -> tuple[Option, ...]:
    """The options of `pjsip show transport`; the key's password is always masked."""
    return tuple(Option(name, _transport_value(transport, name)) for name in _TRANSPORT_OPTIONS)


def bind(transport: Transport) -> str:
    """Address and port a transport is bound to, IPv6 in brackets; empty without any of its own."""
    if not transport.host:
        return ""
    return str(Address(transport.host, transport.port))


def _transport_value(transport: Transport, name: str) -> tuple[str, ...]:
    if name == "bind":
        return (bind(transport),)
    if name == "local_net":
        return tuple(net.with_netmask for net in transport.local_net) or _NONE
    value = getattr(transport, name)
    if isinstance(value, bool):
        return (_CAPITAL if name in _CAPITAL_OPTIONS else _BOOLEAN)[value]
    if isinstance(value, SecretStr):
        return (secret(value, reveal=False),)
    if isinstance(value, tuple):
        return (", ".join(value),)
    return (str(value),)


def global_options(global_: Global) -> tuple[Option, ...]:
    """The options of `global` in `pjsip show settings`."""
    return tuple(Option(name, _plain(global_, name)) for name in _GLOBAL_OPTIONS)


def system_options(system: System) -> tuple[Option, ...]:
    """The options of `system` in `pjsip show settings`."""
    return tuple(Option(name, _plain(system, name)) for name in _SYSTEM_OPTIONS)


def _plain(settings: Global | System, name: str) -> tuple[str, ...]:
    value = getattr(settings, name)
    if isinstance(value, bool):
        return (_YES_NO if name in _YES_NO_OPTIONS else _BOOLEAN)[value]
    return (",".join(value) if isinstance(value, tuple) else str(value),)


def _names(model: type[Transport] | type[Global] | type[System]) -> tuple[str, ...]:
    return tuple(sorted(option_names(model)))


_TRANSPORT_OPTIONS: Final = _names(Transport)
_GLOBAL_OPTIONS: Final = _names(Global)
_SYSTEM_OPTIONS: Final = _names(System)
