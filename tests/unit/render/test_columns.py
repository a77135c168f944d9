"""Columns counted in bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pjreg_cli.render.columns import cut, grid, harmless, pad, width


@given(st.text(), st.integers(0, 80))
def test_padding_fills_bytes_and_never_cuts(text: str, size: int) -> None:
    padded = pad(text, size)
    assert width(padded) == max(size, width(text))
    assert padded.strip(" ") == text.strip(" ")


@given(st.text(), st.integers(0, 80))
def test_cutting_keeps_whole_characters(text: str, size: int) -> None:
    kept = cut(text, size)
    assert text.startswith(kept)
    assert width(kept) <= size
    assert kept == text or width(text[: len(kept) + 1]) > size


def test_a_character_of_several_bytes_counts_as_many() -> None:
    assert pad("zürich", 8) == "zürich "
    assert cut("zü", 2) == "z"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("403 Forbidden", "403 Forbidden"),
        ("\x1b]0;owned\x07", "\\x1b]0;owned\\x07"),
        ("a\tb\nc", "a\tb\nc"),
        ("a\rb", "a\\x0db"),
        ("\x9b31m", "\\x9b31m"),
        ("zürich-语", "zürich-语"),
        ("a\u202eb\u2066c\u200e", "a\\u202eb\\u2066c\\u200e"),
        ("a\u2028b\x85c", "a\\u2028b\\x85c"),
        ("caf\udce9", "caf\\xe9"),
        ("\ud800", "\\ud800"),
    ],
)
def test_text_from_the_network_cannot_steer_a_terminal(text: str, shown: str) -> None:
    assert harmless(text) == shown


def test_grid_is_as_wide_as_its_cells_and_has_no_blanks_at_the_ends() -> None:
    rows = [("a", "long cell", ""), ("bbb", "c", "d")]
    assert list(grid(("X", "Y", "Z"), rows)) == [
        "X    Y          Z\n",
        "a    long cell\n",
        "bbb  c          d\n",
    ]
