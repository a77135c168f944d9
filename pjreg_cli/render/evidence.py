"""What Asterisk cannot show: why a registration stands as it does, and what a reload would do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from pjreg_cli.api.configuration import Planned, Problem
from pjreg_cli.api.instance import ReloadReport
from pjreg_cli.api.notices import Settled
from pjreg_cli.api.registrations import Evidence, RegistrationView, UnderWay
from pjreg_cli.render import columns, facts, json


def answer(evidence: Evidence | None) -> str:
    """The answer that counted, or why there was none: `403 Forbidden`, `timed-out (408)`."""
    if evidence is None:
        return "-"
    if evidence.cause == "answered":
        return f"{evidence.code} {columns.harmless(evidence.reason)}".rstrip()
    return f"{evidence.cause} ({evidence.code})"


def next_attempt(view: RegistrationView) -> str:
    """When the next REGISTER is due, or what has become of the one under way so far."""
    if view.under_way is not None:
        return under_way(view.under_way)
    return f"in {view.next_attempt_s}s" if view.next_attempt_s > 0 else "none"


def under_way(sent: UnderWay) -> str:
    """`REGISTER sent 12 s ago, 4 resends, udp:192.0.2.1:5060`."""
    what = "REGISTER" if sent.method == "register" else "unregister"
    if sent.since_s is None:
        return f"{what} waits its turn for {sent.target}" if sent.target else f"{what}: looking up"
    times = f"{sent.resends} resend{'' if sent.resends == 1 else 's'}"
    return f"{what} sent {int(sent.since_s)} s ago, {times}, {sent.target}"


def settled(notice: Settled) -> str:
    """`telnyx: 200 OK in 41 ms, 3600 s`: what came of what was asked for; one line."""
    found = notice.evidence
    took = "" if found.took_s is None else f" in {max(1, round(found.took_s * 1000))} ms"
    what = "unregistered, " if found.method == "unregister" else ""
    if 200 <= found.code < 300:
        granted = "" if found.granted_s is None else f", {found.granted_s} s"
        return f"{notice.name}: {what}{answer(found)}{took}{granted}\n"
    next_s = notice.next_attempt_s
    then = f"next attempt in {next_s} s" if next_s else "no further attempt"
    what = "unregister: " if what else ""
    return f"{notice.name}: {what}{answer(found)}{took}: {notice.word}, {then}\n"


def all_settled(counts: Mapping[str, int], took_s: float) -> str:
    """`all: 9,998 Registered, 2 Rejected, after 4.2 s`: what came of what all were asked for."""
    shown = ", ".join(f"{count:,} {word}" for word, count in sorted(counts.items()) if count)
    return f"all: {shown}, after {max(took_s, 0):.1f} s\n"


def one(view: RegistrationView) -> Iterator[str]:
    """Everything known about how one registration stands, a line for each fact."""
    pairs = [
        ("Registration", view.row.name),
        ("Status", view.row.word or "Unregistered"),
        ("Since", clock(view.since_at)),
        ("Cause", view.cause() or "-"),
        ("Server", view.row.server_uri),
        ("Account", view.client_uri),
        ("Configured", view.source),
        ("Next attempt", next_attempt(view)),
        ("Attempts", str(view.attempts)),
        ("Retries", tries(view)),
        ("Binding ends", clock(view.ends_at)),
    ]
    found = view.evidence
    if found:
        pairs += [
            ("Last settled", f"{facts.clock(found.at)} ({found.method})"),
            ("Last answer", answer(found)),
            ("Reason", columns.harmless(found.reason) or "-"),
            ("Rule", found.rule),
            ("Target", found.target or "-"),
            ("Seen as", columns.harmless(found.received) or "-"),
            ("Granted", _granted(found)),
        ]
    return (f"{name + ':':<14} {value}\n" for name, value in pairs)


def clock(at: float | None) -> str:
    """An instant, `-` where there is none."""
    return "-" if at is None else facts.clock(at)


def tries(view: RegistrationView) -> str:
    """How many of the retries are used up: `3 of 10`."""
    return f"{view.retries} of {most_retries(view)}"


def most_retries(view: RegistrationView) -> str:
    """max_retries as configured."""
    values = next((one.values for one in view.options if one.name == "max_retries"), ())
    return values[0] if values else "-"


def _granted(found: Evidence) -> str:
    """The lifetime, with a word where the registrar does not name our Contact."""
    if found.granted_s is None:
        return "-"
    return f"{found.granted_s}s" + ", our Contact is not listed" * found.contact_missing


def plan(steps: Sequence[Planned], terminal: int = 0) -> Iterator[str]:
    """What a reload would do, and how often; `terminal` is how many columns that has."""
    if not steps:
        yield "There is nothing to reload.\n"
        return
    yield from _steps(steps, terminal)
    registrations = [step for step in steps if step.kind == "registration"]
    counts = Counter(step.action for step in registrations)
    others = [f"{_name(step)} {step.action}" for step in steps if step.kind != "registration"]
    yield "\n" + ", ".join([*(f"{n} {action}" for action, n in counts.items()), *others]) + "\n"


def _steps(steps: Iterable[Planned], terminal: int) -> Iterator[str]:
    rows = [(_name(step), step.action, "; ".join(step.because)) for step in steps]
    if rows:
        yield from columns.grid(("Registration", "Action", "Because"), rows, terminal)


def _name(step: Planned) -> str:
    return f"transport {step.name}" if step.kind == "transport" else step.name


#: in the order in which a summary tells them
_TOLD_AS_FAILURES = ("given up", "not opened")
_ACTIONS = ("re-registered", "added", "unregistered", "tried again", "refused")


def summary(steps: Sequence[Planned], failures: Sequence[str]) -> str:
    """What a reload did, in one line: `2 re-registered, 1 refused: pjsip.conf:41`; `unchanged`."""
    counts = Counter[str]()
    places, others = [], []
    for step in steps:  # fifty thousand may have changed: gone through once
        if step.kind == "registration":
            counts[step.action] += 1
            if step.action == "refused" and step.place:
                places.append(step.place)
        elif step.action not in _TOLD_AS_FAILURES:
            others.append(f"{_name(step)} {step.action}")
    told = [f"{counts[action]} {action}" for action in _ACTIONS if counts[action]]
    if places:
        told[-1] += f": {', '.join(places)}"
    told += others
    told += [f"failed: {why}" for why in dict.fromkeys(failures)]
    return ", ".join(told) or "unchanged"


def reloaded(reports: Sequence[ReloadReport], terminal: int = 0) -> Iterator[str]:
    """What reloads did and what of them failed; `terminal` is how many columns that has."""
    for report in reports:
        if not report.known:
            yield f"No such module '{report.module}'\n"
            continue
        name = "" if report.module == "All" else f"{report.module}: "
        told = (step for step in report.steps if step.action not in ("kept", "given up"))
        yield from _steps(told, terminal)
        yield f"{name}{summary(report.steps, report.failures)}\n"


def problems(found: Sequence[Problem]) -> Iterator[str]:
    """A line for each, as compilers print them."""
    for problem in found:
        yield f"{problem.where}: {problem.level.value}: {problem.message}\n"
    if not found:
        yield "No problems found.\n"


def evidence_shape(facts: Evidence | None) -> json.Shape | None:
    """What the last settled attempt was about."""
    if facts is None:
        return None
    return {
        "at": json.instant(facts.at),
        "method": facts.method,
        "code": facts.code,
        "reason": facts.reason,
        "cause": facts.cause,
        "rule": facts.rule,
        "target": facts.target or None,
        "received": facts.received or None,
        "granted_s": facts.granted_s,
        "contact_missing": facts.contact_missing,
        "took_s": None if facts.took_s is None else round(facts.took_s, 3),
    }


def under_way_shape(sent: UnderWay | None) -> json.Shape | None:
    """The request that has no final answer yet."""
    if sent is None:
        return None
    return {
        "method": sent.method,
        "sent_s_ago": None if sent.since_s is None else int(sent.since_s),
        "resends": sent.resends,
        "target": sent.target or None,
    }


def problem_shape(found: Problem) -> json.Shape:
    """One problem of the configuration."""
    return {
        "path": found.path,
        "line": found.line,
        "level": found.level.value,
        "message": found.message,
    }


def planned_shape(step: Planned) -> json.Shape:
    """What a reload would do, or did, to one thing."""
    return {
        "name": step.name,
        "action": step.action,
        "because": list(step.because),
        "kind": step.kind,
        "place": step.place or None,
    }


def reloaded_shape(reports: Sequence[ReloadReport]) -> json.Shape:
    """What reloads did and what of them failed."""
    return {
        "ok": all(report.ok for report in reports),
        "modules": [
            {
                "module": report.module,
                "known": report.known,
                "ok": report.ok,
                "failures": list(report.failures),
                "steps": [planned_shape(step) for step in report.steps if step.action != "kept"],
            }
            for report in reports
        ],
    }
