"""What is worth knowing beside the cause."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from pjreg_cli.api.findings import Note
from pjreg_cli.sip.address import is_numeric
from pjreg_cli.why.bindings import bindings
from pjreg_cli.why.case import Case, inert, span

#: a certificate that ends within this many seconds is soon to be replaced
SOON_S = 30 * 86_400.0
#: an answer that takes longer is slow
SLOW_S = 1.0
#: changes within an hour that are still no flapping
_CALM = 3
#: a lifetime this much shorter than what was asked for is worth a word
_SHORTER = 0.9


class Remark(NamedTuple):
    """One note: its code, and its text where it applies; the docstring is the condition."""

    code: str
    text: Callable[[Case], str]


def rewritten(case: Case) -> str:
    """the Contact that came back is not the one we offered (an ALG, or the registrar itself)"""
    found = bindings(case)
    if not found.rewritten or not case.facts.contact:
        return ""
    return f"our Contact {inert(case.facts.contact)} came back as {inert(found.rewritten[0])}"


def behind_nat(case: Case) -> str:
    """the registrar saw us come from another address than our Contact names: calls arrive only if
    the registrar mends that, or if the NAT leads them here"""
    received, last = case.facts.received, case.last
    if last is None or not received:
        return ""
    host, _, port = received.rpartition(":")
    ours, _, our_port = last.ours.rpartition(":")
    host, ours = host.strip("[]"), ours.strip("[]")
    # a connection comes from a port of its own
    same_port = port in ("", our_port) or case.protocol != "udp"
    if host in ("", ours) and same_port:
        return ""
    seen = inert(received) if case.protocol == "udp" else host
    text = (
        f"the registrar sees us as {seen}, our Contact says {last.ours}:"
        " calls arrive only if it mends that, or if the NAT leads them here"
    )
    external = (case.transport.external_signaling_address if case.transport else "").strip("[]")
    if is_numeric(external) and host != ours:
        local = external != ours
        why = "local_net takes the registrar for local" if local else "it is not what is seen"
        return f"{text}; external_signaling_address is {external}, but {why}"
    if case.protocol != "udp" or case.settings.pjreg.udp_keep_alive_interval:
        return text
    return f"{text}; udp_keep_alive_interval = 25 in pjreg.conf holds a NAT open"


def shorter(case: Case) -> str:
    """the registrar granted less than was asked for"""
    granted, asked = case.facts.granted_s, case.facts.asked_s
    if case.facts.word != "Registered" or not granted or not asked or granted > asked * _SHORTER:
        return ""
    return f"{granted} s granted, {asked} s asked"


def other_bindings(case: Case) -> str:
    """somebody else holds a binding of the account, too"""
    others = bindings(case).others
    if not others or case.facts.word != "Registered":
        return ""
    return f"the account is bound elsewhere, too: {inert(others[0])}"


def elsewhere(case: Case) -> str:
    """the answer came from another address than the request went to"""
    found = case.last.elsewhere if case.last is not None else ""
    return f"the answer came from {found}, not from {case.target}" if found else ""


def first_target_down(case: Case) -> str:
    """registered, but not at the first target"""
    names = list(case.by_target)
    if case.facts.word != "Registered" or len(names) < 2:
        return ""
    return f"{names[0].partition(':')[2]} failed before {names[-1].partition(':')[2]} took us"


def same_account(case: Case) -> str:
    """another registration has the same client_uri at the same registrar"""
    section = case.registration
    if section is None:
        return ""
    twins = [
        one.name
        for one in case.settings.registrations.values()
        if one.client_uri == section.client_uri
        and one.server_uri == section.server_uri
        and one.outbound_proxy == section.outbound_proxy
        and one.contact_user == section.contact_user
        and one.name != section.name
    ]
    return f"[{inert(twins[0])}] registers the same account" if twins else ""


def certificate_ends(case: Case) -> str:
    """the registrar's certificate ends within 30 days"""
    shown = case.facts.certificate
    if shown is None or shown.not_after - case.facts.now_at > SOON_S:
        return ""
    day = datetime.fromtimestamp(int(shown.not_after), UTC).strftime("%Y-%m-%d")
    return f"the certificate {inert(shown.subject)} ends on {day}"


def retransmissions(case: Case) -> str:
    """an answer came only after the request had been sent again"""
    again = [one for one in case.facts.tried if one.heard is not None and one.sends > 1]
    return f"the answer came only after {again[-1].sends} sends" if again else ""


def slow(case: Case) -> str:
    """an answer took longer than 1 s"""
    slowest = max((one.took_s for one in case.facts.tried if one.heard is not None), default=0.0)
    return f"an answer took {span(slowest)}" if slowest > SLOW_S else ""


def flapping(case: Case) -> str:
    """its status changed more than 3 times within the last hour"""
    count = case.facts.changes
    return f"its status changed {count} times within the last hour" if count > _CALM else ""


NOTES: Sequence[Remark] = (
    Remark("contact-rewritten", rewritten),
    Remark("behind-nat", behind_nat),
    Remark("shorter-grant", shorter),
    Remark("other-bindings", other_bindings),
    Remark("answer-from-elsewhere", elsewhere),
    Remark("first-target-down", first_target_down),
    Remark("same-account-twice", same_account),
    Remark("certificate-ends-soon", certificate_ends),
    Remark("retransmissions", retransmissions),
    Remark("slow", slow),
    Remark("flapping", flapping),
)


def notes(case: Case) -> tuple[Note, ...]:
    """All that apply."""
    if not case.facts.live:
        return ()
    found = ((remark.code, remark.text(case)) for remark in NOTES)
    return tuple(Note(code, text) for code, text in found if text)
