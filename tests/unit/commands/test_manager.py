"""The commands of manager."""

from __future__ import annotations

import json

from pjreg_cli.api.manager import ManagerSession, ManagerUser
from pjreg_cli.commands.tree import execute
from tests.support.fake_port import NOW_AT, Fake, FakeManagers
from tests.support.golden import FIXTURES, Golden
from tests.support.transcript import console, said, transcript


def managed() -> Fake:
    local = (True, "127.0.0.1/255.255.255.255")
    return Fake(
        managers=FakeManagers(
            user_rows=[
                ManagerUser(
                    "admin",
                    True,
                    ((False, "0.0.0.0/0.0.0.0"), local),
                    ("reporting", "command", "system", "nonsense"),
                    ("Command", "system"),
                    True,
                    False,
                ),
                ManagerUser("reader", True, (), ("all",), (), True, True),
                ManagerUser("a-manager-user-with-a-very-long-name", False, (), (), (), False, True),
            ],
            session_rows=[
                ManagerSession("admin", "127.0.0.1:40000", NOW_AT - 90, 12, 2147483647, 31)
            ],
        )
    )


async def test_users_sessions_and_actions(golden: Golden) -> None:
    lines = ["manager show users", "manager show user ADMIN", "manager show user reader"]
    lines += ["manager show user a-manager-user-with-a-very-long-name", "manager show user nobody"]
    lines += ["manager show user", "manager show user admin reader", "manager show connected"]
    lines += ["manager show commands", "manager show commands like PJSIP"]
    lines += ["manager show command ping", "manager show command bogus", "manager show command"]
    lines += ["manager show settings", "manager reload", "manager reload now"]
    golden.check(FIXTURES / "console/manager.txt", await transcript(console(managed()), lines))


async def test_without_users(golden: Golden) -> None:
    lines = ["manager show users", "manager show user admin", "manager show connected"]
    golden.check(FIXTURES / "console/manager-empty.txt", await transcript(console(Fake()), lines))


async def test_unknown_user_is_a_success_to_the_manager() -> None:
    reply = await execute("manager show user nobody", console(managed()))
    assert (reply.ok, reply.failed) == (False, False)


async def test_managers_as_json() -> None:
    asker = console(managed(), json=True)
    users = json.loads(await said(asker, "manager show users"))
    assert users[0]["acl"] == [
        {"permit": False, "network": "0.0.0.0/0.0.0.0"},
        {"permit": True, "network": "127.0.0.1/255.255.255.255"},
    ]
    assert json.loads(await said(asker, "manager show user reader"))["read"] == ["all"]
    sessions = json.loads(await said(asker, "manager show connected"))
    assert sessions[0]["started_at"] == "2026-08-01T11:58:30Z"
    assert json.loads(await said(asker, "manager show settings"))["Manager (AMI)"] == "Yes"
    actions = json.loads(await said(asker, "manager show commands"))
    assert [action["name"] for action in actions] == ["Ping", "PJSIPUnregister"]
    assert json.loads(await said(asker, "manager show command bogus")) == []
