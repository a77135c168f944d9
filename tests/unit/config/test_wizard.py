"""Wizards."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pytest

from pjreg_cli.config.reader import read
from pjreg_cli.config.section import Section
from pjreg_cli.config.wizard import Expanded, expand


class One:
    """A single file."""

    def __init__(self, text: str) -> None:
        self._text = text

    def lines(self, path: str) -> Iterable[str]:
        yield from self._text.splitlines(keepends=True)

    def find(self, pattern: str) -> Sequence[str]:
        return ()


def expanded(*lines: str) -> Expanded:
    text = "\n".join(["[w]", "type=wizard", *lines])
    return expand(read("f", One(text)).sections)


def values(section: Section) -> dict[str, str]:
    return {entry[0]: entry[1] for entry in section.entries}


REGISTERS = "sends_registrations=yes"
HOST = "remote_hosts=reg.example:5070"


def test_registration_for_each_host_from_the_patterns() -> None:
    hosts = "remote_hosts = one , two:5070"
    found = expanded(REGISTERS, hosts, "registration/expiration=300").registrations
    assert [section.name for section in found] == ["w-reg-0", "w-reg-1"]
    assert values(found[1]) == {
        "expiration": "300",
        "server_uri": "sip:two:5070",
        "client_uri": "sip:w@two:5070",
    }
    assert found[0].wizard == "w"


def test_own_patterns_are_filled_in() -> None:
    patterns = (
        "server_uri_pattern=sips:${REMOTE_HOST}",
        "client_uri_pattern=sip:${USERNAME}@x${Y}",
    )
    (found,) = expanded(REGISTERS, HOST, *patterns).registrations
    assert values(found) == {"server_uri": "sips:reg.example:5070", "client_uri": "sip:w@x"}


def test_auth_is_made_and_used() -> None:
    both = ("sends_auth=yes", "outbound_auth/username=u", "outbound_auth/password=p")
    found = expanded(REGISTERS, HOST, *both)
    (auth,) = found.auths
    assert (auth.name, values(auth)) == ("w-oauth", {"username": "u", "password": "p"})
    made = values(found.registrations[0])
    assert (made["outbound_auth"], made["client_uri"]) == ("w-oauth", "sip:u@reg.example:5070")


def test_username_of_auth_counts_only_when_it_is_sent() -> None:
    (found,) = expanded(REGISTERS, HOST, "outbound_auth/username=u").registrations
    assert values(found)["client_uri"] == "sip:w@reg.example:5070"


def test_line_proxy_and_transport_are_taken_over() -> None:
    more = ("sends_line_with_registrations=yes", "outbound_proxy=sip:p\\;lr", "transport=t")
    (found,) = expanded(REGISTERS, HOST, *more).registrations
    made = values(found)
    assert made["line"] == "yes"
    assert (made["endpoint"], made["outbound_proxy"], made["transport"]) == ("w", "sip:p;lr", "t")


def test_lines_are_those_of_the_wizard() -> None:
    (found,) = expanded(REGISTERS, HOST, "registration/expiration=x").registrations
    assert (found.path, found.line) == ("f", 1)
    assert [(entry[0], entry[2]) for entry in found.entries] == [
        ("expiration", 5),
        ("server_uri", 4),
        ("client_uri", 4),
    ]


@pytest.mark.parametrize(
    ("lines", "line"),
    [((REGISTERS,), 3), ((REGISTERS, HOST, "sends_auth=yes"), 5)],
)
def test_wizard_that_lacks_something_makes_no_registration(
    lines: tuple[str, ...], line: int
) -> None:
    found = expanded(*lines)
    assert not found.registrations
    assert {problem.line for problem in found.problems} == {line}


def test_wizard_that_sends_no_registrations_makes_none() -> None:
    found = expanded(HOST)
    assert not found.registrations
    assert not found.problems


def test_templates_and_other_types_are_no_wizards() -> None:
    text = f"[t](!)\ntype=wizard\n{REGISTERS}\n{HOST}\n[x]\n{REGISTERS}\n{HOST}\n[w](t)\n"
    found = expand(read("f", One(text)).sections)
    assert [section.name for section in found.registrations] == ["w-reg-0"]
