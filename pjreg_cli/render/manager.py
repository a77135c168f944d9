"""What the console shows of the manager interface."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pjreg_cli.api.manager import ManagerAction, ManagerSession, ManagerUser
from pjreg_cli.config.manager_classes import CLASSES
from pjreg_cli.render import json
from pjreg_cli.render.columns import cut, pad

#: the order permissions are listed in, whatever the file says
_CLASSES = tuple(name for name in CLASSES if name != "all")
#: columns of `manager show commands`
_ACTION_WIDTH, _SUMMARY_WIDTH = 43, 33


def users(every: Iterable[ManagerUser]) -> Iterator[str]:
    """The names, in the order of the file."""
    names = [user.name for user in every]
    if not names:
        yield "There are no manager users.\n"
        return
    yield "\nusername\n--------\n"
    yield "".join(f"{name}\n" for name in names)
    yield f"-------------------\n{len(names)} manager users configured.\n"


def user(shown: ManagerUser) -> Iterator[str]:
    """One user: what it may do, and from where."""
    yield "\n"
    for name, value in (
        ("username", shown.name),
        ("secret", "<Set>" if shown.has_secret else "(N/A)"),
        ("ACL", _yes(bool(shown.acl))),
        ("read perm", permissions(shown.read)),
        ("write perm", permissions(shown.write)),
        ("displayconnects", _yes(shown.displayconnects)),
        ("allowmultiplelogin", _yes(shown.allowmultiplelogin)),
        ("Variables", ""),
    ):
        yield f"{name:>18}: {value}\n"
    if shown.acl:
        yield f"ACL: (unnamed)\n{'-' * 45}\n"
        for number, (permit, network) in enumerate(shown.acl):
            yield f"{number:3d}: {'allow' if permit else 'deny'} - {network}\n"


def permissions(classes: Iterable[str]) -> str:
    """Classes in their fixed order; `all` is each of them, and the word behind them."""
    wanted = {name.casefold() for name in classes}
    if "all" in wanted:
        return ",".join((*_CLASSES, "all"))
    return ",".join(name for name in _CLASSES if name in wanted) or "<none>"


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def connected(sessions: Iterable[ManagerSession], now_at: float) -> Iterator[str]:
    """The table of connections."""
    head = ("Start", "Elapsed", "FileDes", "HttpCnt", "ReadPerms", "WritePerms")
    yield _session("Username", "IP Address", *head)
    count = 0
    for session in sessions:
        count += 1
        passed = max(int(now_at - session.started_at), 0)
        numbers = (int(session.started_at), passed, session.fileno, 0, session.read, session.write)
        yield _session(session.username, session.address, *map(str, numbers))
    yield f"{count} users connected.\n"


def _session(username: str, address: str, *numbers: str) -> str:
    widths = (10, 10, 8, 8, 10, 10)
    cells = [f"{number:<{size}}" for number, size in zip(numbers, widths, strict=True)]
    left = f"  {pad(cut(username, 15), 15)}  {pad(cut(address, 55), 55)}"
    return "  ".join((left, *cells)) + "\n"


def settings(pairs: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Pairs of name and value."""
    yield "\nGlobal Settings:\n----------------\n"
    for name, value in pairs:
        yield f"  {name.removesuffix(':') + ':':<25}  {value:<15}\n"


def actions(every: Iterable[ManagerAction]) -> Iterator[str]:
    """The table of actions, summaries cut."""
    yield _action("Action", "Synopsis")
    yield _action("------", "--------")
    for action in every:
        yield _action(action.name, action.summary)


def _action(name: str, summary: str) -> str:
    return f"  {pad(name, _ACTION_WIDTH)}  {cut(summary, _SUMMARY_WIDTH)}\n"


def paragraphs(*parts: tuple[str, str]) -> Iterator[str]:
    """Titles in brackets, each followed by its text and an empty line."""
    for title, text in parts:
        yield f"[{title}]\n{text or 'Not available'}\n\n"


def action(shown: ManagerAction) -> Iterator[str]:
    """One action in full."""
    yield "\n"
    yield from paragraphs(
        ("Syntax", f"Action: {shown.name}\n[ActionID:] <value>"),
        ("Synopsis", shown.summary),
        ("Since", ""),
        ("Description", shown.description),
        ("Privilege", shown.privilege or "<none>"),
        ("See Also", ""),
    )


def user_shape(user: ManagerUser) -> json.Shape:
    """One user of manager.conf."""
    return {
        "name": user.name,
        "has_secret": user.has_secret,
        "acl": [{"permit": permit, "network": network} for permit, network in user.acl],
        "read": list(user.read),
        "write": list(user.write),
        "displayconnects": user.displayconnects,
        "allowmultiplelogin": user.allowmultiplelogin,
    }


def session_shape(session: ManagerSession) -> json.Shape:
    """One logged-in connection."""
    return {
        "username": session.username,
        "address": session.address,
        "started_at": json.instant(session.started_at),
        "read": session.read,
        "write": session.write,
    }


def action_shape(action: ManagerAction) -> json.Shape:
    """One action of the manager interface."""
    return {
        "name": action.name,
        "privilege": action.privilege,
        "summary": action.summary,
        "description": action.description,
    }
