"""The users of AMI."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pytest

from pjreg_cli.api.configuration import Level
from pjreg_cli.config import manager_conf
from pjreg_cli.config.eventfilter import compiled
from pjreg_cli.config.reader import Document, read


class One:
    """A single file."""

    def __init__(self, text: str) -> None:
        self._text = text

    def lines(self, path: str) -> Iterable[str]:
        yield from self._text.splitlines(keepends=True)

    def find(self, pattern: str) -> Sequence[str]:
        return ()


def document(*lines: str) -> Document:
    return read("f", One("\n".join(lines)))


def test_manager_accounts_keep_their_order_and_inherit_from_general() -> None:
    settings, problems = manager_conf.manager(
        document(
            "[General]", "enabled = yes", "bindaddr = [::1]", "port=5039", "displayconnects=no",
            "[t](!)", "read=all", "[B](t)", "secret=b", "write = system, command",
            "[a]", "secret=a", "displayconnects=yes",
        )
    )  # fmt: skip
    assert problems == []
    assert (settings.enabled, settings.bindaddr, settings.port) == (True, "::1", 5039)
    first, second = settings.users
    assert (first.name, first.read, first.write) == ("B", ("all",), ("system", "command"))
    assert (first.displayconnects, second.displayconnects) == (False, True)
    assert second.secret.get_secret_value() == "a"


def test_manager_rules_keep_their_order() -> None:
    rules = ("deny=0.0.0.0/0.0.0.0", "permit=127.0.0.1/255.255.255.255,!10.0.0.0/8", "deny=x")
    settings, problems = manager_conf.manager(document("[a]", *rules))
    assert [(allowed, net.with_netmask) for allowed, net in settings.users[0].access.rules] == [
        (False, "0.0.0.0/0.0.0.0"),
        (True, "127.0.0.1/255.255.255.255"),
        (False, "10.0.0.0/255.0.0.0"),
    ]
    assert [problem.line for problem in problems if "deny" in problem.message] == [4]
    assert settings.users[0].access.shut


def test_same_account_twice_is_one() -> None:
    settings, _ = manager_conf.manager(document("[a]", "secret=x", "[A]", "read=all"))
    (account,) = settings.users
    assert (account.secret.get_secret_value(), account.read) == ("x", ("all",))


def test_several_event_filters_are_kept() -> None:
    settings, _ = manager_conf.manager(document("[a]", "eventfilter=Event: X", "eventfilter=!Y"))
    assert settings.users[0].eventfilter == ("Event: X", "!Y")


def test_wrong_option_is_told_and_its_default_counts() -> None:
    settings, problems = manager_conf.manager(
        document("[general]", "prot=1", "port=many", "enabled=y")
    )
    assert (settings.port, settings.enabled) == (5038, True)
    hints = sorted((problem.line, "did you mean 'port'" in problem.message) for problem in problems)
    assert hints == [(2, True), (3, False)]


def test_nothing_listens_by_default() -> None:
    assert not manager_conf.ManagerSettings().enabled
    assert not manager_conf.ManagerSettings().tlsenable


@pytest.mark.parametrize(
    "rules",
    [
        ("deny=0.0.0.0/33",),
        ("deny=0.0.0.0/0.0.0.0.0", "permit=127.0.0.1"),
        ("permit=10.0.0.300",),
        ("permit=",),
        ("acl=officeonly",),
        ("acl=",),
        ("acl=open,officeonly",),
        ("dney=10.0.0.0/8",),
        ("permti=10.0.0.0/8", "permit=0.0.0.0/0"),
        ("allow=10.0.0.0/8",),
    ],
)
def test_door_that_cannot_be_understood_is_shut_and_the_line_told(rules: tuple[str, ...]) -> None:
    settings, problems = manager_conf.manager(
        document("[a]", "secret=hunter2xx", *rules), document("[open]", "permit=0.0.0.0/0")
    )
    access = settings.users[0].access
    assert not any(access.admits(address) for address in ("127.0.0.1", "10.1.1.1", "::1"))
    errors = [problem for problem in problems if problem.level is Level.ERROR]
    assert [problem.line for problem in errors] == [3]
    assert "nobody can log in as this user" in errors[0].message


def test_named_lists_and_rules_of_general_count_for_a_user() -> None:
    settings, problems = manager_conf.manager(
        document("[general]", "deny=0.0.0.0/0", "permit=10.0.0.0/8", "[a]", "secret=x", "acl=o"),
        document("[o]", "deny=10.9.0.0/16"),
    )
    access = settings.users[0].access
    addresses = ("10.1.1.1", "10.9.1.1", "192.0.2.1")
    assert [access.admits(one) for one in addresses] == [True, False, False]
    assert [problem.line for problem in problems] == [2, 3]
    assert access.shown()[-1] == (True, "10.0.0.0/255.0.0.0")


def test_senseless_words_are_told_at_their_lines() -> None:
    lines = (
        "[general]", "enabled=yes", "bindaddr=0.0.0.0", "[a]", "secret=amp111",
        "read = sytem,all", "write = al", "eventfilter = Event: [", "eventfilter(bogus(x)) = y",
        "eventfilter(action(exclude),name(A),method(odd)) = y", "colour = red",
    )  # fmt: skip
    settings, problems = manager_conf.manager(document(*lines))
    told = {problem.line: problem.message for problem in problems}
    assert sorted(told) == [5, 6, 7, 8, 9, 10, 11]
    assert "did you mean 'system'" in told[6]
    assert "shorter than 8" in told[5]
    assert "amp111" not in str(problems)
    filters, _ = compiled(settings.users[0].eventfilter)
    assert not filters.passes("B", "Event: B")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("bindaddr=127.0.0.1:99", ["127.0.0.1:99"]),
        ("bindaddr=[::1]:99", ["[::1]:99"]),
        ("bindaddr=::1", ["[::1]:5038"]),
        ("bindaddr=", []),
        ("bindaddr=12 34", []),
        ("bindaddr=127.0.0.1:99999", ["127.0.0.1:5038"]),
        ("tlsbindaddr=127.0.0.1:99999", ["127.0.0.1:5038"]),
        ("tlsbindaddr=localhost:77", ["127.0.0.1:5038", "localhost:77"]),
    ],
)
def test_it_listens_only_where_the_address_is_understood(line: str, expected: list[str]) -> None:
    tls = "yes" if "tls" in line else "no"
    lines = ("[general]", "enabled=yes", f"tlsenable={tls}", "bindaddr=127.0.0.1", line)
    settings, problems = manager_conf.manager(document(*lines))
    assert [str(endpoint) for endpoint in manager_conf.endpoints(settings)] == expected
    broken = len(expected) == 0 or "99999" in line
    assert bool(problems) is broken
