"""What auth sections, transports, global and system must fulfil."""

from __future__ import annotations

from typing import Any

import pytest

from pjreg_cli.config.defects import address, auth_defect, global_defect, transport_defect
from pjreg_cli.config.models import Auth, Global, Transport
from pjreg_cli.config.types import validator


def auth(**changes: Any) -> str:
    """Whether an auth section of these options (texts of a file) is refused, and why."""
    found = auth_defect(validator(Auth)({"name": "a", "source": "f:1", "username": "u"} | changes))
    return found.message if found else ""


SHA = "SHA-256:" + "a" * 64


@pytest.mark.parametrize(
    "changes",
    [
        {"password": "p"},
        {"password": "p", "supported_algorithms_uac": "SHA-256,MD5"},
        {"auth_type": "md5", "md5_cred": "a" * 32},
        {"password_digest": "MD5:" + "a" * 32},
        {
            "password_digest": SHA,
            "supported_algorithms_uac": "SHA-256",
            "supported_algorithms_uas": "SHA-256",
        },
    ],
)
def test_auth_is_accepted(changes: dict[str, Any]) -> None:
    assert auth(**changes) == ""


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"username": "", "password": "p"}, "username"),
        ({}, "there is no password"),
        ({"password_digest": SHA}, "MD5, which supported_algorithms_uac"),
        ({"password_digest": SHA, "supported_algorithms_uac": "SHA-256"}, "algorithms_uas"),
        ({"auth_type": "magic", "password": "p"}, "unknown"),
        ({"md5_cred": "abc"}, "32"),
        ({"auth_type": "google_oauth", "password": "p"}, "oauth_clientid"),
    ],
)
def test_auth_is_refused(changes: dict[str, Any], words: str) -> None:
    assert words in auth(**changes)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, ""),
        ({"protocol": "sctp"}, "protocol"),
        ({"method": "tlsv12"}, "method"),
        ({"cos": 8}, "cos"),
        ({"external_signaling_port": 65536}, "external_signaling_port"),
        ({"protocol": "tls", "ca_list_file": "nothere"}, "ca_list_file"),
        ({"protocol": "tls", "cert_file": "there"}, ""),
        ({"protocol": "udp", "ca_list_file": "nothere"}, ""),
    ],
)
def test_transport_is_refused_for(changes: dict[str, Any], words: str) -> None:
    values: dict[str, Any] = {"name": "t", "source": "f:1", "host": "::", "port": 1} | changes
    found = transport_defect(validator(Transport)(values), lambda path: path == "there")
    assert (found.option if found else "") == words


def test_global_must_not_be_emptied() -> None:
    assert global_defect(Global()) is None
    assert global_defect(Global(debug="")) is not None
    assert global_defect(Global(default_from_user="")) is not None
    assert global_defect(Global(taskprocessor_overload_trigger="x")) is not None


@pytest.mark.parametrize("text", ["", "x", "1.2.3.4:65536", "1.2.3.4:-1", "[1::2]:x", "1.2.3.4:٣"])
def test_no_address(text: str) -> None:
    assert address(text, 5060) is None
