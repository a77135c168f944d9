"""Who is at the other end of the control socket."""

from __future__ import annotations

import asyncio
import grp
import os
import pwd
import socket
import struct
from typing import NamedTuple

#: struct ucred of SO_PEERCRED: pid, uid, gid
_CREDENTIALS = struct.Struct("=iII")


class Peer(NamedTuple):
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


def peer_of(writer: asyncio.StreamWriter) -> Peer | None:
    """Who is at the other end (unix(7)); None where the system does not tell."""
    try:
        raw = writer.get_extra_info("socket").getsockopt(
            socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size
        )
    except (OSError, AttributeError):
        return None
    return Peer(*_CREDENTIALS.unpack(raw))


def asker_at(writer: asyncio.StreamWriter, console: bool) -> str:
    """Whoever gives an order there, as the log names them."""
    what = "a remote console" if console else "a command"
    peer = peer_of(writer)
    return what if peer is None else f"{what} of uid {peer.uid} (pid {peer.pid})"
