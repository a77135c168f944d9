"""Which class of a manager account opens which action, one by one."""

from __future__ import annotations

import pytest

from pjreg_cli.ami.actions import ACTIONS
from tests.support.ami_client import account, house, settings

#: all classes there are
CLASSES = (
    "system", "call", "log", "verbose", "command", "agent", "user", "config", "dtmf", "reporting",
    "cdr", "dialplan", "originate", "agi", "cc", "aoc", "test", "security", "message",
)  # fmt: skip
#: what each action wants one of; nothing: it is for everybody who has logged in
WANTED: dict[str, frozenset[str]] = {
    "Command": frozenset({"command"}),
    "CoreSettings": frozenset({"system", "reporting"}),
    "CoreShowChannels": frozenset({"system", "reporting"}),
    "CoreStatus": frozenset({"system", "reporting"}),
    "Filter": frozenset({"system"}),
    "LoggerRotate": frozenset({"system", "reporting"}),
    "ModuleCheck": frozenset({"system"}),
    "ModuleLoad": frozenset({"system"}),
    "PJSIPRegister": frozenset({"system", "reporting"}),
    "PJSIPShowAuths": frozenset({"system"}),
    "PJSIPShowRegistrationsOutbound": frozenset({"system", "reporting"}),
    "PJSIPUnregister": frozenset({"system", "reporting"}),
    "PjregAdd": frozenset({"config"}),
    "PjregClusterShow": frozenset({"system", "reporting"}),
    "PjregRemove": frozenset({"config"}),
    "PjregSet": frozenset({"config"}),
    "Reload": frozenset({"system", "config"}),
    "Status": frozenset({"system", "call", "reporting"}),
    "UserEvent": frozenset({"user"}),
    "Events": frozenset(),
    "ListCommands": frozenset(),
    "Ping": frozenset(),
}
#: what has to do with the session alone, or does not answer at once
OTHERS = {"Challenge", "Login", "Logoff", "WaitEvent"}
FIELDS = {"Command": "core show version", "Registration": "none", "Module": "none", "EventMask": ""}


def test_no_action_is_forgotten() -> None:
    assert {row.name for row in ACTIONS} == WANTED.keys() | OTHERS


@pytest.mark.parametrize("held", ["", "all", *CLASSES])
async def test_an_account_with_one_class_may_do_what_that_class_opens(held: str) -> None:
    user = account(write=(held,) if held else (), read=())
    async with house(manager=settings(user)) as running:
        client = await running.connect()
        await client.login()
        for action, wanted in WANTED.items():
            answer = await client.ask(action, ActionID=action, **FIELDS)
            denied = ("Message", "Permission denied") in answer
            assert denied is not (not wanted or held == "all" or held in wanted), (action, held)
            await client.synchronize()


@pytest.mark.parametrize("held", ["", *CLASSES])
async def test_reading_opens_no_action(held: str) -> None:
    user = account(write=(), read=(held,) if held else ())
    async with house(manager=settings(user)) as running:
        client = await running.connect()
        await client.login()
        for action, wanted in WANTED.items():
            answer = await client.ask(action, ActionID=action, **FIELDS)
            assert (("Message", "Permission denied") in answer) is bool(wanted), (action, held)
            await client.synchronize()


async def test_the_list_of_commands_shows_what_may_be_given() -> None:
    for held in CLASSES:
        async with house(manager=settings(account(write=(held,), read=()))) as running:
            client = await running.connect()
            await client.login()
            shown = {key for key, _ in await client.ask("ListCommands")} & WANTED.keys()
            assert shown == {
                name for name, wanted in WANTED.items() if not wanted or held in wanted
            }
