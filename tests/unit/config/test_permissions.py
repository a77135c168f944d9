"""cli_permissions.conf."""

from __future__ import annotations

from pathlib import Path

import pytest

from pjreg_cli.config.load import load
from pjreg_cli.config.permissions import Permissions

FILE = """\
[general]
default_perm=permit

[support](!)
deny=all
permit=core show
permit=pjsip show

[bob](support)
permit=pjsip list

[alice]
deny=all
permit=pjsip show registration trunk[0-9]*
deny=pjsip show registration
permit=pjsip show

[@admins]
permit=all
deny=core stop

[carol]
deny=pjsip send
"""


def read(tmp_path: Path, text: str) -> tuple[Permissions, list[str]]:
    (tmp_path / "pjsip.conf").write_text("")
    (tmp_path / "cli_permissions.conf").write_text(text)
    settings = load(tmp_path)
    return settings.permissions, [problem.message for problem in settings.problems]


@pytest.mark.parametrize(
    ("user", "groups", "line", "permitted"),
    [
        ("nobody", (), "core stop now", True),
        ("bob", (), "core stop now", False),
        ("bob", (), "core show uptime", True),
        ("bob", (), "pjsip list registrations", True),
        ("bob", (), "pjsip send unregister x", False),
        # the first rule about the command decides, "all" only where there is none
        ("alice", (), "pjsip show registration trunk7", True),
        ("alice", (), "pjsip show registration office", False),
        ("alice", (), "pjsip show registrations", False),
        ("alice", (), "pjsip show auths", True),
        ("alice", (), "core show uptime", False),
        # what a user may goes before what his groups may
        ("alice", ("admins",), "core show uptime", False),
        ("dave", ("users", "admins"), "core show uptime", True),
        ("dave", ("users", "admins"), "core stop now", False),
        # nothing said of all: the default
        ("carol", (), "pjsip send register x", False),
        ("carol", (), "core stop now", True),
        ("carol", ("admins",), "core stop now", False),
    ],
)
def test_who_may_what(
    tmp_path: Path, user: str, groups: tuple[str, ...], line: str, permitted: bool
) -> None:
    permissions, problems = read(tmp_path, FILE)
    assert problems == []
    assert permissions.permit(user, groups, line) is permitted


def test_without_a_file_everybody_may_everything(tmp_path: Path) -> None:
    (tmp_path / "pjsip.conf").write_text("")
    assert load(tmp_path).permissions.unlimited


def test_denied_unless_permitted(tmp_path: Path) -> None:
    permissions, _ = read(tmp_path, "[general]\ndefault_perm=deny\n[root]\npermit=core show\n")
    assert not permissions.permit("alice", (), "core show uptime")
    assert permissions.permit("root", (), "core show uptime")
    assert not permissions.permit("root", (), "core stop now")


@pytest.mark.parametrize(
    ("text", "line", "permitted", "word"),
    [
        ("[general]\ndefault_perm=perhaps\n", "core stop now", False, "neither permit nor deny"),
        ("[alice]\nallow=all\n", "core stop now", True, "neither permit nor deny"),
        ("[alice]\ndeny=all\npermit=core (\n", "core stop now", False, "cannot be understood"),
        ("[alice]\npermit=all\ndeny=core (\n", "core stop now", False, "cannot be understood"),
    ],
)
def test_what_cannot_be_understood_permits_nothing(
    tmp_path: Path, text: str, line: str, permitted: bool, word: str
) -> None:
    permissions, problems = read(tmp_path, text)
    assert any(word in problem for problem in problems)
    assert permissions.permit("alice", (), line) is permitted
