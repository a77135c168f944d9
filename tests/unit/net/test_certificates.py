"""Whom certificates speak for, by RFC 5922."""

from __future__ import annotations

import pytest

from pjreg_cli.net.certificates import mismatch

Names = tuple[tuple[str, str], ...]
DOMAIN = "sip.example.com"


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
