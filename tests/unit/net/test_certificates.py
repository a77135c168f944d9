"""Whom certificates speak for, by RFC 5922, and when they end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pjreg_cli.net.certificates import ends_at, mismatch
from tests.support.certificates import self_signed

Names = tuple[tuple[str, str], ...]
DOMAIN = "sip.example.com"
_PEM = """\
-----BEGIN CERTIFICATE-----
MIIBbTCCAROgAwIBAgIUA92cDBFcYLiPJhEEdkZTRePmpzswCgYIKoZIzj0EAwIw
DDEKMAgGA1UEAwwBeDAeFw0yNjExMjUyMzMyNTNaFw0zNjExMjIyMzMyNTNaMAwx
CjAIBgNVBAMMAXgwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAATSfTJJ4dHIIqLc
/oqI9jkCFlUCiQR8nphlv5aN8z/kG50YrvlkAQ/3dbDGEbq00xKIghD48Z0YOecG
C0fZXGc+o1MwUTAdBgNVHQ4EFgQUnKG64Olvc2RQiJcwEkyyqAD5z0YwHwYDVR0j
BBgwFoAUnKG64Olvc2RQiJcwEkyyqAD5z0YwDwYDVR0TAQH/BAUwAwEB/zAKBggq
hkjOPQQDAgNIADBFAiBBAffKmuOa8sC9qCeF90nExAgljHR7onyutut5GLDSdgIh
AIlUrnNl1Z21AeUv9OKJANc2jPchUOkkEXdqoiuOgZxZ
-----END CERTIFICATE-----
"""


@pytest.mark.parametrize(
    ("names", "name", "word"),
    [
        ((("DNS", DOMAIN),), DOMAIN, ""),
        ((("DNS", "SIP.Example.com."),), DOMAIN, ""),
        ((("DNS", DOMAIN),), "SIP.example.com.", ""),
        ((("DNS", "other.example.com"), ("DNS", DOMAIN)), DOMAIN, ""),
        ((("DNS", "*.example.com"), ("DNS", DOMAIN)), DOMAIN, ""),
        ((("DNS", "other.example.com"),), DOMAIN, "for other.example.com, not for sip.example"),
        ((("DNS", "*.example.com"),), DOMAIN, "only by a wildcard"),
        ((("DNS", "*.com"),), DOMAIN, "not for"),
        ((("DNS", "*"),), DOMAIN, "not for"),
        ((("DNS", "s*.example.com"),), DOMAIN, "not for"),
        # URIs go before DNS names, and are alone where there are any
        ((("URI", "sip:sip.example.com"),), DOMAIN, ""),
        ((("URI", "SIP:SIP.example.com:5061;transport=tls"),), DOMAIN, ""),
        ((("URI", "sip:sip.example.com"), ("DNS", "other.example.com")), DOMAIN, ""),
        ((("URI", "sip:other.example.com"), ("DNS", DOMAIN)), DOMAIN, "not for"),
        # a user, another scheme or nonsense make no SIP domain
        ((("URI", "sip:alice@sip.example.com"),), DOMAIN, "not for"),
        ((("URI", "sip:alice@sip.example.com"), ("DNS", DOMAIN)), DOMAIN, ""),
        ((("URI", "https://sip.example.com"),), DOMAIN, "not for"),
        ((("URI", "https://sip.example.com"), ("DNS", DOMAIN)), DOMAIN, ""),
        ((("URI", "sip:"), ("DNS", DOMAIN)), DOMAIN, ""),
        # addresses
        ((("IP Address", "192.0.2.1"),), "192.0.2.1", ""),
        ((("IP Address", "192.0.2.1"), ("DNS", "*.example.com")), "192.0.2.1", ""),
        ((("IP Address", "2001:DB8:0:0:0:0:0:1\n"),), "2001:db8::1", ""),
        ((("URI", "sip:192.0.2.1"),), "192.0.2.1", ""),
        ((("DNS", "192.0.2.1"),), "192.0.2.1", "not for"),
        ((("DNS", DOMAIN),), "192.0.2.1", "for sip.example.com, not for 192.0.2.1"),
        ((("IP Address", "192.0.2.1"),), "192.0.2.2", "not for"),
        ((("IP Address", "192.0.2.1"),), DOMAIN, "not for"),
        ((), DOMAIN, "for nobody, not for"),
    ],
)
def test_whom_it_speaks_for(names: Names, name: str, word: str) -> None:
    why = mismatch({"subjectAltName": names}, name)
    assert (word in why) if word else not why


@pytest.mark.parametrize(
    ("names", "fits"),
    [
        ((("DNS", "*.example.com"),), True),
        ((("DNS", "*.EXAMPLE.com"),), True),
        ((("DNS", "*.com"),), False),
        ((("URI", "sip:other.example.com"), ("DNS", "*.example.com")), False),
    ],
)
def test_wildcards_where_they_are_allowed(names: Names, fits: bool) -> None:
    assert (mismatch({"subjectAltName": names}, DOMAIN, wildcards=True) == "") is fits


def test_the_common_name_counts_when_there_is_nothing_else() -> None:
    subject = ((("countryName", "DE"),), (("commonName", DOMAIN),))
    assert mismatch({"subject": subject}, DOMAIN) == ""
    both = {"subject": subject, "subjectAltName": (("DNS", "other.example.com"),)}
    assert "not for" in mismatch(both, DOMAIN)
    wild = {"subject": ((("commonName", "*.example.com"),),)}
    assert "wildcard" in mismatch(wild, DOMAIN)


def test_when_a_certificate_ends(tmp_path: Path) -> None:
    made = self_signed(tmp_path, "cert", "IP:127.0.0.1").certificate.read_text()
    found = ends_at("some words before\n" + made + made)
    assert found is not None
    left = found - datetime.now(tz=UTC)
    assert timedelta(days=1, hours=23) < left <= timedelta(days=2)


@given(st.one_of(st.text(), st.binary().map(lambda data: data.hex())))
def test_what_is_no_certificate_has_no_end(text: str) -> None:
    head, tail = "-----BEGIN CERTIFICATE-----\n", "\n-----END CERTIFICATE-----"
    assert ends_at(text) is None
    assert ends_at(head + text + tail) is None


@given(st.integers(0, 600), st.integers(0, 255))
def test_a_damaged_certificate_is_no_surprise(at: int, byte: int) -> None:
    lines = _PEM.splitlines()
    body = bytearray("".join(lines[1:-1]), "ascii")
    body[at % len(body)] = byte
    text = "\n".join([lines[0], body.decode("latin-1"), lines[-1]])
    found = ends_at(text)
    assert found is None or isinstance(found, datetime)
