"""A scripted name server on loopback, over UDP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

from tests.support.ports import LOOPBACK, free_port

Zone = Mapping[str, Mapping[str, Iterable[str]]]


class NameServer(asyncio.DatagramProtocol):
    """Answers from `zone` (name to record type to records as in zone files); a name that is not
    there, nor above one that is, does not exist.  `mood` makes it silent or broken, `moods` for
    questions of one type."""

    def __init__(self, zone: Zone, ttl: int = 60) -> None:
        self.zone = zone
        self.ttl = ttl
        self.mood = "well"
        """`well`, `silent`, `broken` (SERVFAIL), `cut` (the answer does not fit)."""
        self.moods: dict[str, str] = {}
        self.soa = True
        """Whether "there is none" comes with the SOA that says for how long."""
        self.asked: list[tuple[str, str]] = []
        self.port = 0
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self._transport = transport
        self.port = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        query = dns.message.from_wire(data)
        name = query.question[0].name.to_text(omit_final_dot=True).lower()
        kind = dns.rdatatype.to_text(query.question[0].rdtype)
        self.asked.append((name, kind))
        mood = self.moods.get(kind, self.mood)
        if mood != "silent" and self._transport is not None:
            self._transport.sendto(self.answer(query, mood).to_wire(), addr)

    def answer(self, query: dns.message.Message, mood: str = "well") -> dns.message.Message:
        """What is said to a question."""
        name = query.question[0].name.to_text(omit_final_dot=True).lower()
        kind = dns.rdatatype.to_text(query.question[0].rdtype)
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.RA
        if mood == "broken":
            answer.set_rcode(dns.rcode.SERVFAIL)
            return answer
        if mood == "cut":
            answer.flags |= dns.flags.TC
            return answer
        exists = any(one == name or one.endswith("." + name) for one in self.zone)
        records = list(self.zone.get(name, {}).get(kind, ()))
        if records:
            answer.answer.append(dns.rrset.from_text(name + ".", self.ttl, "IN", kind, *records))
            return answer
        if not exists:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        if self.soa:
            soa = f". . 1 60 60 60 {self.ttl}"
            answer.authority.append(dns.rrset.from_text(".", self.ttl, "IN", "SOA", soa))
        return answer

    def names(self, kind: str) -> list[str]:
        """The names asked for with this type so far."""
        return [name for name, asked in self.asked if asked == kind]


@asynccontextmanager
async def nameserver(zone: Zone, ttl: int = 60) -> AsyncIterator[NameServer]:
    """A name server that runs for the length of a block."""
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(
        lambda: NameServer(zone, ttl), local_addr=(LOOPBACK, free_port())
    )
    try:
        yield server
    finally:
        transport.close()
