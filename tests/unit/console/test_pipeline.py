"""Where the output of a line shall go."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pjreg_cli.console.pipeline import Piped, taken_apart


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("a b | grep x", Piped("a b", "|", "grep x")),
        ("a  |  grep 'x | y' | wc", Piped("a", "|", "grep 'x | y' | wc")),
        ("a > /tmp/x y", Piped("a", ">", "/tmp/x y")),
        ("a >> x", Piped("a", ">>", "x")),
        ("a >x", Piped("a", ">", "x")),
        ("a | b > c", Piped("a", "|", "b > c")),
        ("h where number > 5 | less", Piped("h where number > 5", "|", "less")),
    ],
)
def test_output_that_goes_elsewhere(line: str, expected: Piped) -> None:
    assert taken_apart(line) == expected


@pytest.mark.parametrize(
    "line",
    [
        "a",
        "like a|b",
        'a " | b"',
        "a \\| b",
        "a |",
        "a >",
        "h where x >= 5",
        "h where x > 5",
        "a>b",
    ],
)
def test_lines_whose_output_stays_here(line: str) -> None:
    assert taken_apart(line) == Piped(line, "", "")


@given(st.text("a |>\"\\ 'where", max_size=30))
def test_any_line_is_taken_apart(line: str) -> None:
    command, sign, target = taken_apart(line)
    assert line.startswith(command)
    assert bool(sign) == bool(target)
