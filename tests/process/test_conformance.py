"""The conformance kit: what a real Asterisk did, case by case.

The kit lies beside the repository, or where `$PJREG_CONFORMANCE` says.  A case that is listed in
`conformance_todo.txt`, with the reason, must fail; every other one must pass.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.instance import PROGRAM, ROOT
from tests.support.kit import Kit

_KIT = Path(os.environ.get("PJREG_CONFORMANCE") or ROOT.parent / "shared" / "conformance")
_TODO = Path(__file__).with_name("conformance_todo.txt")

#: the slowest cases wait twice for SIP's 32 s time-out
_LONGEST_S = 170


def _todo() -> dict[str, str]:
    """Cases that are known to fail, and why."""
    lines = (line.strip() for line in _TODO.read_text("utf-8").splitlines())
    listed = (line.partition(" ") for line in lines if line and not line.startswith("#"))
    return {name: reason.strip() for name, _, reason in listed}


TODO = _todo()
CASES = sorted(path.parent.name for path in _KIT.glob("cases/*/case.json"))


def _is_long(name: str) -> bool:
    """Whether a case waits for many seconds."""
    steps = json.loads((_KIT / "cases" / name / "case.json").read_text("utf-8"))["steps"]
    return bool(sum(step.get("seconds", 0) for step in steps) > 15)


def test_every_listed_case_has_a_reason_and_exists() -> None:
    assert [name for name, reason in TODO.items() if not reason] == []
    if CASES:
        assert set(TODO) - set(CASES) == set()


@pytest.fixture(scope="session")
def kit() -> Iterator[Kit]:
    """The kit's runner, for all cases of this process."""
    one = Kit(_KIT, " ".join(PROGRAM))
    yield one
    one.close()


@pytest.mark.skipif(not CASES, reason=f"the conformance kit is not at {_KIT}")
@pytest.mark.timeout(_LONGEST_S)
@pytest.mark.parametrize(
    "name", [pytest.param(one, marks=[pytest.mark.long] * _is_long(one)) for one in CASES]
)
def test_case_goes_as_with_asterisk(kit: Kit, name: str) -> None:
    problems = kit.problems(name)
    if name in TODO:
        assert problems, f"{name} passes: take it off conformance_todo.txt"
        return
    assert not problems, "\n".join(problems)
