"""Who gives an order at the control socket."""

from __future__ import annotations

import asyncio
import grp
import os
import pwd
import socket

from pjreg_cli.control.peer import Peer, asker_at, peer_of


async def test_the_system_tells_who_is_at_the_other_end() -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        _, writer = await asyncio.open_connection(sock=ours)
        who = f"of uid {os.getuid()} (pid {os.getpid()})"
        assert asker_at(writer, console=False) == f"a command {who}"
        assert asker_at(writer, console=True) == f"a remote console {who}"
        peer = peer_of(writer)
        assert peer == Peer(os.getpid(), os.geteuid(), os.getegid())
        assert peer.user == pwd.getpwuid(os.geteuid()).pw_name
        assert grp.getgrgid(os.getegid()).gr_name in peer.groups
        writer.close()
        await writer.wait_closed()


def test_a_user_without_name_is_a_number() -> None:
    peer = Peer(1, 54_321, 54_322)
    assert peer.user == "54321"
    assert "54322" in peer.groups
