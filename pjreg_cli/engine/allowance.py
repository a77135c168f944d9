"""How many answers strangers get: so many a second each and in all; pure.

An answer is never much longer than its request, but who sends requests with the address of
somebody else could have us send him as many.
"""

from __future__ import annotations

import math
from collections.abc import Callable

#: answers a second that one address gets, and all of them together; twice as many at once
PER_HOST = 100.0
IN_ALL = 1000.0
#: what may be saved up, in seconds
_BURST_S = 2.0
#: addresses whose use is remembered; beyond that the bound for all is what holds
_HOSTS = 4096


class Allowance:
    """Who has had how much.  `clock` counts seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._used_until = -math.inf
        self._hosts: dict[str, float] = {}

    def permits(self, host: str) -> bool:
        """Whether one more answer may go to this address; if so it counts."""
        now = self._clock()
        earliest, latest = now - _BURST_S, now
        used_until = max(self._hosts.get(host, -math.inf), earliest)
        in_all = max(self._used_until, earliest)
        if used_until >= latest or in_all >= latest:
            return False
        if len(self._hosts) >= _HOSTS:
            self._hosts.clear()
        self._hosts[host] = used_until + 1 / PER_HOST
        self._used_until = in_all + 1 / IN_ALL
        return True
