"""Ports on loopback that nobody uses."""

from __future__ import annotations

import socket

LOOPBACK = "127.0.0.1"
_ATTEMPTS = 100


def free_port(host: str = LOOPBACK) -> int:
    """A port that is free for UDP and TCP alike, chosen by the system."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for _ in range(_ATTEMPTS):
        with (
            socket.socket(family, socket.SOCK_STREAM) as tcp,
            socket.socket(family, socket.SOCK_DGRAM) as udp,
        ):
            tcp.bind((host, 0))
            port: int = tcp.getsockname()[1]
            try:
                udp.bind((host, port))
            except OSError:
                continue
            return port
    raise RuntimeError(f"no port of {host} is free for both UDP and TCP")
