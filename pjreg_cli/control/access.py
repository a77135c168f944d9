"""Who is at the other end of the control socket, and which commands are for him."""

from __future__ import annotations

import grp
import os
import pwd
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

_CREDENTIALS: Final = struct.Struct("3i")
#: second words of commands that show and do nothing
_SHOWING: Final = frozenset({"show", "list", "status", "explain", "counters"})
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


@dataclass(frozen=True, slots=True)
class Peer:
    """A process that has connected, by the word of the system."""

    pid: int
    uid: int
    gid: int

    @property
    def user(self) -> str:
        """The name of its user, or the number where there is none."""
        try:
            return pwd.getpwuid(self.uid).pw_name
        except KeyError:
            return str(self.uid)

    @property
    def groups(self) -> tuple[str, ...]:
        """The names of all groups of its user."""
        return tuple(_group(number) for number in os.getgrouplist(self.user, self.gid))


def _group(number: int) -> str:
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)


def peer_of(connected: socket.socket) -> Peer | None:
    """Who is at the other end (unix(7)); None where the system does not tell."""
    option = getattr(socket, "SO_PEERCRED", None)
    if option is None:
        return None
    try:
        found = connected.getsockopt(socket.SOL_SOCKET, option, _CREDENTIALS.size)
    except OSError:
        return None
    return Peer(*_CREDENTIALS.unpack(found))


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
