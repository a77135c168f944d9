"""Doors of a running instance: who may come in by AMI, and what happens where it cannot listen."""

from __future__ import annotations

import socket

import pytest

from tests.support.instance import QUIET, Instance
from tests.support.ports import free_port
from tests.support.waiting import until

ACL = "[ten]\ndeny = 0.0.0.0/0\npermit = 10.0.0.0/8\n[home]\ndeny = 0.0.0.0/0\npermit = 127.0.0.1\n"
MANAGER = """\
[general]
enabled = yes
bindaddr = 127.0.0.1
port = {port}
[user]
secret = a-long-one
read = all
write = all
{rules}
"""


def login(port: int) -> bytes:
    """The answer to a login from loopback."""
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        connection.sendall(b"Action: Login\r\nUsername: user\r\nSecret: a-long-one\r\n\r\n")
        answer = b""
        while b"Message:" not in answer and (more := connection.recv(4096)):
            answer += more
    return answer


@pytest.mark.parametrize(
    ("rules", "accepted"),
    [
        ("", True),
        ("acl = home", True),
        ("acl = ten", False),
        ("acl = home\nacl = ten", False),
        ("acl = nothere", False),
        ("deny = 0.0.0.0/33", False),
        ("deny = 0.0.0.0/0.0.0.0.0\npermit = 127.0.0.1", False),
        ("permit = 10.0.0.300", False),
    ],
)
def test_login_is_held_to_rules_and_lists(instance: Instance, rules: str, accepted: bool) -> None:
    port = free_port()
    instance.configure(QUIET.format(port=free_port()))
    (instance.etc / "acl.conf").write_text(ACL, "utf-8")
    (instance.etc / "manager.conf").write_text(MANAGER.format(port=port, rules=rules), "utf-8")
    assert instance.ask("module reload manager").status == 0
    assert (b"Authentication accepted" in login(port)) is accepted


def test_amis_address_in_use_stops_nothing_and_is_tried_again(instance: Instance) -> None:
    instance.stop()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        (instance.etc / "manager.conf").write_text(MANAGER.format(port=port, rules=""), "utf-8")
        instance.start()
        complaint = f"AMI cannot listen on 127.0.0.1:{port}"
        until(lambda: complaint in instance.log(), complaint)
        assert instance.ask("pjsip show registrations").status == 0
    assert instance.ask("module reload manager").status == 0
    assert b"Authentication accepted" in login(port)
