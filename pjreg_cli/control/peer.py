"""Who is at the other end of the control socket."""

from __future__ import annotations

import asyncio
import socket
import struct

#: struct ucred of SO_PEERCRED: pid, uid, gid
_CREDENTIALS = struct.Struct("=iII")


def asker_at(writer: asyncio.StreamWriter, console: bool) -> str:
    """Whoever gives an order there, as the log names them."""
    what = "a remote console" if console else "a command"
    try:
        raw = writer.get_extra_info("socket").getsockopt(
            socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size
        )
    except (OSError, AttributeError):
        return what  # a system that does not tell
    pid, uid, _ = _CREDENTIALS.unpack(raw)
    return f"{what} of uid {uid} (pid {pid})"
