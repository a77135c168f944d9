"""Columns counted in bytes."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pjreg_cli.render.columns import cells, cut, fitted, grid, harmless, pad, width, wrapped


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


@given(
    st.lists(st.tuples(*[st.text(max_size=40)] * 4), min_size=1, max_size=5), st.integers(20, 120)
)
def test_columns_fit_wherever_they_can(rows: list[tuple[str, ...]], width: int) -> None:
    sizes = fitted(rows, width)
    assert sum(sizes) + 6 <= max(width, 4 * 6 + 6)


def test_columns_that_are_kept_are_as_broad_as_they_need() -> None:
    rows = [("a long first cell", "a long second cell")]
    assert fitted(rows, 30, kept=(0,)) == (17, 11)
    assert fitted(rows, 30, kept=(0, 1)) == fitted(rows, 30) == (14, 14)
    assert fitted(rows, 20, kept=(0,)) == (9, 9)


@pytest.mark.parametrize("terminal", [40, 60, 80, 200])
def test_the_sentences_of_a_grid_stay_within_the_terminal(terminal: int) -> None:
    told = "server_uri: sip:one.example.com -> sip:another.example.com:5080; expiration: 3600 -> 60"
    text = "".join(grid(("Name", "Because"), [("trunk-语-of-a-long-name", told)], terminal))
    assert max(map(cells, text.splitlines())) <= terminal
    assert text.count("expiration:") == 1
    assert "…" not in text or terminal == 40


@given(st.text(max_size=8), st.text(max_size=90), st.integers(20, 90))
@example("name", "\n", 20)
def test_wrapping_loses_nothing_but_blanks_and_keeps_the_width(
    front: str, text: str, width: int
) -> None:
    front, text = harmless(front.replace("\n", "")), harmless(text)
    lines = list(wrapped(front, text, width))
    assert all(cells(line.removesuffix("\n")) <= max(width, cells(front) + 5) for line in lines)
    kept = "".join("".join(lines).split())
    assert kept == "".join(f"{front}{text}".split())
