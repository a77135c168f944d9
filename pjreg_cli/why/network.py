"""Causes on the way: names, transports, connections, TLS, silence."""

from __future__ import annotations

from collections.abc import Sequence

from pjreg_cli.api.findings import Fix
from pjreg_cli.why.case import Case, inert, span
from pjreg_cli.why.cause import Cause, section_of, theirs, was_refused

#: what the reasons of a transport are about
_OPTIONS = (
    ("authorities in", "ca_list_file"),
    ("certificate in", "cert_file"),
    ("method", "method"),
    ("cipher", "cipher"),
)


# -- names ------------------------------------------------------------------------------------


def _unresolved(case: Case) -> bool:
    return case.kind == "unresolved"


def _failed_look_ups(case: Case) -> list[str]:
    return [one.result for one in case.asked if one.failed]


def _records(case: Case, kind: str) -> list[str]:
    return [one.result for one in case.asked if one.kind == kind and one.found]


def silent_server(case: Case) -> bool:
    """a look-up got no answer from any name server"""
    return _unresolved(case) and "silent" in _failed_look_ups(case)


def failed_server(case: Case) -> bool:
    """a name server answered SERVFAIL or REFUSED, or there is none to ask"""
    return _unresolved(case) and bool(_failed_look_ups(case))


def no_service(case: Case) -> bool:
    """an SRV record whose target is `.` (RFC 2782)"""
    return _unresolved(case) and any(text.startswith(".:") for text in _records(case, "SRV"))


def srv_target_missing(case: Case) -> bool:
    """SRV records, but none of their targets has an address"""
    return _unresolved(case) and bool(_records(case, "SRV"))


def name_not_found(case: Case) -> bool:
    """every look-up answered that the name does not exist (NXDOMAIN)"""
    return (
        _unresolved(case)
        and bool(case.asked)
        and all(one.result == "NXDOMAIN" for one in case.asked if one.kind in ("A", "AAAA"))
    )


def no_address(case: Case) -> bool:
    """the name exists, without an address of a family that a transport has"""
    return _unresolved(case)


def _says_silent_server(case: Case) -> str:
    """Nobody answered the question where the registrar is."""
    return f"no name server answers the look-up of {case.host}"


def _says_failed_server(case: Case) -> str:
    """The name servers cannot, or will not, answer the question where the registrar is."""
    failures = inert(", ".join(dict.fromkeys(_failed_look_ups(case))))
    return f"the look-up of {case.host} failed: {failures}"


def _says_no_service(case: Case) -> str:
    """The domain says that it offers no SIP service by this protocol."""
    return f"{case.host} says by its SRV record that it offers no SIP over {case.protocol}"


def _says_srv_target(case: Case) -> str:
    """DNS names servers for the domain, but knows no address of any of them."""
    targets = inert(", ".join(_records(case, "SRV")))
    return f"the SRV records of {case.host} lead to names without an address: {targets}"


def _says_not_found(case: Case) -> str:
    """There is no such name in DNS."""
    return f"the name {case.host} does not exist (NXDOMAIN)"


def _says_no_address(case: Case) -> str:
    """The name is known, but leads nowhere that we can go."""
    kinds = " and ".join(dict.fromkeys(one.kind for one in case.asked if one.kind in ("A", "AAAA")))
    return f"{case.host} exists, but has no address of a kind we can use ({kinds or 'A'})"


def _fix_name_server(case: Case) -> Sequence[Fix]:
    """Repair the name servers of resolver_unbound.conf or resolv.conf, or the way to them."""
    resolver = case.settings.resolver
    servers = ", ".join(f"{host}:{port}" for host, port in resolver.nameservers)
    named = f" ({servers})" if servers else ""
    return (
        Fix(f"the name servers{named} or the way to them", "nameserver", resolver.source)
        if resolver.source
        else theirs(f"the name servers in {resolver.resolv_file} or the way to them"),
    )


def _fix_name(case: Case) -> Sequence[Fix]:
    """Correct the name in server_uri or outbound_proxy; else the domain's owner must mend it."""
    return (case.here(f"the name in {case.uri_option}", case.uri_option),)


def _fix_no_address(case: Case) -> Sequence[Fix]:
    """Add a transport of the family that the name has, or correct the name."""
    wanted = "IPv6" if all(one.kind != "AAAA" for one in case.asked) else "IPv4"
    return (
        case.here(f"the name in {case.uri_option}", case.uri_option),
        case.at(case.transport, f"or add a {case.protocol} transport for {wanted}", "bind"),
    )


def _fix_domain(case: Case) -> Sequence[Fix]:
    """The owner of the domain must mend its DNS; meanwhile name a host and port in server_uri."""
    return (
        theirs(f"the DNS of {case.host}: its owner's move"),
        case.here(f"meanwhile a host with a port in {case.uri_option}", case.uri_option),
    )


def _fix_service(case: Case) -> Sequence[Fix]:
    """Ask for another transport, or another domain: `.` is the owner's intention."""
    return (case.here(f"another name or transport in {case.uri_option}", case.uri_option),)


# -- transports -------------------------------------------------------------------------------


def transport_not_open(case: Case) -> bool:
    """the transport it needs is configured, but could not be opened"""
    return case.kind == "no-transport" and bool(_failed_transports(case))


def transport_missing(case: Case) -> bool:
    """no transport is configured for what server_uri or transport asks"""
    return case.kind == "no-transport"


def _failed_transports(case: Case) -> list[tuple[str, str]]:
    section = case.registration
    return [
        (name, why)
        for name, why in case.facts.not_open
        if (section is not None and section.transport == name)
        or (
            name in case.settings.transports
            and case.settings.transports[name].protocol == case.protocol
        )
    ]


def _says_not_open(case: Case) -> str:
    """The transport is configured, but does not work."""
    name, why = _failed_transports(case)[0]
    shown = inert(why.removeprefix(f"transport {name}: "), 200)
    return f"transport [{name}] could not be opened: {shown}"


def _says_missing(case: Case) -> str:
    """Nothing is configured that could send to this registrar."""
    why = (
        inert(case.trouble.text)
        if case.trouble is not None
        else f"no transport for {case.protocol}"
    )
    refused = case.unusable(case.protocol)
    if refused is not None:
        return f"nothing leads to the registrar: {why}; {was_refused(refused)}"
    return f"nothing is configured that leads to the registrar: {why}"


def _fix_not_open(case: Case) -> Sequence[Fix]:
    """Repair the transport's section; then restart, or reload if it has allow_reload."""
    name, why = _failed_transports(case)[0]
    section = case.settings.transports.get(name)
    option = next((option for words, option in _OPTIONS if words in why), "bind")
    return (case.at(section, f"transport [{name}], then restart", option),)


def _fix_missing(case: Case) -> Sequence[Fix]:
    """Mend the transport of that protocol that was refused, or add one, or ask for another one in
    server_uri."""
    refused = case.unusable(case.protocol)
    if refused is not None:
        return (section_of(refused),)
    section = case.registration
    option = "transport" if section is not None and section.transport else case.uri_option
    return (
        case.here(
            f"{option}, or add a section with type=transport and protocol={case.protocol}", option
        ),
    )


# -- reaching it ------------------------------------------------------------------------------


def refused(case: Case) -> bool:
    """ICMP says that nobody listens, or the TCP connection was refused"""
    return case.kind == "refused"


def unreachable(case: Case) -> bool:
    """there is no route, a router says that the host cannot be reached, or the system would not
    send"""
    return case.kind in ("unreachable", "send-failed")


def connect_timeout(case: Case) -> bool:
    """the TCP connection never came about"""
    return case.kind == "connect-timeout"


def silent(case: Case) -> bool:
    """the request was sent, and nothing came back"""
    return case.last is not None and case.heard is None and case.trouble is None


def connection_lost(case: Case) -> bool:
    """the connection was closed, reset or broken off before the answer"""
    return case.kind in ("lost", "reset", "tls")


def _says_refused(case: Case) -> str:
    """The host is there, but no SIP server at that port."""
    how = "ICMP port unreachable" if case.protocol == "udp" else "connection refused"
    return f"nobody listens at {case.target} ({how})"


def _says_unreachable(case: Case) -> str:
    """The network does not lead there; from an address of loopback it leads nowhere else."""
    why = inert(case.trouble.text) if case.trouble is not None else ""
    ours = case.transport.host if case.transport is not None else ""
    if _confined(case):
        return f"nothing leaves this host from {ours}, so not to {case.target}: {why}"
    return f"{case.target} cannot be reached: {why}"


def _confined(case: Case) -> bool:
    """Whether the transport is bound to loopback, and the target is elsewhere."""
    ours = case.transport.host if case.transport is not None else ""
    target = case.last.target.partition(":")[2].rpartition(":")[0] if case.last is not None else ""
    return _is_loopback(ours) and bool(target) and not _is_loopback(target.strip("[]"))


def _is_loopback(host: str) -> bool:
    return host == "::1" or host.startswith("127.")


def _says_connect_timeout(case: Case) -> str:
    """Whoever is there does not even accept a connection; a firewall does this, or a wrong
    address."""
    return f"no TCP connection to {case.target} came about{_after(case)}"


def _after(case: Case) -> str:
    return f" within {span(case.last.took_s)}" if case.last is not None else ""


def _says_silent(case: Case) -> str:
    """The request went out, and nothing came back: wrong address or port, a firewall, a registrar
    that is down or that ignores whom it does not know.  These cannot be told apart from here."""
    last = case.last
    sends = f"{last.sends} times" if last is not None and last.sends != 1 else "once"
    return f"nothing came back from {case.target}: sent {sends}{_after(case)}"


def _says_lost(case: Case) -> str:
    """The other side, or something on the way, hung up instead of answering."""
    if case.kind == "tls":
        return f"{case.target} broke off the TLS connection: {inert(case.trouble_text)}"
    how = "reset" if case.kind == "reset" else "closed"
    return f"{case.target} {how} the connection before it answered"


def _fix_reach(case: Case) -> Sequence[Fix]:
    """Correct host and port, or start the registrar; a firewall may answer in its place."""
    who = "proxy" if case.uri_option == "outbound_proxy" else "registrar"
    return (
        case.here(f"host and port in {case.uri_option}, if they are wrong", case.uri_option),
        theirs(f"else the {who} at {case.target} is down: its operator's move"),
    )


def _fix_unreachable(case: Case) -> Sequence[Fix]:
    """Repair the network of this host (address, route, firewall), or correct the address; a
    transport that is bound to loopback needs another `bind`."""
    if _confined(case):
        return (
            case.at(
                case.transport, "bind (0.0.0.0, or an address that leads into the network)", "bind"
            ),
            case.here(f"or the host in {case.uri_option}", case.uri_option),
        )
    return (
        theirs("the network of this host: address, route, firewall"),
        case.here(f"or the host in {case.uri_option}", case.uri_option),
        case.at(case.transport, "or the address it sends from", "bind"),
    )


def _fix_silent(case: Case) -> Sequence[Fix]:
    """Check host, port and transport; whether its OPTIONS or another account gets an answer tells a
    wrong address or firewall from a registrar that ignores this account."""
    return (
        case.here(f"host, port and transport in {case.uri_option}", case.uri_option),
        theirs(
            "a trace at the registrar tells a firewall on the way (it sees nothing) from one"
            " that ignores us (it sees our REGISTER)"
        ),
    )


def _fix_lost(case: Case) -> Sequence[Fix]:
    """The registrar's log says why it hung up; it may expect another transport or TLS."""
    tls = ", if it speaks TLS for instance" if case.protocol == "tcp" else ""
    return (
        theirs(f"the log of {case.target} says why it hung up: its operator's move"),
        case.here(f"or the port or transport in {case.uri_option}{tls}", case.uri_option),
    )


# fmt: off
NAMES: Sequence[Cause] = (
    Cause("name-server-silent", silent_server, _says_silent_server, _fix_name_server),
    Cause("name-server-failed", failed_server, _says_failed_server, _fix_name_server),
    Cause("no-service", no_service, _says_no_service, _fix_service),
    Cause("srv-target-missing", srv_target_missing, _says_srv_target, _fix_domain),
    Cause("name-not-found", name_not_found, _says_not_found, _fix_name),
    Cause("no-address", no_address, _says_no_address, _fix_no_address),
    Cause("transport-not-open", transport_not_open, _says_not_open, _fix_not_open),
    Cause("transport-missing", transport_missing, _says_missing, _fix_missing),
)
NETWORK: Sequence[Cause] = (
    Cause("refused", refused, _says_refused, _fix_reach),
    Cause("unreachable", unreachable, _says_unreachable, _fix_unreachable),
    Cause("connect-timeout", connect_timeout, _says_connect_timeout, _fix_reach),
    Cause("connection-lost", connection_lost, _says_lost, _fix_lost),
    Cause("silent", silent, _says_silent, _fix_silent),
)
# fmt: on
