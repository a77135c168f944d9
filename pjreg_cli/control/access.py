"""Which commands are for whom at the control socket."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

from pjreg_cli.control.peer import Peer

#: second words of commands that show and do nothing
_SHOWING: Final = frozenset(
    {"show", "list", "status", "explain", "counters", "health", "history", "ladder"}
)
#: whole commands of the same kind
_HARMLESS: Final = frozenset({"help", "?", "core waitfullybooted"})


class Permissions(Protocol):
    """What cli_permissions.conf says."""

    @property
    def unlimited(self) -> bool:
        """Whether nobody needs to be asked about."""
        ...

    def permit(self, user: str, groups: tuple[str, ...], line: str, /) -> bool:
        """Whether a user of these groups may give this command."""
        ...


def only_shows(line: str) -> bool:
    """Whether a command does nothing but show, and never a password."""
    words = line.split()
    if words[:3] == ["pjsip", "show", "auth"]:
        # an instance may have been told to reveal them
        return False
    return line in _HARMLESS or words[:1] == ["help"] or (len(words) > 1 and words[1] in _SHOWING)


def judge(peer: Peer | None, permissions: Callable[[], Permissions]) -> Callable[[str], bool]:
    """What decides about the commands of a peer; asked anew each time, as a reload may change it.

    Whom the system does not know is nobody in particular.
    """
    user = peer.user if peer is not None else ""
    groups = peer.groups if peer is not None else ()

    def permitted(line: str) -> bool:
        now = permissions()
        return now.unlimited or now.permit(user, groups, line)

    return permitted
