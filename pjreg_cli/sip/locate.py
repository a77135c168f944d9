"""Where a request for a URI goes: the choices of RFC 3263 (and RFC 2782) as plain functions.

Nothing here asks anybody.  `questions` says what must be known, the caller finds out, and once
nothing is missing `choice` puts the answers in order:

    known: dict[Question, Records] = {}
    while missing := questions(uri, kinds, known):
        known.update(...)  # ask; an empty tuple where there is nothing
    if not objection(uri, kinds, known, failed):
        found = choice(uri, kinds, known).drawn(draw)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
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


class TransportKinds(NamedTuple):
    """The protocols and versions of IP by which requests can leave."""

    offered: frozenset[TransportKind]
    forced: str = ""
    """The protocol of the transport that `transport=` names; empty without one.  `offered` then has
    that transport's only."""
    failed: tuple[tuple[TransportKind, str], ...] = ()
    """What is configured and could not be opened, and why."""

    def lacking(self, protocol: str, version: int = 0) -> str:
        """That there is no transport of a kind (0: of either version of IP), in words."""
        family = f" over IPv{version}" if version else ""
        for kind, why in self.failed:
            if kind.protocol == protocol and version in (0, kind.version):
                return f"no transport for {protocol}{family}: {why}"
        return f"no transport for {protocol}{family}"


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


class Candidate(NamedTuple):
    """One host that serves, with its place among others (RFC 2782)."""

    priority: int
    weight: int
    targets: tuple[Target, ...]
    """Its addresses."""


class Choice(NamedTuple):
    """The hosts that serve: of each service (the preferred first) those that DNS names."""

    services: tuple[tuple[Candidate, ...], ...] = ()

    def drawn(
        self, draw: Callable[[], float], favourite: Target | None = None
    ) -> tuple[Target, ...]:
        """All places to try, best first; empty when there are none.

        `draw` gives numbers in [0, 1); it decides among hosts of one priority, unless `favourite`
        is at one of them: that one comes first of its priority.
        """
        if len(self.services) == 1 and len(self.services[0]) == 1:
            only = self.services[0][0].targets
            if len(only) < 2:
                return only
        found: list[Target] = []
        for candidates in self.services:
            for candidate in by_priority(candidates, draw, favourite):
                if favourite is not None and favourite in candidate.targets:
                    found.append(favourite)
                found += candidate.targets
        return tuple(dict.fromkeys(found))


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
        return "" if kind in kinds.offered else kinds.lacking(*kind)
    if plan.protocol and not _versions(plan.protocol, kinds):
        return kinds.lacking(plan.protocol)
    return ""


def questions(uri: Locatable, kinds: TransportKinds, known: Known) -> tuple[Question, ...]:
    """What must be found out before `choice` can decide, all of which may be asked at once; empty
    when nothing is missing (RFC 3263 sections 4.1 and 4.2)."""
    plan = _plan(uri, kinds)
    if plan.conflict or is_numeric(plan.host):
        return ()
    wanted = list(_first_questions(plan, kinds))
    if plan.port is None and not any(question not in known for question in wanted):
        services = _services(plan, kinds, known)
        for protocol, srv in services:
            wanted.append(srv)
            for record in _srv(known, srv):
                # the root as target says that the service does not exist (RFC 2782)
                if record.target.rstrip(".") and not is_numeric(record.target):
                    wanted += _address_questions(record.target, protocol, kinds)
        if not any(known.get(srv, (srv,)) for _, srv in services):
            wanted += _address_questions(plan.host, _default(plan, kinds, known), kinds)
    return tuple(dict.fromkeys(question for question in wanted if question not in known))


def objection(
    uri: Locatable, kinds: TransportKinds, known: Known, failed: Mapping[Question, str]
) -> str:
    """Why no choice may be made by what is known; empty when one may.

    A look-up that failed (`failed` says why) does not mean that there is nothing: the service may
    well be elsewhere, or secure.  And what DNS wants to go over TLS never leaves in clear (RFC 3263
    section 4.1).
    """
    plan = _plan(uri, kinds)
    if plan.conflict or plan.port is not None or is_numeric(plan.host):
        return ""
    if _wants_tls(plan, kinds, known):
        return f"DNS wants TLS, and there is {kinds.lacking('tls')}"
    unknown = ""
    for protocol, question in _services(plan, kinds, known):
        if _srv(known, question):
            return ""
        unknown = unknown or failed.get(question, "")
        if protocol == "tls" and unknown:
            break
    return unknown


def choice(uri: Locatable, kinds: TransportKinds, known: Known) -> Choice:
    """The places to try; what `known` lacks counts as not existing."""
    plan = _plan(uri, kinds)
    if plan.conflict:
        return Choice()
    protocol, served = plan.protocol or "udp", []
    if plan.port is None and not is_numeric(plan.host):
        if _wants_tls(plan, kinds, known):
            return Choice()
        protocol = _default(plan, kinds, known)
        for service, question in _services(plan, kinds, known):
            if records := _srv(known, question):
                hosts = [_candidate(one, service, plan.host, kinds, known) for one in records]
                served.append(tuple(hosts))
    if served:
        return Choice(tuple(served))
    itself = _at(plan.host, protocol, plan.port, plan.host, kinds, known)
    return Choice(((Candidate(0, 0, itself),),))


def _candidate(
    record: Srv, protocol: str, name: str, kinds: TransportKinds, known: Known
) -> Candidate:
    found = _at(record.target, protocol, record.port, name, kinds, known)
    return Candidate(record.priority, record.weight, found)


def by_priority(
    candidates: Iterable[Candidate], draw: Callable[[], float], favourite: Target | None = None
) -> list[Candidate]:
    """Hosts in the order in which to try them (RFC 2782, "Usage rules"): the lowest priority first,
    among equals the favourite's, then at random with chances as their weights."""
    groups: dict[int, list[Candidate]] = {}
    for candidate in candidates:
        groups.setdefault(candidate.priority, []).append(candidate)
    ordered: list[Candidate] = []
    for _, group in sorted(groups.items()):
        # those of weight 0 come first, so that they have a small chance
        group.sort(key=lambda candidate: candidate.weight != 0)
        for index, candidate in enumerate(group):
            if favourite is not None and favourite in candidate.targets:
                ordered.append(group.pop(index))
                break
        while group:
            ordered.append(group.pop(_drawn(group, draw)))
    return ordered


def _drawn(group: list[Candidate], draw: Callable[[], float]) -> int:
    """The index of the one chosen next."""
    if len(group) == 1:
        return 0
    point = int(draw() * (sum(candidate.weight for candidate in group) + 1))
    reached = 0
    for index, candidate in enumerate(group):
        reached += candidate.weight
        if reached >= point:
            return index
    return len(group) - 1


def _plan(uri: Locatable, kinds: TransportKinds) -> _Plan:
    """Read the URI (RFC 3263 section 4.1): `maddr`, scheme, `;transport=` and our own transport."""
    host = (uri.parameter("maddr") or uri.host).strip("[]").rstrip(".").lower()
    demanded, conflict = (uri.parameter("transport") or "").lower(), ""
    if uri.scheme.lower() == "sips":
        # sips means TLS; `;transport=tcp` there means TLS over TCP (RFC 3261 section 26.2.2)
        conflict = "sips cannot go over udp" if demanded == "udp" else ""
        demanded = "tls"
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
    return [Question(host, "AAAA" if one == 6 else "A") for one in _versions(protocol, kinds)]


def _versions(protocol: str, kinds: TransportKinds) -> list[int]:
    """The versions of IP a protocol has transports for; 6 comes first (RFC 6724)."""
    return [version for version in (6, 4) if TransportKind(protocol, version) in kinds.offered]


def _services(plan: _Plan, kinds: TransportKinds, known: Known) -> list[tuple[str, Question]]:
    """The SRV names that count, best first, each with its protocol (RFC 3263 section 4.1)."""
    usual = [plan.protocol]
    if not plan.protocol:
        if led := _led(_naptr(plan, known), kinds):
            return led
        usual = [protocol for protocol in _PREFERENCE if _versions(protocol, kinds)]
    return [(protocol, Question(_PREFIXES[protocol] + plan.host, "SRV")) for protocol in usual]


def _default(plan: _Plan, kinds: TransportKinds, known: Known) -> str:
    """The protocol where no SRV record tells: what the URI or NAPTR wants, else UDP."""
    led = [] if plan.protocol else _led(_naptr(plan, known), kinds)
    return led[0][0] if led else plan.protocol or "udp"


def _wants_tls(plan: _Plan, kinds: TransportKinds, known: Known) -> bool:
    """Whether DNS leads to TLS, for which there is no transport: NAPTR knows nothing else, or there
    would be a transport had it not failed to open."""
    if plan.protocol or _versions("tls", kinds):
        return False
    offers = {_SERVICES[record.service.upper()] for record in _naptr(plan, known) if _leads(record)}
    if offers == {"tls"}:
        return True
    if not any(kind.protocol == "tls" for kind, _ in kinds.failed):
        return False
    srv = _srv(known, Question(_PREFIXES["tls"] + plan.host, "SRV"))
    return "tls" in offers or (not offers and any(one.target.rstrip(".") for one in srv))


def _leads(record: Naptr) -> bool:
    """Whether a NAPTR record is about SIP, and leads to SRV records (RFC 3263 section 4.1)."""
    known = record.service.upper() in _SERVICES
    return known and record.flags.lower() == "s" and bool(record.replacement.rstrip("."))


def _naptr(plan: _Plan, known: Known) -> list[Naptr]:
    records = known.get(Question(plan.host, "NAPTR"), ())
    return [record for record in records if isinstance(record, Naptr)]


def _led(records: list[Naptr], kinds: TransportKinds) -> list[tuple[str, Question]]:
    """Where NAPTR records lead: those of the lowest order of which one can be used, by preference
    (RFC 3403 section 4.1, RFC 3263 section 4.1)."""
    usable: list[tuple[int, int, str, Question]] = []
    for record in records:
        protocol = _SERVICES.get(record.service.upper(), "")
        if _leads(record) and _versions(protocol, kinds):
            srv = Question(record.replacement.rstrip(".").lower(), "SRV")
            usable.append((record.order, record.preference, protocol, srv))
    lowest = min((order for order, *_ in usable), default=0)
    usable.sort(key=lambda row: row[:2])
    return [(protocol, srv) for order, _, protocol, srv in usable if order == lowest]


def _srv(known: Known, question: Question) -> list[Srv]:
    return [record for record in known.get(question, ()) if isinstance(record, Srv)]


def _at(
    host: str, protocol: str, port: int | None, name: str, kinds: TransportKinds, known: Known
) -> tuple[Target, ...]:
    """The targets at one host: its addresses of every family for which there is a transport."""
    number = PORTS[protocol] if port is None else port
    addresses = [host]
    if not is_numeric(host):
        answers = [known.get(one, ()) for one in _address_questions(host, protocol, kinds)]
        addresses = [one for records in answers for one in records if isinstance(one, str)]
    found = (Target(protocol, address, number, name) for address in addresses)
    return tuple(one for one in found if TransportKind(protocol, one.version) in kinds.offered)
