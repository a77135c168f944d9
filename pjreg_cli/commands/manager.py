"""The commands of `manager`: what the console shows of AMI."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pjreg_cli.api.manager import ManagerAction, ManagerUser
from pjreg_cli.commands.command import (
    USAGE,
    Answer,
    Call,
    Choice,
    Command,
    Console,
    absent,
    tell,
    usage,
)
from pjreg_cli.commands.program import reloaded
from pjreg_cli.render import json, manager


def _show_connected(call: Call) -> Answer:
    sessions = call.port.managers.sessions()
    return tell(
        sessions,
        lambda shown: manager.connected(shown, call.port.instance.view().now_at),
        json.each(manager.session_shape),
    )


def _show_users(call: Call) -> Answer:
    users = call.port.managers.users()
    return tell(users, manager.users, json.each(manager.user_shape))


def _show_user(call: Call) -> Answer:
    if len(call.args) != 1:
        return USAGE
    name = call.args[0]
    user = _user(call, name)
    if user is None:
        return absent(f"There is no manager called {name}")
    return tell(user, manager.user, json.whole(manager.user_shape))


def _user(call: Call, name: str) -> ManagerUser | None:
    users = call.port.managers.users()
    return next((user for user in users if user.name.casefold() == name.casefold()), None)


def _show_commands(call: Call) -> Answer:
    # origin: words behind are ignored
    actions = _actions(call.console)
    return tell(actions, manager.actions, json.each(manager.action_shape))


def _show_command(call: Call) -> Answer:
    if not call.args:
        return USAGE
    wanted = {word.casefold() for word in call.args}
    found = [action for action in _actions(call.console) if action.name.casefold() in wanted]
    return tell(
        found,
        lambda shown: (text for action in shown for text in manager.action(action)),
        json.each(manager.action_shape),
    )


def _actions(console: Console) -> Sequence[ManagerAction]:
    return sorted(console.port.managers.actions(), key=lambda action: action.name.casefold())


def _show_settings(call: Call) -> Answer:
    pairs = call.port.managers.settings()
    return tell(
        pairs,
        manager.settings,
        lambda shown: json.document({name.removesuffix(":"): text for name, text in shown}),
    )


async def _reload(call: Call) -> Answer:
    if call.args:
        return USAGE
    return await reloaded(call, ("manager",), named=False)


def _user_names(console: Console, args: Sequence[str], _partial: str) -> Iterator[Choice]:
    return iter(()) if args else (Choice(user.name) for user in console.port.managers.users())


def _action_names(console: Console, args: Sequence[str], _partial: str) -> Iterator[Choice]:
    return (Choice(action.name, action.summary) for action in _actions(console))


ROWS = (
    Command(
        "manager show connected",
        usage(
            "Usage: manager show connected",
            "Lists who is logged in to the manager interface, and since when.",
        ),
        "Who is logged in to the manager interface",
        _show_connected,
    ),
    Command(
        "manager show users",
        usage("Usage: manager show users", "Lists the users of manager.conf in its order."),
        "Users of the manager interface",
        _show_users,
    ),
    Command(
        "manager show user",
        usage(
            " Usage: manager show user <user>",
            "Prints what one user of manager.conf may do, and from where.",
            indent=8,
        ),
        "One user of the manager interface",
        _show_user,
        _user_names,
    ),
    Command(
        "manager show commands",
        usage("Usage: manager show commands", "Lists the actions of the manager interface."),
        "Actions of the manager interface",
        _show_commands,
    ),
    Command(
        "manager show command",
        usage(
            "Usage: manager show command <actionname> [<actionname> [<actionname> [...]]]",
            "Explains actions of the manager interface.",
        ),
        "Explain actions of the manager interface",
        _show_command,
        _action_names,
    ),
    Command(
        "manager show settings",
        usage("Usage: manager show settings", "Prints how the manager interface is set up."),
        "How the manager interface is set up",
        _show_settings,
    ),
    Command(
        "manager reload",
        usage("Usage: manager reload", "Reads manager.conf again."),
        "Reload the manager interface",
        _reload,
    ),
)
