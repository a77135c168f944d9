"""README shows what the demo really says, numbers apart."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.instance import ROOT, run

_NUMBER = re.compile(r"\d+(?:\.\d+)*")


def shown(command: str) -> str:
    """The output below a command of README."""
    lines = (ROOT / "README.md").read_text("utf-8").splitlines()
    begin = lines.index(f"    $ {command}") + 1
    end = next(at for at in range(begin, len(lines)) if lines[at] and lines[at][:4].strip())
    return "\n".join(lines[begin:end])


def alike(text: str) -> list[str]:
    """Its words; numbers, and where lines end because of them, do not matter."""
    return _NUMBER.sub("0", text).split()


@pytest.mark.parametrize(
    ("command", "asked"),
    [
        ("pjreg-cli demo pjreg explain old-account", "pjreg explain old-account"),
        ("pjreg-cli health", "pjreg health"),
        ("pjreg-cli demo pjreg reload plan", "pjreg reload plan"),
        ("pjreg-cli demo pjsip show registrations", "pjsip show registrations"),
    ],
)
def test_the_readme_shows_what_there_is(home: Path, command: str, asked: str) -> None:
    done = run("demo", *asked.split(), home=home)
    assert alike(shown(command)) == alike(done.out)
