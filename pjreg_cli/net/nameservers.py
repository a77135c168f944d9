"""Asks name servers, by dnspython; knows nothing of caches."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import dns.asyncresolver
import dns.exception
import dns.message
import dns.name
import dns.nameserver
import dns.rcode
import dns.rdata
import dns.rdtypes.IN.A
import dns.rdtypes.IN.AAAA
import dns.rdtypes.IN.NAPTR
import dns.rdtypes.IN.SRV
import dns.resolver
import dns.ttl

from pjreg_cli.errors import ResolveError, excerpt
from pjreg_cli.sip.locate import Naptr, Question, Records, Srv

if TYPE_CHECKING:
    from pjreg_cli.config.other_files import Resolver as Settings

#: how long a look-up may take in all, and how long one try waits, in seconds
LIFETIME_S = 17.0
_TRY_S = 3.0
#: longest time an answer is kept, positive and negative (RFC 2308 section 5), in seconds
_LONGEST_S = 86_400.0
_LONGEST_NEGATIVE_S = 3_600.0
#: for a negative answer without SOA, which is not to be cached (RFC 2308 section 5): long enough to
#: answer those who ask at the same time
_NEGATIVE_S = 1.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a name server said for certain."""

    records: Records
    ttl_s: float
    exists: bool = True
    """False when there is no such name at all."""


class NameServers(Protocol):
    """Somebody who can be asked."""

    async def ask(self, question: Question) -> Answer:
        """Find the records; raises ResolveError when nobody gives a definite answer."""
        ...


class DnsNameServers:
    """The name servers of resolver_unbound.conf and, unless switched off, of resolv.conf."""

    def __init__(self, settings: Settings, lifetime_s: float = LIFETIME_S) -> None:
        self._settings = settings
        self._lifetime_s = lifetime_s
        self._stamp: int | None = None
        self._stub = self._made()

    async def ask(self, question: Question) -> Answer:
        """Ask one server after the other until one answers or the time is over."""
        self._refresh()
        if not self._stub.nameservers:
            raise ResolveError(f"{question.name} cannot be looked up: no name server is configured")
        try:
            name = dns.name.from_text(question.name)
            found = await self._stub.resolve(
                name, question.kind, raise_on_no_answer=False, search=False
            )
        except dns.resolver.NXDOMAIN as error:
            # the type of its responses is not declared
            responses: dict[object, dns.message.Message] = error.kwargs["responses"]
            return Answer((), _negative_ttl_s(responses.values()), exists=False)
        except dns.exception.Timeout as error:
            raise ResolveError(f"{question.name}: no answer from any name server") from error
        except dns.resolver.NoNameservers as error:
            why = f"look-up failed: {_last_failure(error)}"
            raise ResolveError(f"{question.name}: {why}") from error
        except (dns.exception.DNSException, OSError, ValueError) as error:
            raise ResolveError(f"{excerpt(question.name)}: {excerpt(str(error))}") from error
        if found.rrset is None:
            return Answer((), _negative_ttl_s([found.response]))
        ttl_s = min(float(found.chaining_result.minimum_ttl), _LONGEST_S)
        return Answer(_records(question, list(found.rrset)), ttl_s)

    def _refresh(self) -> None:
        """Follow a resolv.conf that has changed."""
        if self._settings.resolv and _stamp(self._settings.resolv_file) != self._stamp:
            self._stub = self._made()

    def _made(self) -> dns.asyncresolver.Resolver:
        stub = dns.asyncresolver.Resolver(configure=False)
        servers = list(self._settings.nameservers)
        if self._settings.resolv:
            self._stamp = _stamp(self._settings.resolv_file)
            servers += [(address, 53) for address in _system(self._settings.resolv_file)]
        stub.nameservers = [
            dns.nameserver.Do53Nameserver(address, port) for address, port in dict.fromkeys(servers)
        ]
        stub.lifetime, stub.timeout = self._lifetime_s, _TRY_S
        return stub


def _last_failure(error: dns.resolver.NoNameservers) -> str:
    """What the last name server had to say: a response code, or why it could not be asked."""
    errors: list[tuple[object, ...]] = error.kwargs.get("errors") or []
    if not errors:
        return excerpt(str(error))
    server, *_, cause, response = errors[-1]
    if isinstance(response, dns.message.Message):
        cause = dns.rcode.to_text(response.rcode())
    return excerpt(f"{server} {cause}")


def _stamp(path: str) -> int | None:
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return None


def _system(path: str) -> list[str]:
    """The addresses in a resolv.conf; none when it cannot be read."""
    try:
        found = dns.resolver.Resolver(filename=path).nameservers
    except (dns.exception.DNSException, OSError):
        return []
    texts = [str(server) for server in found]
    return [text for text in texts if _is_address(text)]


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _negative_ttl_s(responses: Iterable[dns.message.Message]) -> float:
    """How long "there is none" holds: by the SOA that came with it (RFC 2308 section 5)."""
    found = [_LONGEST_NEGATIVE_S]
    for response in responses:
        if not isinstance(response, dns.message.QueryMessage):
            continue
        ttl = response.resolve_chaining().minimum_ttl
        found.append(_NEGATIVE_S if ttl >= dns.ttl.MAX_TTL else float(ttl))
    return min(found)


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
