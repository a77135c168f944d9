"""The users of AMI."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pjreg_cli.config import manager_conf
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
    assert [(allowed, net.with_netmask) for allowed, net in settings.users[0].acl] == [
        (False, "0.0.0.0/0.0.0.0"),
        (True, "127.0.0.1/255.255.255.255"),
        (False, "10.0.0.0/255.0.0.0"),
    ]
    assert [problem.line for problem in problems] == [4]


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
