"""The files beside pjsip.conf."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pytest

from pjreg_cli.config import other_files
from pjreg_cli.config.other_files import ConsoleSettings, PjregSettings, Resolver, StatsdSettings
from pjreg_cli.config.reader import Document, read
from pjreg_cli.config.types import LOG_LEVELS
from pjreg_cli.instance.log_lines import FILE_LEVELS


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
    settings, problems = other_files.statsd(document("[general]", f"server={server}", "prefix="))
    assert (settings.server, settings.port) == expected
    assert problems == []


def test_resolver_reads_name_servers_and_switches() -> None:
    lines = ("nameserver=127.0.0.1@53", "nameserver=::1", "resolv=", "hosts=", "ta_file=x")
    settings, problems = other_files.resolver(document("[general]", *lines))
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
    settings, _ = other_files.resolver(document("[general]", *lines))
    assert (settings.resolv, settings.resolv_file, settings.hosts) == expected


def test_aliases_of_templates_in_use_the_first_counts() -> None:
    found = other_files.console(
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
    assert other_files.console(old, None, start).aliases == {"a": "b"}
    assert other_files.console(old, None, start).startup_commands == ("core show version",)
    assert other_files.console(old, document(), None).startup_commands == ("x",)


def test_pjreg_reads_its_own_options() -> None:
    lines = ("redirect=sip:${USER}@10.0.0.5", "log_level=debug", "keep_nonce=1", "remote_shell=no")
    settings, problems = other_files.pjreg(document("[general]", *lines))
    assert settings.redirect == "sip:${USER}@10.0.0.5"
    assert (settings.keep_nonce, settings.remote_shell) == (True, False)
    assert problems == []


def test_nothing_is_sent_by_default() -> None:
    assert not StatsdSettings().enabled


def test_default_resolver_is_that_of_the_system() -> None:
    default = Resolver()
    assert (default.resolv, default.hosts, default.nameservers) == (True, "/etc/hosts", ())


def test_default_answers_calls_without_redirecting_them() -> None:
    assert PjregSettings().redirect == ""


def test_no_aliases_by_default() -> None:
    assert ConsoleSettings().aliases == {}


@pytest.mark.parametrize(
    "line",
    [
        "log_level=verbose",
        "log_format=xml",
        "log_level=",
        "log_max_bytes=10M",
        "log_max_bytes=-1",
        "log_keep=100000000",
        "log_keep=many",
    ],
)
def test_what_the_log_cannot_do_is_said_and_the_default_counts(line: str) -> None:
    settings, problems = other_files.pjreg(document("[general]", line))
    assert (settings.log_level, settings.log_max_bytes, settings.log_keep) == ("info", 0, 5)
    (problem,) = problems
    assert (problem.path, problem.line) == ("f", 2)
    assert line.partition("=")[0] in problem.message


def test_levels_of_the_log_are_those_the_log_knows() -> None:
    assert set(LOG_LEVELS) == set(FILE_LEVELS)
    settings, problems = other_files.pjreg(document("[general]", "log_level=NOTICE"))
    assert (settings.log_level, problems) == ("notice", [])


def test_what_cannot_be_understood_says_why() -> None:
    _, (problem,) = other_files.resolver(document("[general]", "nameserver=127.0.0.1:53"))
    assert problem.message == (
        "[general] nameserver cannot be understood and its default counts:"
        " '127.0.0.1:53' is no ADDRESS or ADDRESS@PORT"
    )
