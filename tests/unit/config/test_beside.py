"""The files beside pjsip.conf."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pytest

from pjreg_cli.config import beside
from pjreg_cli.config.models import ConsoleSettings
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
    settings, problems = beside.manager(
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
    settings, problems = beside.manager(document("[a]", *rules))
    assert [(allowed, net.with_netmask) for allowed, net in settings.users[0].acl] == [
        (False, "0.0.0.0/0.0.0.0"),
        (True, "127.0.0.1/255.255.255.255"),
        (False, "10.0.0.0/255.0.0.0"),
    ]
    assert [problem.line for problem in problems] == [4]


def test_same_account_twice_is_one() -> None:
    settings, _ = beside.manager(document("[a]", "secret=x", "[A]", "read=all"))
    (account,) = settings.users
    assert (account.secret.get_secret_value(), account.read) == ("x", ("all",))


def test_several_event_filters_are_kept() -> None:
    settings, _ = beside.manager(document("[a]", "eventfilter=Event: X", "eventfilter=!Y"))
    assert settings.users[0].eventfilter == ("Event: X", "!Y")


def test_wrong_option_is_told_and_its_default_counts() -> None:
    settings, problems = beside.manager(document("[general]", "prot=1", "port=many", "enabled=y"))
    assert (settings.port, settings.enabled) == (5038, True)
    hints = sorted((problem.line, "did you mean 'port'" in problem.message) for problem in problems)
    assert hints == [(2, True), (3, False)]


@pytest.mark.parametrize(
    ("server", "expected"),
    [
        ("127.0.0.1", ("127.0.0.1", 8125)),
        ("127.0.0.1:99", ("127.0.0.1", 99)),
        ("[::1]:99", ("::1", 99)),
        ("::1", ("::1", 8125)),
        ("stats.example:1", ("stats.example", 1)),
    ],
)
def test_statsd_server_may_carry_the_port(server: str, expected: tuple[str, int]) -> None:
    settings, problems = beside.statsd(document("[general]", f"server={server}", "prefix="))
    assert (settings.server, settings.port) == expected
    assert problems == []


def test_resolver_reads_name_servers_and_switches() -> None:
    lines = ("nameserver=127.0.0.1@53", "nameserver=::1", "resolv=", "hosts=", "ta_file=x")
    settings, problems = beside.resolver(document("[general]", *lines))
    assert settings.nameservers == (("127.0.0.1", 53), ("::1", 53))
    assert (settings.resolv, settings.hosts) == (False, "")
    assert problems == []


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ((), (True, "/etc/resolv.conf", "/etc/hosts")),
        (("resolv=system", "hosts=system"), (True, "/etc/resolv.conf", "/etc/hosts")),
        (("resolv=/r", "hosts=/h"), (True, "/r", "/h")),
    ],
)
def test_resolver_files(lines: tuple[str, ...], expected: tuple[bool, str, str]) -> None:
    settings, _ = beside.resolver(document("[general]", *lines))
    assert (settings.resolv, settings.resolv_file, settings.hosts) == expected


def test_aliases_of_templates_in_use_the_first_counts() -> None:
    found = beside.console(
        ConsoleSettings(),
        document(
            "[general]", "template=b", "template = a", "[a]", "x=1", "Sip  Show=2",
            "[b]", "X => 3", "[c]", "y=4",
        ),
        None,
    )  # fmt: skip
    assert found.aliases == {"X": "3", "Sip Show": "2"}


def test_unchanged_file_of_the_console_keeps_its_settings() -> None:
    old = ConsoleSettings(aliases={"a": "b"}, startup_commands=("x",))
    start = document("[startup_commands]", "core show version = yes", "no = no")
    assert beside.console(old, None, start).aliases == {"a": "b"}
    assert beside.console(old, None, start).startup_commands == ("core show version",)
    assert beside.console(old, document(), None).startup_commands == ("x",)


def test_pjreg_reads_its_own_options() -> None:
    lines = ("redirect=sip:${USER}@10.0.0.5", "log_level=debug", "keep_nonce=1", "remote_shell=no")
    settings, problems = beside.pjreg(document("[general]", *lines))
    assert settings.redirect == "sip:${USER}@10.0.0.5"
    assert (settings.keep_nonce, settings.remote_shell) == (True, False)
    assert problems == []
