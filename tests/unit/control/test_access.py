"""What is for whom at the control socket."""

from __future__ import annotations

import os

import pytest

from pjreg_cli.config.permissions import Holder, Permissions, Rule
from pjreg_cli.control.access import judge, only_shows
from pjreg_cli.control.peer import Peer


@pytest.mark.parametrize(
    ("line", "shows"),
    [
        ("pjsip show registrations", True),
        ("pjsip list registrations like a", True),
        ("pjreg status alice", True),
        ("pjreg explain alice", True),
        ("pjreg health", True),
        ("pjreg history alice", True),
        ("pjreg ladder alice", True),
        ("pjreg wait alice", False),
        ("core show uptime seconds", True),
        ("help", True),
        ("help pjsip", True),
        ("pjsip send unregister alice", False),
        ("pjsip show auth alice", False),
        ("pjsip show auths", True),
        ("core stop now", False),
        ("core set verbose 3", False),
        ("pjsip reload", False),
        ("pjsip set logger on", False),
        ("reload", False),
        ("", False),
    ],
)
def test_what_only_shows(line: str, shows: bool) -> None:
    assert only_shows(line) is shows


def test_rules_are_asked_anew_each_time() -> None:
    now = Permissions()
    me = Peer(os.getpid(), os.geteuid(), os.getegid())
    permitted = judge(me, lambda: now)
    assert permitted("core stop now")
    now = Permissions(True, (Holder(me.user, False, (Rule(False, None),)),))
    assert not permitted("core stop now")
    assert judge(None, lambda: now)("core stop now")
    now = Permissions(False, ())
    assert not judge(None, lambda: now)("core stop now")
