"""Tells systemd how the instance is: up, reloading, stopping, and alive (sd_notify(3)).

Whoever starts us may be another program that speaks this protocol; without one nothing is sent.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import time
from collections.abc import Callable, Mapping

_log = logging.getLogger("pjreg_cli.instance")

#: how often the status is looked at where no watchdog asks for more, in seconds
_STATUS_S = 10.0


class Supervisor:
    """The other end of $NOTIFY_SOCKET.

    `status` gives a line about the instance.  The watchdog is fed from the event loop, so a loop
    that hangs is noticed.
    """

    def __init__(self, environ: Mapping[str, str], status: Callable[[], str]) -> None:
        self._status = status
        self._told = ""
        self._address = _address(environ.get("NOTIFY_SOCKET", ""))
        self._watchdog_s = _watchdog_s(environ)
        self._socket: socket.socket | None = None
        self._tick: asyncio.TimerHandle | None = None

    def ready(self) -> None:
        """The instance is up, or has been reloaded."""
        if not self._address:
            return
        self._told = self._status()
        self._send("READY=1", f"STATUS={self._told}")
        if self._tick is None:
            self._feed()

    def reloading(self) -> None:
        """A reload begins; `ready` ends it."""
        self._send(
            "RELOADING=1", f"MONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}"
        )

    def stopping(self) -> None:
        """The instance ends."""
        self._send("STOPPING=1", "STATUS=stopping")

    def close(self) -> None:
        """Tell nothing more."""
        if self._tick is not None:
            self._tick.cancel()
            self._tick = None
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        self._address = ""

    def _feed(self) -> None:
        loop = asyncio.get_running_loop()
        self._tick = loop.call_later(min(self._watchdog_s or _STATUS_S, _STATUS_S), self._feed)
        words = ["WATCHDOG=1"] if self._watchdog_s else []
        if (status := self._status()) != self._told:
            self._told = status
            words.append(f"STATUS={status}")
        if words:
            self._send(*words)

    def _send(self, *words: str) -> None:
        """Best effort: that nobody listens is no reason to stop."""
        if not self._address:
            return
        try:
            if self._socket is None:
                made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
                made.setblocking(False)
                self._socket = made
            self._socket.sendto("\n".join(words).encode(), self._address)
        except OSError as error:
            _log.debug("the service manager cannot be told: %s", error)


def _address(text: str) -> str:
    """Where to send to; a name in the abstract namespace begins with `@`."""
    if text.startswith("@"):
        return "\0" + text[1:]
    return text if text.startswith("/") else ""


def _watchdog_s(environ: Mapping[str, str]) -> float:
    """How often the watchdog is to be fed, half of what it waits; 0 without one for us."""
    wait_s = 0.0
    with contextlib.suppress(ValueError):
        wait_s = int(environ.get("WATCHDOG_USEC", "")) / 1_000_000
    ours = environ.get("WATCHDOG_PID", "") in ("", str(os.getpid()))
    return wait_s / 2 if ours and wait_s > 0 else 0.0
