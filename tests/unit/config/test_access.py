"""Addresses that may log in."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from pjreg_cli.config.access import Access, NamedLists, Rules, permits
from pjreg_cli.config.reader import read
from tests.support.texts import Texts

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
def test_last_rule_that_matches_decides(rules: Rules, address: str, allowed: bool) -> None:
    assert permits(rules, address) is allowed


def test_rules_are_shown_with_their_mask() -> None:
    shown = Access(tuple(_OFFICE)).shown()
    assert shown == ((False, "0.0.0.0/0.0.0.0"), (True, "10.1.0.0/255.255.0.0"))


LISTS = """
[office]
deny = 0.0.0.0/0
permit = 10.1.0.0/16
[desk]
acl = office
permit = 10.1.2.3
[broken]
deny = 0.0.0.0/0
permit = 10.0.0.300
[typo]
dney = 0.0.0.0/0
[circle]
acl = round
[round]
acl = circle
[words]
colour = red
"""


def lists() -> NamedLists:
    return NamedLists(read("acl.conf", Texts({"acl.conf": LISTS})))


@pytest.mark.parametrize(
    ("name", "inside", "outside"),
    [
        ("office", True, False),
        ("desk", True, False),
        ("broken", False, False),
        ("typo", False, False),
        ("circle", False, False),
        ("words", False, False),
        ("nothere", False, False),
    ],
)
def test_named_list_lets_in_whom_it_means_and_nobody_when_it_is_not_understood(
    name: str, inside: bool, outside: bool
) -> None:
    found = lists().named(name)
    assert (found.admits("10.1.9.9"), found.admits("192.0.2.1")) == (inside, outside)
    assert bool(found.shut) is not inside


def test_what_is_wrong_with_named_lists_is_told_at_its_line() -> None:
    problems = lists().problems
    assert sorted({problem.line for problem in problems}) == [10, 12, 14, 16, 18]
    assert all("nobody" in problem.message for problem in problems)


def test_every_list_must_let_an_address_in() -> None:
    both = Access(((True, ip_network("10.0.0.0/8")),), (tuple(_OFFICE),))
    assert both.admits("10.1.0.1")
    assert not both.admits("10.2.0.1")
    assert not Access(shut="why").admits("127.0.0.1")
    assert Access(shut="why").shown()
