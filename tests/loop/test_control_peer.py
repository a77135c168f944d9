"""Who gives an order at the control socket."""

from __future__ import annotations

import asyncio
import os
import socket

from pjreg_cli.control.peer import asker_at


async def test_the_system_tells_who_is_at_the_other_end() -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        _, writer = await asyncio.open_connection(sock=ours)
        who = f"of uid {os.getuid()} (pid {os.getpid()})"
        assert asker_at(writer, console=False) == f"a command {who}"
        assert asker_at(writer, console=True) == f"a remote console {who}"
        writer.close()
        await writer.wait_closed()
