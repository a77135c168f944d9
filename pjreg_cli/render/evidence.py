"""What Asterisk cannot show: why a registration stands as it does, and what a reload would do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from pjreg_cli.api.configuration import Planned, Problem
from pjreg_cli.api.registrations import Evidence, RegistrationView, UnderWay
from pjreg_cli.render import columns, facts


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


def one(view: RegistrationView) -> Iterator[str]:
    """Everything known about how one registration stands, a line for each fact."""
    pairs = [
        ("Registration", view.row.name),
        ("Status", view.row.word or "Unregistered"),
        ("Cause", view.cause() or "-"),
        ("Server", view.row.server_uri),
        ("Account", view.client_uri),
        ("Configured", view.source),
        ("Next attempt", next_attempt(view)),
        ("Attempts", str(view.attempts)),
        ("Retries", str(view.retries)),
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


def _granted(found: Evidence) -> str:
    """The lifetime, with a word where the registrar does not name our Contact."""
    if found.granted_s is None:
        return "-"
    return f"{found.granted_s}s" + ", our Contact is not listed" * found.contact_missing


def plan(steps: Sequence[Planned]) -> Iterator[str]:
    """What a reload would do, and how often."""
    rows = [(step.name, step.action, "; ".join(step.because)) for step in steps]
    if not rows:
        yield "There is nothing to reload.\n"
        return
    yield from columns.grid(("Registration", "Action", "Because"), rows)
    counts = Counter(step.action for step in steps)
    yield "\n" + ", ".join(f"{count} {action}" for action, count in counts.items()) + "\n"


def problems(found: Sequence[Problem]) -> Iterator[str]:
    """A line for each, as compilers print them."""
    for problem in found:
        yield f"{problem.where}: {problem.level.value}: {problem.message}\n"
    if not found:
        yield "No problems found.\n"
