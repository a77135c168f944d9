"""Ports on loopback that nobody uses."""

from __future__ import annotations

import os
import secrets
import socket
from collections import deque

LOOPBACK = "127.0.0.1"
_ATTEMPTS = 1000
_PORTS = range(10_000, 32_768)
"""Below those that systems give to whoever connects: nobody gets one of these by chance."""
_KEPT = 64
"""So many a process keeps to itself: what was handed out before is in use, or used no more."""

_reserved: deque[int] = deque()


def free_port(host: str = LOOPBACK) -> int:
    """A port that is free for UDP and TCP alike, and stays so until the caller binds it: no
    process that asks here gets one that another was just given."""
    for _ in range(_ATTEMPTS):
        port = secrets.choice(_PORTS)
        if _reserve(port):
            if _free(host, port):
                return port
            os.close(_reserved.pop())
    raise RuntimeError(f"no port of {host} is free for both UDP and TCP")


def _reserve(port: int) -> bool:
    """Claim a port before all tests of this machine, by a name that ends with this process."""
    with socket.socket(socket.AF_UNIX) as claim:
        try:
            claim.bind(f"\0pjreg-tests-port-{port}")
        except OSError:
            return False
        _reserved.append(claim.detach())
    if len(_reserved) > _KEPT:
        os.close(_reserved.popleft())
    return True


def _free(host: str, port: int) -> bool:
    """Whether nobody uses a port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            with socket.socket(family, kind) as one:
                one.bind((host, port))
    except OSError:
        return False
    return True
