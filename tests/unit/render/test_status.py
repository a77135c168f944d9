"""The table of `pjreg status`, fitted and otherwise."""

from __future__ import annotations

import csv

import pytest

from pjreg_cli.render import columns
from pjreg_cli.render.status import COLUMNS, DEFAULT, comma_separated, table, usual, vertical
from tests.support.fake_port import registration

VIEWS = [
    registration("telnyx-main", "Registered", 9, server_uri="sip:sip.telnyx.com", next_attempt_s=9),
    registration("zürich-语语", None, None, server_uri="sip:a,b.example"),
]


@pytest.mark.parametrize("width", [50, 60, 80, 200])
def test_rows_keep_to_the_width_of_the_terminal(width: int) -> None:
    lines = "".join(table(VIEWS, DEFAULT, width)).splitlines()
    assert max(map(columns.cells, lines)) <= width
    assert lines[0].startswith("Reg")
    assert len(lines) == 5


def test_a_narrow_terminal_shows_what_matters_most() -> None:
    lines = "".join(table(VIEWS, usual(80), 80)).splitlines()
    assert lines[0].split() == [
        "Registration",
        "Status",
        "Last",
        "answer",
        "Next",
        "attempt",
        "Cause",
    ]
    assert "Unregistered" in lines[2]
    assert "rule" in usual(100)
    assert "since" in usual(0)


def test_a_cause_that_is_to_be_looked_up_is_cut_last() -> None:
    view = registration("a-name-that-is-long", "Unregistered", -1)
    view = view._replace(cause=lambda: "stopped-by-operator", client_uri="sip:" + "a" * 60)
    text = "".join(table([view], ("name", "account", "cause"), 50))
    assert "stopped-by-operator" in text


def test_what_is_cut_is_seen_to_be() -> None:
    (_, row, *_) = table(VIEWS, ("name", "server"), 20)
    assert "…" in row


def test_every_column_can_be_shown_and_read_back() -> None:
    lines = list(comma_separated(VIEWS, tuple(COLUMNS)))
    rows = list(csv.DictReader(lines))
    assert [row["name"] for row in rows] == ["telnyx-main", "zürich-语语"]
    assert rows[1]["server"] == "sip:a,b.example"


def test_vertical_has_a_line_for_each_fact_and_a_gap_between() -> None:
    text = "".join(vertical(VIEWS))
    assert text.count("Registration: ") == 2
    assert "\n\nRegistration: " in text
    assert "".join(vertical([])) == "No objects found.\n\n"
