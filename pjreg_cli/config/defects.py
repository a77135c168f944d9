"""What auth sections, transports, global and system must fulfil beyond each option's form.

Pure: whether a file can be read is asked of the caller.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from pydantic import SecretStr

from pjreg_cli.api.configuration import Level, Problem
from pjreg_cli.config.models import Auth, Global, System, Transport
from pjreg_cli.config.rules import Defect
from pjreg_cli.config.section import Section
from pjreg_cli.errors import excerpt
from pjreg_cli.sip.address import split_host_port

LEAST_T1_MS: Final = 100
"""The lowest timer_t1 that is taken."""

SERVER_PORTS: Final = {"tls": 5061, "wss": 5061}
"""Ports of protocols whose default is not 5060."""

_PROTOCOLS: Final = frozenset({"udp", "tcp", "tls", "ws", "wss", "flow"})
_METHODS: Final = frozenset(
    {
        "unspecified", "default", "sslv2", "sslv3", "sslv23",
        "tlsv1", "tlsv1_1", "tlsv1_2", "tlsv1_3",
    }
)  # fmt: skip
_AUTH_TYPES: Final = frozenset({"userpass", "md5", "digest", "google_oauth"})
_OAUTH: Final = ("oauth_clientid", "oauth_secret", "refresh_token")


def auth_defect(auth: Auth) -> Defect | None:
    """Why an auth section is refused; None when it is not."""
    if auth.auth_type.lower() not in _AUTH_TYPES:
        return Defect("auth_type", f"auth_type: '{excerpt(auth.auth_type)}' is unknown")
    if auth.auth_type.lower() == "google_oauth":
        missing = [option for option in _OAUTH if not _text(getattr(auth, option))]
        return Defect("auth_type", f"{missing[0]} is missing") if missing else None
    if not auth.username:
        return Defect("", "username is missing")
    cred = auth.md5_cred.get_secret_value()
    if cred and len(cred) != 32:
        return Defect("md5_cred", "md5_cred needs 32 hexadecimal digits")
    if auth.password.get_secret_value():
        return None
    held = {algorithm for algorithm, _ in auth.password_digest}
    if cred:
        held.add("MD5")
    if not held:
        return Defect(
            "password",
            "there is no password: where a registrar takes any, or an empty one, write some"
            " (`password = x`)",
        )
    for side in ("uac", "uas"):
        for algorithm in getattr(auth, f"supported_algorithms_{side}"):
            if algorithm not in held:
                return Defect(
                    f"supported_algorithms_{side}",
                    f"neither a password nor a digest for {algorithm}, which"
                    f" supported_algorithms_{side} lists",
                )
    return None


def _text(value: str | SecretStr) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else value


def address(text: str, default: int) -> tuple[str, int] | None:
    """`ADDRESS`, `ADDRESS:PORT`, `[IPV6]:PORT` or a bare IPv6 address."""
    parts = split_host_port(text)
    if parts is None:
        return None
    host, port = parts
    host = "127.0.0.1" if host.lower() == "localhost" else host
    if port and not (port.isascii() and port.isdigit() and int(port[:6]) < 65536):
        return None
    try:
        return str(ipaddress.ip_address(host)), int(port) if port and int(port) else default
    except ValueError:
        return None


def transport_defect(transport: Transport, readable: Callable[[str], bool]) -> Defect | None:
    """Why a transport is refused; None when it is not."""
    if transport.protocol not in _PROTOCOLS:
        return Defect("protocol", f"protocol: '{excerpt(transport.protocol)}' is unknown")
    if transport.method not in _METHODS:
        return Defect("method", f"method: '{excerpt(transport.method)}' is unknown")
    if transport.cos > 7:
        return Defect("cos", "cos is above 7")
    if transport.external_signaling_port > 65535:
        return Defect("external_signaling_port", "external_signaling_port is above 65535")
    if transport.protocol == "tls":
        for option in ("ca_list_file", "cert_file", "priv_key_file"):
            path = getattr(transport, option)
            if path and not readable(path):
                return Defect(option, f"{option}: '{excerpt(path)}' cannot be read")
    return None


def global_defect(made: Global) -> Defect | None:
    """Why the global section is refused; None when it is not."""
    for option in ("debug", "default_from_user"):
        if not getattr(made, option):
            return Defect(option, f"{option} is empty")
    if made.taskprocessor_overload_trigger not in ("none", "global", "pjsip_only"):
        return Defect("taskprocessor_overload_trigger", "taskprocessor_overload_trigger is unknown")
    return None


def raise_timers(system: System, section: Section) -> tuple[System, list[Problem]]:
    """The timers raised to what Asterisk holds to be the least."""
    raised: dict[str, int] = {}
    if system.timer_t1 < LEAST_T1_MS:
        raised["timer_t1"] = LEAST_T1_MS
    least = 64 * raised.get("timer_t1", system.timer_t1)
    if system.timer_b < least:
        raised["timer_b"] = least
    problems = []
    for option, value in raised.items():
        entry = section.last(option)
        if entry is not None:
            message = f"{option} is too low and counts as {value}"
            problems.append(Problem(entry[3], entry[2], Level.WARNING, message))
    return replace(
        system,
        timer_t1=raised.get("timer_t1", system.timer_t1),
        timer_b=raised.get("timer_b", system.timer_b),
    ), problems
