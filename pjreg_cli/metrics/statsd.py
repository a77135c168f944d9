"""Notices as statsd gauges over UDP, as statsd.conf asks for them.

Nothing that goes wrong here reaches the instance: a server that cannot be found is looked for
again from time to time, and once it is found it is told where the gauges stand; a packet that
cannot be sent is lost.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from functools import cache

from pjreg_cli.api.notices import Notice, Notices, Settled, StateDropped, StateMade
from pjreg_cli.config.models import StatsdSettings
from pjreg_cli.spawner import Spawner

_log = logging.getLogger("pjreg_cli.metrics")

#: how long until a server that was not found is looked for again, in seconds
RETRY_S = 60.0
#: how often the server is told where the gauges stand, in seconds: changes may have been lost on
#: the way, or the server may have begun anew
HEAL_S = 10.0
#: lines that wait for the server to be found; beyond, only where the gauges stand is told
_PENDING_LIMIT = 20_000

_COUNT = "PJSIP.registrations.count"
_STATE = "PJSIP.registrations.state."
_UNREGISTERED = "Unregistered"
#: in the order in which they are set to 0 at the start
_STATES = ("Registered", _UNREGISTERED, "Rejected")


def lines(notice: Notice) -> tuple[tuple[str, int], ...]:
    """The gauges a notice changes, and by how much."""
    match notice:
        case Settled():
            return _moved(notice.old_word, notice.word)
        case StateMade(word=word):
            return ((_COUNT, 1), (_STATE + _UNREGISTERED, 1), *_moved(_UNREGISTERED, word))
        case StateDropped(word=word):
            return (*_moved(word, _UNREGISTERED), (_COUNT, -1), (_STATE + _UNREGISTERED, -1))
        case _:
            return ()


@cache
def _moved(old: str, new: str) -> tuple[tuple[str, int], ...]:
    # a registration that is leaving counts as what the origin shows it as
    old, new = (word if word in _STATES else _UNREGISTERED for word in (old, new))
    return () if old == new else ((_STATE + old, -1), (_STATE + new, 1))


class Statsd:
    """Gauges of one instance; subscribe it before registrations get their states."""

    def __init__(self, settings: StatsdSettings, *, spawn: Spawner) -> None:
        self._settings = settings
        self._spawn = spawn
        self._transport: asyncio.DatagramTransport | None = None
        self._pending: list[str] | None = []
        self._gauges: Counter[str] = Counter()
        self._retry: asyncio.TimerHandle | None = None
        self._healing: asyncio.TimerHandle | None = None
        self._unsubscribe: Callable[[], None] | None = None
        self._epoch = 0
        """Counts the settings, so that a look-up for old ones comes to nothing."""

    def start(self, notices: Notices) -> None:
        """Set all gauges to 0, if enabled, and follow what happens; never fails."""
        self._unsubscribe = notices.subscribe(self.tell, Settled, StateMade, StateDropped)
        if self._settings.enabled:
            for line in self._standing():
                self._send(line)
            self._look()

    def reconfigure(self, settings: StatsdSettings) -> None:
        """Look for the server of `settings` anew, and tell it where the gauges stand."""
        self._let_go()
        self._settings = settings
        self._pending = None
        if settings.enabled:
            self._look()

    def tell(self, notice: Notice) -> None:
        """Send what a notice changes; called on the event loop."""
        if type(notice) is Settled and notice.word == notice.old_word:
            return  # what happens all the time
        gauges, enabled = self._gauges, self._settings.enabled
        for gauge, step in lines(notice):
            gauges[gauge] += step
            if enabled:
                self._send(f"{gauge}:{step:+d}|g")

    def close(self) -> None:
        """Send nothing more."""
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None
        self._let_go()

    def _let_go(self) -> None:
        self._epoch += 1
        for handle in (self._retry, self._healing):
            if handle is not None:
                handle.cancel()
        self._retry = self._healing = None
        if self._transport is not None:
            self._transport.close()
            self._transport = None

    def _send(self, line: str) -> None:
        if self._transport is not None:
            self._transport.sendto(self._packet(line))
        elif self._pending is not None and self._settings.enabled:
            self._pending.append(line)
            if len(self._pending) > _PENDING_LIMIT:
                self._pending = None

    def _packet(self, line: str) -> bytes:
        prefix = f"{self._settings.prefix}." if self._settings.prefix else ""
        end = "\n" if self._settings.add_newline else ""
        return f"{prefix}{line}{end}".encode("utf-8", "replace")

    def _look(self) -> None:
        self._retry = None
        self._spawn(self._connect(), "statsd")

    async def _connect(self) -> None:
        """Find the server, then tell it what has waited."""
        epoch, where = self._epoch, (self._settings.server, self._settings.port)
        try:
            transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
                _Deaf, remote_addr=where
            )
        except (OSError, UnicodeError) as error:
            if epoch == self._epoch:
                self._not_found(error)
            return
        if epoch != self._epoch:
            transport.close()
            return
        self._transport = transport
        pending, self._pending = self._pending, None
        for line in self._standing() if pending is None else pending:
            self._send(line)
        self._healing = asyncio.get_running_loop().call_later(HEAL_S, self._heal)

    def _heal(self) -> None:
        self._healing = asyncio.get_running_loop().call_later(HEAL_S, self._heal)
        for line in self._standing():
            self._send(line)

    def _not_found(self, error: Exception) -> None:
        _log.warning("statsd server '%s' cannot be reached: %s", self._settings.server, error)
        self._pending = None
        self._retry = asyncio.get_running_loop().call_later(RETRY_S, self._look)

    def _standing(self) -> list[str]:
        gauges = (_COUNT, *(_STATE + state for state in _STATES))
        return [f"{gauge}:{self._gauges[gauge]}|g" for gauge in gauges]


class _Deaf(asyncio.DatagramProtocol):
    """Nobody answers; that nobody listens is no news either."""

    def error_received(self, exc: Exception) -> None:
        """An ICMP refusal: gauges are sent all the same."""
