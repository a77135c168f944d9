"""Addresses that may log in."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from pjreg_cli.ami import acl

_OFFICE = [(False, ip_network("0.0.0.0/0")), (True, ip_network("10.1.0.0/16"))]


@pytest.mark.parametrize(
    ("rules", "address", "allowed"),
    [
        ([], "203.0.113.1", True),
        ([], "nonsense", True),
        (_OFFICE, "10.1.2.3", True),
        (_OFFICE, "10.2.2.3", False),
        (_OFFICE, "::ffff:10.1.2.3", True),
        (_OFFICE, "::ffff:10.2.2.3", False),
        (_OFFICE, "nonsense", False),
        (list(reversed(_OFFICE)), "10.1.2.3", False),
        ([(False, ip_network("::/0"))], "fe80::1%eth0", False),
        ([(False, ip_network("::/0"))], "10.1.2.3", True),
    ],
)
def test_last_rule_that_matches_decides(rules: acl.Rules, address: str, allowed: bool) -> None:
    assert acl.permits(rules, address) is allowed


def test_rules_are_shown_with_their_mask() -> None:
    assert acl.shown(_OFFICE) == ((False, "0.0.0.0/0.0.0.0"), (True, "10.1.0.0/255.255.0.0"))
