"""Options as Asterisk shows them."""

from __future__ import annotations

from typing import Any

from pydantic import SecretStr

from pjreg_cli.api.configuration import Option
from pjreg_cli.config import shown
from pjreg_cli.config.models import Auth, Global, Registration, System, Transport
from pjreg_cli.config.types import FOREVER, validator

REGISTRATION = Registration(name="a", source="f:1", server_uri="sip:r", client_uri="sip:a@r")


def text(options: tuple[Option, ...]) -> list[str]:
    return [f"{option.name}={value}" for option in options for value in option.values]


def test_registration_shows_its_defaults_sorted() -> None:
    assert text(shown.registration_options(REGISTRATION)) == [
        "auth_rejection_permanent=true",
        "client_uri=sip:a@r",
        "contact_header_params=",
        "contact_user=",
        "endpoint=",
        "expiration=3600",
        "fatal_retry_interval=0",
        "forbidden_retry_interval=0",
        "line=false",
        "max_random_initial_delay=10",
        "max_retries=10",
        "outbound_auth=",
        "outbound_proxy=",
        "retry_interval=60",
        "security_negotiation=no",
        "server_uri=sip:r",
        "support_outbound=no",
        "support_path=false",
        "transport=",
        "user_agent=",
    ]


def test_registration_that_never_gives_up_says_so() -> None:
    made = Registration(name="a", source="f:1", max_retries=FOREVER)
    assert "max_retries=forever" in text(shown.registration_options(made))


def test_registration_shows_what_is_only_there_when_set() -> None:
    made = Registration(
        name="a", source="f:1", wizard="w", outbound_auth=("x", "y"), support_outbound=True,
        security_mechanisms=("sdes-srtp;mediasec", "dtls-srtp;mediasec"),
    )  # fmt: skip
    lines = text(shown.registration_options(made))
    assert lines[0] == "@pjsip_wizard=w"
    assert lines[lines.index("outbound_auth=x") + 1] == "outbound_auth=y"
    assert "security_mechanisms=sdes-srtp;mediasec, dtls-srtp;mediasec" in lines
    assert "support_outbound=yes" in lines
    assert lines == sorted(lines)


def test_auth_shows_md5_cred_twice_and_masks_secrets() -> None:
    cred = "0123456789abcdef" * 2
    auth = Auth(name="a", source="f:1", auth_type="md5", username="u", md5_cred=SecretStr(cred))
    revealed = text(shown.auth_options(auth, reveal=True))
    assert f"md5_cred={cred}" in revealed
    assert f"password_digest=MD5:{cred}" in revealed
    assert "password=" in revealed
    masked = text(shown.auth_options(auth, reveal=False))
    assert cred not in "".join(masked)
    assert {"md5_cred=********", "password_digest=********", "password="} <= set(masked)


def test_auth_joins_algorithms_in_the_order_configured() -> None:
    auth = Auth(name="a", source="f:1", supported_algorithms_uac=("SHA-256", "MD5"))
    assert "supported_algorithms_uac=SHA-256,MD5" in text(shown.auth_options(auth, reveal=False))


def test_transport_shows_certificates_in_capitals_and_nets_with_masks() -> None:
    texts: dict[str, Any] = {
        "protocol": "tls", "host": "::1", "port": 5061, "verify_server": "yes", "tos": "cs3",
        "local_net": ["10.0.0.0/8", "192.168.0.0/255.255.0.0"], "password": "x", "cipher": "A,B",
    }  # fmt: skip
    made = validator(Transport)({"name": "t", "source": "f:1", **texts})
    lines = text(shown.transport_options(made))
    assert lines[0] == "allow_reload=false"
    assert {
        "bind=[::1]:5061", "verify_server=Yes", "verify_client=No", "symmetric_transport=false",
        "local_net=10.0.0.0/255.0.0.0", "local_net=192.168.0.0/255.255.0.0", "tos=96",
        "method=unspecified", "password=********", "cipher=A, B", "external_signaling_hostname=",
    } <= set(lines)  # fmt: skip
    assert len({line.partition("=")[0] for line in lines}) == 29


def test_settings_show_booleans_in_their_two_ways() -> None:
    assert {"norefersub=yes", "ignore_uri_user_options=false"} <= set(
        text(shown.global_options(Global()))
    )
    assert "disable_tcp_switch=true" in text(shown.system_options(System()))
