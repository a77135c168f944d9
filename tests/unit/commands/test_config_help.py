"""config show help."""

from __future__ import annotations

import json

import pytest

from pjreg_cli.commands.tree import execute, suggest
from tests.support.fake_port import Fake
from tests.support.golden import FIXTURES, Golden
from tests.support.transcript import console, said, transcript

MODULE = "res_pjsip_outbound_registration"


async def test_modules_types_and_options_are_explained(golden: Golden) -> None:
    lines = ["config show help", f"config show help {MODULE}"]
    lines += [f"config show help {MODULE} registration"]
    lines += [f"config show help {MODULE} registration retry_interval"]
    lines += [f"config show help {MODULE} registration retry_interval more"]
    golden.check(FIXTURES / "console/explain.txt", await transcript(console(Fake()), lines))


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("bogus", "Module bogus not found or has no config XML documentation.\n"),
        (f"{MODULE} bogus", "Unknown configuration type bogus\n"),
        (
            f"{MODULE} registration bogus",
            f"No option bogus found for {MODULE}:registration\n",
        ),
    ],
)
async def test_what_is_not_there_has_an_answer_at_each_level(words: str, answer: str) -> None:
    reply = await execute(f"config show help {words}", console(Fake()))
    assert "".join(reply.output) == answer
    assert (reply.ok, reply.failed) == (False, False)


async def test_explanations_as_json() -> None:
    asker = console(Fake(), json=True)
    option = json.loads(await said(asker, f"config show help {MODULE} registration retry_interval"))
    assert option["type"] == "Unsigned Integer"
    assert option["default"] == "60"
    section = json.loads(await said(asker, f"config show help {MODULE} registration"))
    assert section["options"] == [option]
    module = json.loads(await said(asker, f"config show help {MODULE}"))
    assert module["types"] == [section]
    assert json.loads(await said(asker, "config show help")) == [module]


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("config show help ", [MODULE]),
        (f"config show help {MODULE} ", ["registration"]),
        (f"config show help {MODULE} registration re", ["retry_interval"]),
        (f"config show help {MODULE} registration retry_interval ", []),
        ("config show help bogus ", []),
    ],
)
def test_what_can_be_explained_is_suggested(typed: str, words: list[str]) -> None:
    assert [found.text for found in suggest(typed, console(Fake()))] == words
