"""Where a request for a URI goes: the choices of RFC 3263 (and RFC 2782) as plain functions.

Nothing here asks anybody.  `questions` says what must be known, the caller finds out, and once
nothing is missing `targets` puts the answers in order:

    known: dict[Question, Records] = {}
    while missing := questions(uri, kinds, known):
        known.update(...)  # ask; an empty tuple where there is nothing
    found = targets(uri, kinds, known, draw)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from pjreg_cli.errors import excerpt
from pjreg_cli.sip.address import bracketed, is_numeric

#: default ports (RFC 3261 section 19.1.2)
PORTS = {"udp": 5060, "tcp": 5060, "tls": 5061, "ws": 80, "wss": 443}
#: where the SRV records of a protocol are (RFC 3263 section 4.1)
_PREFIXES = {"tls": "_sips._tcp.", "tcp": "_sip._tcp.", "udp": "_sip._udp."}
#: without NAPTR those with SRV records and a transport are tried in this order
_PREFERENCE = ("tls", "tcp", "udp")
#: what the service field of a NAPTR record means (RFC 3263 section 4.1)
_SERVICES = {"SIP+D2U": "udp", "SIP+D2T": "tcp", "SIPS+D2T": "tls"}


class Target(NamedTuple):
    """One place a request may be sent to (RFC 3263 section 4.2)."""

    protocol: str
    """`udp`, `tcp` or `tls`."""
    host: str
    """Numeric; IPv6 without brackets."""
    port: int
    name: str
    """The domain or address of the URI: what a TLS certificate must be made out to (RFC 5922)."""

    @property
    def version(self) -> int:
        """The version of IP, 4 or 6."""
        return 6 if ":" in self.host else 4

    def __str__(self) -> str:
        return f"{self.protocol}:{bracketed(self.host)}:{self.port}"


class TransportKind(NamedTuple):
    """A protocol and a version of IP for which there is a transport."""

    protocol: str
    version: int


@dataclass(frozen=True, slots=True)
class TransportKinds:
    """The protocols and versions of IP by which requests can leave."""

    offered: frozenset[TransportKind]
    forced: str = ""
    """The protocol of the transport that `transport=` names; empty without one.  `kinds` then has
    that transport's only."""


class Locatable(Protocol):
    """As much of a SIP URI as decides where its requests go."""

    @property
    def scheme(self) -> str: ...
    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int | None: ...
    def parameter(self, name: str, /) -> str | None: ...


class Question(NamedTuple):
    """A name, lower case and without the final dot, and a record type: A, AAAA, SRV, NAPTR."""

    name: str
    kind: str


class Srv(NamedTuple):
    """An SRV record (RFC 2782)."""

    priority: int
    weight: int
    port: int
    target: str


class Naptr(NamedTuple):
    """A NAPTR record (RFC 3403)."""

    order: int
    preference: int
    flags: str
    service: str
    replacement: str


Records = tuple[str, ...] | tuple[Srv, ...] | tuple[Naptr, ...]
"""What answers a question: addresses, SRV or NAPTR records; empty when there are none."""
Known = Mapping[Question, Records]


class _Plan(NamedTuple):
    """What the URI itself says: who to ask, and by which protocol it must be."""

    host: str
    port: int | None
    protocol: str
    """Demanded; empty when DNS may choose."""
    conflict: str
    """Why there can be no target; empty when there can."""


def impossible(uri: Locatable, kinds: TransportKinds) -> str:
    """Why requests for `uri` can never leave, whatever DNS says; empty when they may.

    No transport has the protocol the URI demands, none the family of its numeric address, or the
    transport that is named contradicts the URI.
    """
    plan = _plan(uri, kinds)
    if plan.conflict:
        return plan.conflict
    if is_numeric(plan.host):
        kind = TransportKind(plan.protocol or "udp", 6 if ":" in plan.host else 4)
        if kind not in kinds.offered:
            return f"no transport for {kind.protocol} over IPv{kind.version}"
    elif plan.protocol and not _versions(plan.protocol, kinds):
        return f"no transport for {plan.protocol}"
    return ""


def questions(uri: Locatable, kinds: TransportKinds, known: Known) -> tuple[Question, ...]:
    """What must be found out before `targets` can decide, all of which may be asked at once; empty
    when nothing is missing (RFC 3263 sections 4.1 and 4.2)."""
    plan = _plan(uri, kinds)
    if plan.conflict or is_numeric(plan.host):
        return ()
    wanted = list(_first_questions(plan, kinds))
    if plan.port is None and not any(question not in known for question in wanted):
        for protocol, srv in _services(plan, kinds, known):
            wanted.append(srv)
            for record in _srv(known, srv):
                # the root as target says that the service does not exist (RFC 2782)
                if record.target.rstrip(".") and not is_numeric(record.target):
                    wanted += _address_questions(record.target, protocol, kinds)
    return tuple(dict.fromkeys(question for question in wanted if question not in known))


def targets(
    uri: Locatable, kinds: TransportKinds, known: Known, draw: Callable[[], float]
) -> tuple[Target, ...]:
    """All places to try, best first; empty when there are none.

    What `known` lacks counts as not existing.  `draw` gives numbers in [0, 1); it decides among
    SRV records of one priority (RFC 2782).
    """
    plan = _plan(uri, kinds)
    if plan.conflict:
        return ()
    if is_numeric(plan.host):
        return tuple(_at(plan.host, plan.protocol or "udp", plan.port, plan.host, kinds, known))
    found: list[Target] = []
    if plan.port is None:
        served = False
        for protocol, question in _services(plan, kinds, known):
            records = _srv(known, question)
            served = served or bool(records)
            for record in by_priority(records, draw):
                found += _at(record.target, protocol, record.port, plan.host, kinds, known)
        if served:
            return tuple(dict.fromkeys(found))
    return tuple(_at(plan.host, plan.protocol or "udp", plan.port, plan.host, kinds, known))


def by_priority(records: Iterable[Srv], draw: Callable[[], float]) -> list[Srv]:
    """SRV records in the order in which to try them (RFC 2782, "Usage rules"): the lowest priority
    first, among equals at random with chances as their weights."""
    groups: dict[int, list[Srv]] = {}
    for record in records:
        groups.setdefault(record.priority, []).append(record)
    ordered: list[Srv] = []
    for _, group in sorted(groups.items()):
        # those of weight 0 come first, so that they have a small chance
        group.sort(key=lambda record: record.weight != 0)
        while group:
            ordered.append(group.pop(_drawn(group, draw)))
    return ordered


def _drawn(group: list[Srv], draw: Callable[[], float]) -> int:
    """The index of the one chosen next."""
    if len(group) == 1:
        return 0
    point = int(draw() * (sum(record.weight for record in group) + 1))
    reached = 0
    for index, record in enumerate(group):
        reached += record.weight
        if reached >= point:
            return index
    return len(group) - 1


def _plan(uri: Locatable, kinds: TransportKinds) -> _Plan:
    """Read the URI (RFC 3263 section 4.1): `maddr`, scheme, `;transport=` and our own transport."""
    host = (uri.parameter("maddr") or uri.host).strip("[]").rstrip(".").lower()
    stated = (uri.parameter("transport") or "").lower()
    if uri.scheme.lower() == "sips":
        # sips means TLS; `;transport=tcp` there means TLS over TCP (RFC 3261 section 26.2.2)
        demanded, conflict = "tls", "sips cannot go over udp" if stated == "udp" else ""
    else:
        demanded, conflict = stated, ""
    protocol = demanded or kinds.forced
    if protocol and protocol not in _PREFIXES:
        conflict = f"transport {excerpt(protocol)} is not offered"
    elif kinds.forced and demanded and demanded != kinds.forced:
        conflict = f"the URI asks for {demanded}, the transport that is named is {kinds.forced}"
    return _Plan(host, uri.port, protocol, conflict)


def _first_questions(plan: _Plan, kinds: TransportKinds) -> Iterable[Question]:
    """What can be asked without knowing anything."""
    if plan.port is None and plan.protocol:
        yield Question(_PREFIXES[plan.protocol] + plan.host, "SRV")
    elif plan.port is None:
        yield Question(plan.host, "NAPTR")
        # origin: all three are asked for, whatever transports there are
        for protocol in _PREFERENCE:
            yield Question(_PREFIXES[protocol] + plan.host, "SRV")
    # asked at once although SRV may make them needless: most names have no SRV, and a silent name
    # server is waited for only once
    yield from _address_questions(plan.host, plan.protocol or "udp", kinds)


def _address_questions(name: str, protocol: str, kinds: TransportKinds) -> list[Question]:
    host = name.rstrip(".").lower()
    types = {6: "AAAA", 4: "A"}
    return [Question(host, types[version]) for version in _versions(protocol, kinds)]


def _versions(protocol: str, kinds: TransportKinds) -> list[int]:
    """The versions of IP a protocol has transports for; 6 comes first (RFC 6724)."""
    return [version for version in (6, 4) if TransportKind(protocol, version) in kinds.offered]


def _services(plan: _Plan, kinds: TransportKinds, known: Known) -> list[tuple[str, Question]]:
    """The SRV names that count, best first, each with its protocol (RFC 3263 section 4.1)."""
    if plan.protocol:
        usual = [plan.protocol]
    else:
        if led := _led(known.get(Question(plan.host, "NAPTR"), ()), kinds):
            return led
        usual = [protocol for protocol in _PREFERENCE if _versions(protocol, kinds)]
    return [(protocol, Question(_PREFIXES[protocol] + plan.host, "SRV")) for protocol in usual]


def _led(records: Records, kinds: TransportKinds) -> list[tuple[str, Question]]:
    """Where NAPTR records lead: those of the lowest order of which one can be used, by preference
    (RFC 3403 section 4.1, RFC 3263 section 4.1)."""
    usable: list[tuple[int, int, str, Question]] = []
    for record in records:
        if not isinstance(record, Naptr):
            continue
        protocol = _SERVICES.get(record.service.upper(), "")
        name = record.replacement.rstrip(".").lower()
        if record.flags.lower() == "s" and name and protocol and _versions(protocol, kinds):
            row = (record.order, record.preference, protocol, Question(name, "SRV"))
            usable.append(row)
    lowest = min((order for order, *_ in usable), default=0)
    usable.sort(key=lambda row: row[:2])
    return [(protocol, srv) for order, _, protocol, srv in usable if order == lowest]


def _srv(known: Known, question: Question) -> list[Srv]:
    return [record for record in known.get(question, ()) if isinstance(record, Srv)]


def _at(
    host: str, protocol: str, port: int | None, name: str, kinds: TransportKinds, known: Known
) -> Iterable[Target]:
    """The targets at one host: its addresses of every family for which there is a transport."""
    number = PORTS[protocol] if port is None else port
    if is_numeric(host):
        target = Target(protocol, host, number, name)
        if TransportKind(protocol, target.version) in kinds.offered:
            yield target
        return
    for question in _address_questions(host, protocol, kinds):
        for address in known.get(question, ()):
            if isinstance(address, str):
                yield Target(protocol, address, number, name)
