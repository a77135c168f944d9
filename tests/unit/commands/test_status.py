"""`pjreg status` and its options."""

from __future__ import annotations

import json

import pytest

from pjreg_cli.commands.tree import suggest
from tests.support.fake_port import Fake, registration
from tests.support.transcript import console, said


def fleet() -> Fake:
    return Fake(
        views=[
            registration("b", "Registered", 9, server_uri="sip:one.example", attempts=10),
            registration("a", "Rejected", -1, server_uri="sip:two.example", attempts=9),
            registration("c", None, None, server_uri="sip:one.example", attempts=100),
        ]
    )


async def names(line: str) -> list[str]:
    rows = json.loads(await said(console(fleet(), json=True), line))
    return [row["name"] for row in rows]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("", ["a", "b", "c"]),
        ("--state rejected", ["a"]),
        ("--state=Unregistered", ["c"]),
        ("--registrar ONE.example", ["b", "c"]),
        ("--registrar one --state registered", ["b"]),
        ("--sort attempts", ["a", "b", "c"]),
        ("--sort -attempts", ["c", "b", "a"]),
        ("--sort=status", ["b", "a", "c"]),
    ],
)
async def test_rows_are_chosen_and_ordered(options: str, expected: list[str]) -> None:
    assert await names(f"pjreg status {options}") == expected


async def test_columns_are_those_asked_for() -> None:
    told = await said(console(fleet()), "pjreg status --columns status,name --csv")
    assert told == "status,name\nRejected,a\nRegistered,b\nUnregistered,c\n"


@pytest.mark.parametrize(
    ("options", "piece"),
    [
        ("--colums a", "did you mean '--columns'?"),
        ("--columns nmae", "did you mean 'name'?"),
        ("--state rejcted", "did you mean 'rejected'?"),
        ("--sort nothing", "there are name, status"),
        ("--sort", "--sort needs a value"),
    ],
)
async def test_what_makes_no_sense_is_told(options: str, piece: str) -> None:
    assert piece in await said(console(fleet()), f"pjreg status {options}")


def test_options_and_their_values_are_suggested() -> None:
    def texts(typed: str) -> list[str]:
        return [one.text for one in suggest(typed, console(fleet()))]

    assert texts("pjreg status --st") == ["--state"]
    assert texts("pjreg status --state r") == ["registered", "rejected"]
    assert "target" in texts("pjreg status --columns ")
    assert texts("pjreg status ")[:3] == ["a", "b", "c"]
