"""Who is at the other end of a control socket, and what is for him."""

from __future__ import annotations

import grp
import os
import pwd
import socket

import pytest

from pjreg_cli.config.permissions import Holder, Permissions, Rule
from pjreg_cli.control.access import Peer, judge, only_shows, peer_of


@pytest.mark.parametrize(
    ("line", "shows"),
    [
        ("pjsip show registrations", True),
        ("pjsip list registrations like a", True),
        ("pjreg status alice", True),
        ("pjreg explain alice", True),
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


def test_the_system_says_who_has_connected() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX)
    with ours, theirs:
        peer = peer_of(ours)
    assert peer == Peer(os.getpid(), os.geteuid(), os.getegid())
    assert peer.user == pwd.getpwuid(os.geteuid()).pw_name
    assert grp.getgrgid(os.getegid()).gr_name in peer.groups


def test_a_user_without_name_is_a_number() -> None:
    peer = Peer(1, 54_321, 54_322)
    assert peer.user == "54321"
    assert "54322" in peer.groups


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
