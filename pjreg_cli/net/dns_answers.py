"""Questions and answers as dnspython has them, and what they mean."""

from __future__ import annotations

from dataclasses import dataclass

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
from pjreg_cli.sip.locate import Naptr, Question, Records, Srv

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


def query(question: Question) -> dns.message.QueryMessage:
    """The question as a message; raises ResolveError for what is no name."""
    try:
        name = dns.name.from_text(question.name)
        return dns.message.make_query(name, question.kind)
    except (dns.exception.DNSException, ValueError) as error:
        failure = excerpt(str(error))
        raise ResolveError(f"{excerpt(question.name)}: {failure}", result=failure) from error


def is_definite(response: dns.message.Message) -> bool:
    """Whether a response settles its question."""
    return response.rcode() in _DEFINITE


def code(response: dns.message.Message) -> str:
    """The response code by its name."""
    return dns.rcode.to_text(response.rcode())


def answer(question: Question, response: dns.message.QueryMessage) -> Answer:
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
