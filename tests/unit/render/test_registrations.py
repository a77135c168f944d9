"""The table of registrations, byte for byte."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pjreg_cli.api.registrations import RegistrationRow
from pjreg_cli.dialects import CURRENT, TWELVE
from pjreg_cli.render.registrations import head, table

URI = "sip:registrar.example.com:5071"


def line(row: RegistrationRow) -> str:
    return "".join(table([row], CURRENT)).splitlines()[4]


def twelve(row: RegistrationRow) -> str:
    return "".join(table([row], TWELVE)).splitlines()[4]


@pytest.mark.parametrize(
    ("name_length", "left"),
    [
        (5, f"nnnnn/{URI}".ljust(54)),
        (30, f"{'n' * 30}/{URI[:23]}"),
        (52, f"{'n' * 52}/s"),
        (53, f"{'n' * 53}/"),
        (54, f"{'n' * 54}/{URI}"),
        (83, f"{'n' * 83}/{URI}"),
        (84, f"{'n' * 84}/{URI} "),
        (90, f"{'n' * 90}/{URI}       "),
    ],
)
def test_uri_has_what_the_name_leaves_and_stands_whole_where_that_is_negative(
    name_length: int, left: str
) -> None:
    row = RegistrationRow("n" * name_length, URI, "", "Registered", 5)
    assert line(row) == f" {left}  {'n/a':<26}  Registered        (exp. 5s)"
    assert twelve(row) == f" {left}  {'n/a':<16}  Registered      "


@pytest.mark.parametrize(
    ("word", "due_s", "end"),
    [
        ("Registered", 3590, "Registered        (exp. 3590s)"),
        ("Rejected", -1, "Rejected          (exp. 1s ago)"),
        ("Unregistered", 0, "Unregistered      (exp. 0s)"),
        ("Unregistered", None, "Unregistered      (exp. 0s)"),
        ("Stopped", 7, "Stopped           (exp. 7s)"),
        (None, None, "Unregistered     0"),
        (None, 12, "Unregistered     0"),
    ],
)
def test_row_ends_with_its_status_and_when_the_next_attempt_is_due(
    word: str | None, due_s: int | None, end: str
) -> None:
    assert line(RegistrationRow("a", URI, "", word, due_s)).endswith(f"  {end}")


def test_auth_is_padded_and_never_cut() -> None:
    assert "  one                         Reg" in line(
        RegistrationRow("a", URI, "one", "Registered", 1)
    )
    name = "an-auth-section-with-a-long-name"
    assert f"  {name}  Registered " in line(RegistrationRow("a", URI, name, "Registered", 1))


def test_names_of_several_bytes_a_character_are_padded_by_bytes() -> None:
    shown = line(RegistrationRow("zürich-语", URI, "ü", "Registered", 1))
    left = f" zürich-语/{URI}"
    assert shown.encode()[: 1 + 54 + 2] == left.encode().ljust(57)
    assert shown.encode()[57 : 57 + 26] == "ü".encode().ljust(26)


def test_head_of_both_dialects() -> None:
    start = "\n <Registration/ServerURI..............................>  "
    assert head(CURRENT) == (f"{start}<Auth....................>  <Status.......>\n{'=' * 90}\n\n")
    assert head(TWELVE) == f"{start}<Auth..........>  <Status.......>\n {'=' * 89}\n\n"


def test_rows_are_read_only_as_far_as_the_table_is() -> None:
    asked = 0

    def rows() -> Iterator[RegistrationRow]:
        nonlocal asked
        for number in range(100_000):
            asked += 1
            yield RegistrationRow(f"reg{number}", URI, "", "Registered", 1)

    chunks = table(rows(), CURRENT)
    assert next(chunks).startswith("\n <Registration")
    assert asked < 2000
    assert next(chunks).endswith("(exp. 1s)\n")


def test_chunks_are_whole_lines_and_the_count_is_right() -> None:
    chunks = list(
        table((RegistrationRow(f"r{n}", URI, "", "Registered", 1) for n in range(1000)), CURRENT)
    )
    assert len(chunks) > 2
    assert all(chunk.endswith("\n") for chunk in chunks)
    assert chunks[-1] == "\nObjects found: 1000\n\n"


def test_without_rows_there_is_no_table() -> None:
    for dialect in (CURRENT, TWELVE):
        assert "".join(table([], dialect)) == "No objects found.\n\n"
