"""Notices what happens to the host: its addresses and routes change, it sleeps and wakes again."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import Callable
from typing import NamedTuple

from pjreg_cli.net.sockets import LINUX

_log = logging.getLogger("pjreg_cli.net")

#: how often the clocks are compared, in seconds
TICK_S = 5.0
#: how often routes are to be looked at where the system does not tell of changes, in seconds
POLL_S = 10.0
#: how long it stays quiet before a change counts as complete, and how long that may take in all
_SETTLE_S = 0.5
_LONGEST_S = 3.0
#: a gap between clocks that means that time was slept through, in seconds
_SLEPT_S = 2.0
#: a step of the clock on the wall that may mean the same (a virtual machine was halted), seconds
_STEPPED_S = 10.0

#: from the Linux headers (linux/rtnetlink.h): addresses, routes and rules of both versions of IP
_GROUPS = 0x10 | 0x40 | 0x80 | 0x100 | 0x400 | 0x40000
_NETLINK_ROUTE = 0
_LARGEST = 65_536
#: messages taken in one go
_BATCH = 64


class Clocks(NamedTuple):
    """What the clocks of the system say at one moment, in seconds."""

    running: float
    """Does not go on while the host sleeps."""
    passed: float
    """Goes on."""
    wall: float
    """May be set."""


def clocks() -> Clocks:
    """Read all of them."""
    running = time.clock_gettime(time.CLOCK_MONOTONIC)
    passed = time.clock_gettime(time.CLOCK_BOOTTIME) if LINUX else running
    return Clocks(running, passed, time.clock_gettime(time.CLOCK_REALTIME))


def slept_s(before: Clocks, after: Clocks) -> float:
    """How many seconds between two readings nobody lived through; 0 for none worth a word."""
    ran_s = after.running - before.running
    gap_s = after.passed - before.passed - ran_s
    if gap_s >= _SLEPT_S:
        return gap_s
    stepped_s = after.wall - before.wall - ran_s
    return stepped_s if stepped_s >= _STEPPED_S else 0.0


class Watch:
    """Calls `changed` when addresses or routes have changed, `look` from time to time where nobody
    tells of that, `slept` with the seconds that passed unnoticed."""

    def __init__(
        self,
        *,
        changed: Callable[[], None],
        look: Callable[[], None],
        slept: Callable[[float], None],
        clocks: Callable[[], Clocks] = clocks,
    ) -> None:
        self._changed = changed
        self._look = look
        self._slept = slept
        self._clocks = clocks
        self._before = clocks()
        self._loop = asyncio.get_running_loop()
        self._socket = _netlink()
        if self._socket is not None:
            self._loop.add_reader(self._socket, self._heard)
        self._poll_at = self._loop.time() + POLL_S
        self._settling: asyncio.TimerHandle | None = None
        self._settles_by = 0.0
        self._ticking = self._loop.call_later(TICK_S, self._tick)

    def close(self) -> None:
        """Notice nothing more; a second time does nothing."""
        self._ticking.cancel()
        if self._settling is not None:
            self._settling.cancel()
        gone, self._socket = self._socket, None
        if gone is not None:
            self._loop.remove_reader(gone)
            gone.close()

    def _tick(self) -> None:
        self._ticking = self._loop.call_later(TICK_S, self._tick)
        before, self._before = self._before, self._clocks()
        if gone_s := slept_s(before, self._before):
            self._slept(gone_s)
        if self._socket is None and self._loop.time() >= self._poll_at:
            self._poll_at = self._loop.time() + POLL_S
            self._look()

    def _heard(self) -> None:
        """The system tells of a change; what it is in detail does not matter, for the routes are
        asked anyway."""
        for _ in range(_BATCH):
            try:
                if self._socket is None or not self._socket.recv(_LARGEST):
                    break
            except BlockingIOError:
                break
            except OSError as error:
                # more was said than there was room for: a change all the same
                _log.debug("word of routes was lost: %s", error)
        now = self._loop.time()
        if self._settling is None:
            self._settles_by = now + _LONGEST_S
        else:
            self._settling.cancel()
        at = min(now + _SETTLE_S, self._settles_by)
        self._settling = self._loop.call_at(at, self._settled)

    def _settled(self) -> None:
        self._settling = None
        self._changed()


def _netlink() -> socket.socket | None:
    """A socket that hears of changes of addresses and routes (rtnetlink(7)); None where there is
    none to be had."""
    if not LINUX:
        return None
    try:
        made = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_ROUTE)
    except OSError as error:
        _log.debug("changes of routes are looked for, not told: %s", error)
        return None
    try:
        made.setblocking(False)
        made.bind((0, _GROUPS))
    except OSError as error:
        made.close()
        _log.debug("changes of routes are looked for, not told: %s", error)
        return None
    return made
