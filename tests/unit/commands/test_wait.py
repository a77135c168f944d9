"""`pjreg wait`, against a port on which nothing moves."""

from __future__ import annotations

import pytest

from pjreg_cli.commands.tree import execute, suggest
from tests.support.fake_port import Fake, registration
from tests.support.transcript import console


def fleet() -> Fake:
    return Fake(views=[registration("a", "Registered", 9), registration("b", "Rejected", -1)])


@pytest.mark.parametrize(
    ("words", "ok", "text"),
    [
        ("a", True, ""),
        ("a --registered", True, ""),
        ("b --unregistered", True, ""),
        ("b --timeout 0.5", False, "After 0.5 s not Registered: b\n"),
        ("*all --timeout=0", False, "After 0 s not Registered: b\n"),
        ("*all --unregistered --timeout=0", False, "After 0 s still Registered: a\n"),
    ],
)
async def test_it_says_who_does_not_stand_as_wanted(words: str, ok: bool, text: str) -> None:
    reply = await execute(f"pjreg wait {words}", console(fleet()))
    assert (reply.ok, "".join(reply.output)) == (ok, text)


def test_names_and_options_are_suggested() -> None:
    found = [one.text for one in suggest("pjreg wait ", console(fleet()))]
    assert found == ["*all", "a", "b", "--registered", "--unregistered", "--timeout"]
