"""What a row of the catalogue is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from pjreg_cli.api.findings import Fix
from pjreg_cli.why.case import Case, inert

if TYPE_CHECKING:
    from pjreg_cli.config.settings import Unusable


class Cause(NamedTuple):
    """One reason for how a registration stands."""

    code: str
    """Stable, for scripts."""
    when: Callable[[Case], bool]
    """Its docstring is the condition as the catalogue shows it."""
    says: Callable[[Case], str]
    """The finding, a sentence without its beginning (`NAME is STATUS:`) and its full stop.  The
    docstring is what it means."""
    fix: Callable[[Case], Sequence[Fix]]
    """What to change; the docstring says it in general."""
    ok: bool = False
    """The registration stands as it should."""


def section_of(refused: Unusable) -> Fix:
    """A transport section that was refused, to be mended."""
    return Fix(f"transport [{inert(refused.name)}], then `pjsip reload`", "", refused.where)


def was_refused(refused: Unusable) -> str:
    """That it was, in a sentence."""
    return f"transport [{inert(refused.name)}] was refused: {inert(refused.why, 200)}"


def nothing(_case: Case) -> Sequence[Fix]:
    """Nothing."""
    return ()


def theirs(text: str) -> Fix:
    """Something only the other side can do."""
    return Fix(text)


def operator(case: Case) -> Sequence[Fix]:
    """The registrar's operator must say; send the answer."""
    text = f"the operator of {case.host} must say: send `{case.line}`{whence(case)}"
    return (theirs(text),)


def whence(case: Case) -> str:
    """Where an answer came from, and when."""
    return f", from {case.target}" if case.last is not None else ""
