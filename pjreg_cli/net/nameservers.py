"""Which name server is asked, and for how long; knows nothing of caches.

The library is loaded with the first question: who has only addresses never asks one.
"""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from pjreg_cli.errors import ResolveError, excerpt
from pjreg_cli.sip.address import Address
from pjreg_cli.sip.locate import Question

if TYPE_CHECKING:
    from pjreg_cli.config.other_files import Resolver as Settings
    from pjreg_cli.net.dns_answers import Answer

#: how long a look-up may take in all, how long one try waits, and what is no try, in seconds
LIFETIME_S = 17.0
_TRY_S = 3.0
_SHORTEST_S = 0.01
#: how long a server that was silent or refused is asked after the others, at first and at most, and
#: how long it then has to answer the first time, in seconds
_REST_S = 30.0
_LONGEST_REST_S = 900.0
_PROBE_S = 1.0
#: what the system says of a server that there is no way to
_NO_WAY = frozenset(
    {
        errno.ENETUNREACH,
        errno.ENETDOWN,
        errno.EHOSTUNREACH,
        errno.EADDRNOTAVAIL,
        errno.EAFNOSUPPORT,
    }
)


class NoNameServerError(ResolveError):
    """There is nobody to ask."""


class NameServers(Protocol):
    """Somebody who can be asked."""

    async def ask(self, question: Question) -> Answer:
        """Find the records; raises ResolveError when nobody gives a definite answer."""
        ...


class DnsNameServers:
    """The name servers of resolver_unbound.conf and, unless switched off, of resolv.conf.

    One that was silent or refused is asked after the others for some time.
    """

    def __init__(self, settings: Settings, lifetime_s: float = LIFETIME_S) -> None:
        self._settings = settings
        self._lifetime_s = lifetime_s
        self._stamp: int | None = None
        self._servers = self._configured()
        self._resting: dict[Address, _Rest] = {}

    async def ask(self, question: Question) -> Answer:
        """Ask one server after the other until one answers or the time is over.

        Raises NoNameServerError or another ResolveError.
        """
        self._refresh()
        if not self._servers:
            why = f"{question.name} cannot be looked up: no name server is configured"
            raise NoNameServerError(why, result="no name server")
        # dnspython takes as long to load as much of the rest
        from pjreg_cli.net import dns_answers, dns_client

        query = dns_answers.query(question)
        clock = asyncio.get_running_loop().time
        ends_at = clock() + self._lifetime_s
        failures: dict[Address, str] = {}
        unreachable: dict[Address, str] = {}
        # only silence is worth another round: a datagram may have been lost
        silent = True
        while silent and not failures:
            silent = False
            for server in self._in_order(clock()):
                if server in unreachable:
                    continue
                patience_s = min(self._patience_s(server), ends_at - clock())
                if patience_s < _SHORTEST_S:
                    why = f"{question.name}: no answer from any name server"
                    raise ResolveError(why, result="silent")
                try:
                    async with asyncio.timeout(patience_s):
                        response = await dns_client.ask(server, query)
                except TimeoutError:
                    self._failed(server, clock())
                    silent = True
                    continue
                except OSError as error:
                    self._failed(server, clock())
                    # one that there is no way to (of IPv6, where there is none) says nothing
                    there = failures if error.errno not in _NO_WAY else unreachable
                    there[server] = error.strerror or str(error)
                    continue
                self._resting.pop(server, None)
                if dns_answers.is_definite(response):
                    return dns_answers.answer(question, response)
                failures[server] = dns_answers.code(response)
        server, why = next(reversed((failures or unreachable).items()))
        failure = excerpt(f"{server} {why}")
        raise ResolveError(f"{question.name}: look-up failed: {failure}", result=failure)

    # -- which ones ---------------------------------------------------------------------------

    def _refresh(self) -> None:
        """Follow a resolv.conf that has changed."""
        if self._settings.resolv and _stamp(self._settings.resolv_file) != self._stamp:
            self._servers = self._configured()
            self._resting.clear()

    def _configured(self) -> tuple[Address, ...]:
        servers = [Address(*one) for one in self._settings.nameservers]
        if self._settings.resolv:
            self._stamp = _stamp(self._settings.resolv_file)
            servers += [Address(host, 53) for host in _system(self._settings.resolv_file)]
        return tuple(dict.fromkeys(servers))

    def _in_order(self, now: float) -> list[Address]:
        """All servers as configured, but those that rest after the others."""
        return sorted(self._servers, key=lambda server: self._rests(server, now))

    def _rests(self, server: Address, now: float) -> bool:
        rest = self._resting.get(server)
        return rest is not None and now < rest.until

    def _patience_s(self, server: Address) -> float:
        """One that comes back from a rest has to prove itself; with nobody else there is time."""
        proven = server not in self._resting or len(self._servers) == 1
        return _TRY_S if proven else _PROBE_S

    def _failed(self, server: Address, now: float) -> None:
        """Let a server rest, each time twice as long; what rests already is not charged again."""
        if self._rests(server, now):
            return
        before = self._resting.get(server)
        length_s = _REST_S if before is None else min(2 * before.length_s, _LONGEST_REST_S)
        self._resting[server] = _Rest(now + length_s, length_s)


class _Rest(NamedTuple):
    """Why a server is asked last: until when, and how long that was in all, in seconds."""

    until: float
    length_s: float


def _stamp(path: str) -> int | None:
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return None


def _system(path: str) -> list[str]:
    """The addresses in a resolv.conf; none when it cannot be read.

    Without the library's own reader, which loads its resolver, HTTP and QUIC at every start.
    """
    try:
        lines = Path(path).read_text("utf-8", "replace").splitlines()
    except OSError:
        return []
    words = [line.split() for line in lines]
    named = [one[1] for one in words if len(one) > 1 and one[0] == "nameserver"]
    return [address for address in named if _is_address(address)]


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
