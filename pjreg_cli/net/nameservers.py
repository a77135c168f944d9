"""Which name server is asked, and what its answer means; knows nothing of caches."""

from __future__ import annotations

import asyncio
import ipaddress
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

import dns.exception
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdatatype
import dns.rdtypes.ANY.SOA
import dns.rdtypes.IN.A
import dns.rdtypes.IN.AAAA
import dns.rdtypes.IN.NAPTR
import dns.rdtypes.IN.SRV

from pjreg_cli.errors import ResolveError, excerpt
from pjreg_cli.net import dns_client
from pjreg_cli.sip.address import Address
from pjreg_cli.sip.locate import Naptr, Question, Records, Srv

if TYPE_CHECKING:
    from pjreg_cli.config.other_files import Resolver as Settings

#: how long a look-up may take in all, how long one try waits, and what is no try, in seconds
LIFETIME_S = 17.0
_TRY_S = 3.0
_SHORTEST_S = 0.01
#: how long a server that was silent or refused is asked after the others, at first and at most, and
#: how long it then has to answer the first time, in seconds
_REST_S = 30.0
_LONGEST_REST_S = 900.0
_PROBE_S = 1.0
#: longest time an answer is kept, positive and negative (RFC 2308 section 5), in seconds
_LONGEST_S = 86_400.0
_LONGEST_NEGATIVE_S = 3_600.0
#: for a negative answer without SOA, which is not to be cached (RFC 2308 section 5): long enough to
#: answer those who ask at the same time
_NEGATIVE_S = 1.0
#: what settles a question; any other code is the server's own trouble
_DEFINITE = (dns.rcode.NOERROR, dns.rcode.NXDOMAIN)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a name server said for certain."""

    records: Records
    ttl_s: float
    exists: bool = True
    """False when there is no such name at all."""


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
        query = _query(question)
        clock = asyncio.get_running_loop().time
        ends_at = clock() + self._lifetime_s
        failures: dict[Address, str] = {}
        # only silence is worth another round: a datagram may have been lost
        while not failures:
            for server in self._in_order(clock()):
                patience_s = min(self._patience_s(server), ends_at - clock())
                if patience_s < _SHORTEST_S:
                    why = f"{question.name}: no answer from any name server"
                    raise ResolveError(why, result="silent")
                try:
                    async with asyncio.timeout(patience_s):
                        response = await dns_client.ask(server, query)
                except TimeoutError:
                    self._failed(server, clock())
                    continue
                except OSError as error:
                    self._failed(server, clock())
                    failures[server] = error.strerror or str(error)
                    continue
                self._resting.pop(server, None)
                if response.rcode() in _DEFINITE:
                    return _answer(question, response)
                failures[server] = dns.rcode.to_text(response.rcode())
        server, why = next(reversed(failures.items()))
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


def _query(question: Question) -> dns.message.QueryMessage:
    try:
        name = dns.name.from_text(question.name)
        return dns.message.make_query(name, question.kind)
    except (dns.exception.DNSException, ValueError) as error:
        failure = excerpt(str(error))
        raise ResolveError(f"{excerpt(question.name)}: {failure}", result=failure) from error


def _answer(question: Question, response: dns.message.QueryMessage) -> Answer:
    """What a response that is definite says; raises ResolveError."""
    try:
        chain = response.resolve_chaining()
    except dns.exception.DNSException as error:
        failure = excerpt(str(error))
        why = f"{question.name}: look-up failed: {failure}"
        raise ResolveError(why, result=failure) from error
    if chain.answer is not None:
        return Answer(_records(question, list(chain.answer)), min(chain.minimum_ttl, _LONGEST_S))
    exists = response.rcode() != dns.rcode.NXDOMAIN
    ends_s = [_negative_ttl_s(response), *(alias.ttl for alias in chain.cnames)]
    return Answer((), float(min(*ends_s, _LONGEST_NEGATIVE_S)), exists)


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


def _negative_ttl_s(response: dns.message.Message) -> float:
    """How long "there is none" holds: by the SOA that came with it (RFC 2308 section 5)."""
    for records in response.authority:
        if records.rdtype == dns.rdatatype.SOA and isinstance(records[0], dns.rdtypes.ANY.SOA.SOA):
            return float(min(records.ttl, records[0].minimum))
    return _NEGATIVE_S


def _records(question: Question, answers: list[dns.rdata.Rdata]) -> Records:
    """dnspython's records as ours."""
    if question.kind == "SRV":
        return tuple(
            Srv(one.priority, one.weight, one.port, _text(one.target))
            for one in answers
            if isinstance(one, dns.rdtypes.IN.SRV.SRV)
        )
    if question.kind == "NAPTR":
        return tuple(
            Naptr(
                one.order,
                one.preference,
                one.flags.decode("ascii", "replace"),
                one.service.decode("ascii", "replace"),
                _text(one.replacement),
            )
            for one in answers
            if isinstance(one, dns.rdtypes.IN.NAPTR.NAPTR)
        )
    return tuple(
        one.address
        for one in answers
        if isinstance(one, dns.rdtypes.IN.A.A | dns.rdtypes.IN.AAAA.AAAA)
    )


def _text(name: dns.name.Name) -> str:
    """A name as `Question` has it; the root is empty."""
    return name.to_text(omit_final_dot=True).rstrip(".").lower()
