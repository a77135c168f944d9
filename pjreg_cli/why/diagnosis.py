"""Facts and configuration in, a finding out: one table of causes, the first that holds decides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pjreg_cli.api.findings import Brief, Facts, Finding
from pjreg_cli.why.case import Case
from pjreg_cli.why.cause import Cause
from pjreg_cli.why.notes import notes
from pjreg_cli.why.state import CATALOGUE, of_attempt
from pjreg_cli.why.steps import following, steps

if TYPE_CHECKING:
    from pjreg_cli.config.settings import Settings


def cause(case: Case) -> Cause:
    """The first cause that holds; there always is one."""
    found = next((row for row in CATALOGUE if row.when(case)), None)
    if found is None:
        # nothing is known that speaks against it
        return next(row for row in CATALOGUE if row.code == "waiting")
    return found


def cause_of(facts: Facts, settings: Settings) -> str:
    """The code of the cause alone."""
    return cause(Case(facts, settings)).code


def brief(facts: Facts, settings: Settings) -> Brief:
    """The cause and its sentence."""
    case = Case(facts, settings)
    row = cause(case)
    return Brief(row.code, row.says(case))


def diagnose(facts: Facts, settings: Settings) -> Finding:
    """How a registration stands, why, what happens next and what to change."""
    case = Case(facts, settings)
    row = cause(case)
    lines = steps(case)
    return Finding(
        name=facts.name,
        status=facts.word or ("Refused" if facts.name in settings.refused else "Unknown"),
        since_at=facts.since_at,
        ok=row.ok,
        cause=row.code,
        finding=row.says(case),
        steps=lines,
        evidence=_evidence(case, row),
        notes=notes(case),
        next=following(case),
        fix=tuple(row.fix(case)),
    )


def _evidence(case: Case, row: Cause) -> tuple[str, ...]:
    """What the finding stands on."""
    if row.ok:
        return ()
    found = [step.text for step in steps(case) if not step.ok]
    why = of_attempt(case)
    if why is not None and why.code != row.code and why.code != "waiting":
        found.insert(0, f"{why.code}: {why.says(case)}")
    return tuple(found)
