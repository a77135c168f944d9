"""What was done and heard, line by line, and what happens next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pjreg_cli.api.findings import Next, Step, Tried
from pjreg_cli.why.case import Case, inert, quoted, span
from pjreg_cli.why.challenges import refused_auths
from pjreg_cli.why.tls import TLS_RECORDS, described

if TYPE_CHECKING:
    from pjreg_cli.config.models import Registration

#: targets and look-ups shown of an attempt, at most
_MOST = 12
#: a connection that never came about has brought nothing
_NEVER_SENT = frozenset(
    {"refused", "unreachable", "connect-timeout", "handshake-timeout", "tls", "certificate"}
)
_WHY_NO_ANSWER = {
    "refused": "refused",
    "unreachable": "unreachable",
    "connect-timeout": "no connection",
    "handshake-timeout": "no answer to the TLS handshake",
    "lost": "the connection was closed",
    "reset": "the connection was reset",
    "not-sip": "what came back is no SIP",
    "tls": "the TLS handshake failed",
    "certificate": "certificate refused",
}


def steps(case: Case) -> tuple[Step, ...]:
    """All lines, in the order in which they happened."""
    return (*_configured(case), *_found(case), *_requests(case))


def _configured(case: Case) -> Iterator[Step]:
    section = case.registration
    if section is None:
        return
    parts = [" ".join(_placed(section.source, section.name)[::-1])]
    parts += [" ".join(("auth", *_placed(auth.source, auth.name))) for auth in case.auths]
    refused = {name for name, _, _ in refused_auths(case)}
    parts += [
        f"auth [{inert(name)}] {'refused' if name in refused else 'missing'}"
        for name in case.missing_auths
    ]
    ok = not case.missing_auths
    yield Step("configured", ok, ", ".join(parts), facts=(("source", section.source),))
    for why in case.settings.refused.get(section.name, ()):
        text = f"its new form is refused, the one before stays in force: {inert(why, 200)}"
        yield Step("configured", False, text, facts=(("source", section.source),))


def _placed(source: str, name: str) -> Sequence[str]:
    """A section's name and place; a row of a table has its name in its place."""
    shown = f"[{inert(name)}]"
    return [source] if source.endswith(shown) else [shown, source] if source else [shown]


def _found(case: Case) -> Iterator[Step]:
    asked = case.asked or case.facts.found
    for one in asked[:_MOST]:
        if one.found or one.failed or case.asked:
            facts = (("name", one.name), ("kind", one.kind), ("result", inert(one.result)))
            text = f"{one.kind} {inert(one.name)}: {inert(one.result)}"
            yield Step("looked up", one.found, text, facts=facts)
    for target in list(case.by_target)[:_MOST]:
        protocol, _, address = target.partition(":")
        how = "" if asked else f", an address in {case.uri_option}"
        if how and case.registrar is not None and case.registrar.host.strip("[]") not in address:
            how = ""
        yield Step("found", True, f"{address} {protocol}{how}", facts=(("target", target),))


def _requests(case: Case) -> Iterator[Step]:
    before: Tried | None = None
    for tried in case.facts.tried[-_MOST:]:
        yield from _request(case, tried, before)
        before = tried


def _request(case: Case, tried: Tried, before: Tried | None) -> Iterator[Step]:
    again = before is not None and before.target == tried.target
    what = "the same" if again else f"{_method(case)} from {tried.ours}"
    if before is not None and not again:
        what += f" to {tried.target.partition(':')[2]}"
    if tried.signed:
        what += _credentials(case, tried, before)
    if tried.sends > 1:
        what += f", {tried.sends} times"
    facts: tuple[tuple[str, str | int | float | bool | None], ...] = (
        ("target", tried.target),
        ("from", tried.ours),
        ("sends", tried.sends),
        ("took_s", round(tried.took_s, 6)),
        ("auth", tried.signed[0] if tried.signed else None),
    )
    heard = tried.heard
    if heard is None:
        trouble = tried.trouble
        never = trouble is not None and trouble.kind in _NEVER_SENT
        unsent = never and not tried.target.startswith("udp:")
        yield Step("tried" if unsent else "sent", True, what, tried.sent_at, facts)
        kind = trouble.kind if trouble is not None else "silent"
        text = _WHY_NO_ANSWER.get(kind, "failed") if trouble is not None else "nothing came back"
        if trouble is not None and trouble.text:
            told = "made out to another name" if trouble.text == "name" else trouble.text
            text += f": {inert(told)}"
        if trouble is not None and trouble.heard:
            text += f": {_first_line(trouble.heard)}"
        if trouble is not None and trouble.certificate is not None:
            text += f", {described(trouble.certificate)}"
        text += f", after {span(tried.took_s)}"
        yield Step("failed", False, text, tried.sent_at + tried.took_s, (("trouble", kind),))
        return
    facts = (*facts, ("code", heard.code), ("reason", inert(heard.reason)))
    at = tried.sent_at + tried.took_s
    if heard.offers and not tried.signed:
        text = f"{what}, answered {heard.code} in {span(tried.took_s)}: {_offered(tried)}"
        yield Step("sent", True, text, tried.sent_at, facts)
        return
    yield Step("sent", True, what, tried.sent_at, facts)
    ok = 200 <= heard.code < 300
    text = f"{heard.code} {inert(heard.reason)} in {span(tried.took_s)}"
    if heard.offers:
        fresh = "stale" if any(offer.stale for offer in heard.offers) else "not stale"
        text = f"{heard.code} in {span(tried.took_s)}: challenged again, a fresh nonce, {fresh}"
    elif heard.headers and not ok:
        text += "".join(f"; {name.title()}: {inert(value)}" for name, value in heard.headers[:4])
    elif ok and case.facts.granted_s is not None and tried is case.facts.tried[-1]:
        text += f": {case.facts.granted_s} s granted"
    yield Step("answered", ok, text, at, (("code", heard.code), ("took_s", round(tried.took_s, 6))))


def _first_line(heard: bytes) -> str:
    """How something that is no SIP begins."""
    if heard[:2] in TLS_RECORDS:
        return "a record of TLS"
    lines = heard.decode("utf-8", "replace").split()
    return quoted(" ".join(lines)) if lines else "empty lines"


def _method(case: Case) -> str:
    return "REGISTER" if case.facts.method == "register" else "unregister"


def _credentials(case: Case, tried: Tried, before: Tried | None) -> str:
    parts = []
    for name in tried.signed:
        auth = case.settings.auths.get(name)
        text = f" with [{inert(name)}]"
        if auth is not None:
            text += f", user {inert(auth.username)}"
            offers = before.heard.offers if before is not None and before.heard is not None else ()
            used = next((o.algorithm for o in offers if case.allowed(auth, o.algorithm)), "")
            text += f", {inert(used)}" if used else ""
        parts.append(text)
    return " and".join(parts)


def _offered(tried: Tried) -> str:
    offers = tried.heard.offers if tried.heard is not None else ()
    realms = ", ".join(dict.fromkeys(quoted(offer.realm) for offer in offers))
    algorithms = " and ".join(dict.fromkeys(inert(offer.algorithm) for offer in offers))
    return f"realm {realms}, {algorithms} offered"


def following(case: Case) -> Next:
    """What happens by itself."""
    facts = case.facts
    if not facts.live:
        return Next("nothing", None, None, "nothing: no instance runs")
    if facts.in_flight:
        return Next("wait", None, None, f"the answer to {_in_flight(case)}")
    if facts.next_at is None:
        return Next("nothing", None, None, f"nothing by itself{_why_nothing(case)}")
    in_s = max(0, round(facts.next_at - facts.now_at))
    action = "refresh" if facts.word == "Registered" else "retry"
    what = "refresh" if action == "refresh" else "attempt" if facts.settled_at else "first attempt"
    at = datetime.fromtimestamp(int(facts.next_at), UTC).strftime("%H:%M:%S")
    section = case.registration
    used = ""
    if action == "retry" and section is not None and facts.retries:
        used = f" (retry {facts.retries} of {section.max_retries})"
    return Next(action, facts.next_at, in_s, f"{what} in {span(in_s)}, at {at} UTC{used}")


def _in_flight(case: Case) -> str:
    facts = case.facts
    what = "a REGISTER" if facts.in_flight == "register" else "an unregister"
    if facts.in_flight_at is None:
        return f"{what} that waits for {'its turn' if facts.in_flight_to else 'a look-up'}"
    times = "once" if facts.in_flight_sends == 1 else f"{facts.in_flight_sends} times"
    return f"{what} that is under way, sent {times} in {span(facts.now_at - facts.in_flight_at)}"


def _why_nothing(case: Case) -> str:
    section, facts = case.registration, case.facts
    if section is None or facts.word not in ("Rejected", "Unregistered"):
        return ""
    if facts.method == "unregister":
        return ": a refused unregister is not repeated" if facts.rule == "refused" else ""
    again = f"; `pjsip send register {inert(facts.name)}` tries again"
    why = _why_given_up(case, section)
    return f"{why}{again}" if why else ""


def _why_given_up(case: Case, section: Registration) -> str:
    facts = case.facts
    if facts.rule == "exhausted":
        return f": max_retries is {section.max_retries}"
    if case.challenged and section.auth_rejection_permanent:
        return ": auth_rejection_permanent is yes"
    if facts.word == "Rejected" and section.retry_interval == 0:
        return ": retry_interval is 0"
    if case.code == 403:
        return ": forbidden_retry_interval is 0" if not section.forbidden_retry_interval else ""
    if facts.word == "Rejected" and not section.fatal_retry_interval:
        return ": fatal_retry_interval is 0"
    return ""
