"""Comments, line by line."""

from __future__ import annotations

import pytest

from pjreg_cli.config.comments import Comments


@pytest.mark.parametrize(
    ("lines", "left"),
    [
        (["a ; b"], ["a"]),
        (["; a"], [None]),
        (["a\\;b;c"], ["a;b"]),
        (["a;-- b", "c", "d --; e"], ["a", None, "e"]),
        ([";--- a", "b"], [None, "b"]),
    ],
)
def test_what_is_left_of_lines(lines: list[str], left: list[str | None]) -> None:
    comments = Comments()
    assert [comments.strip(line, number) for number, line in enumerate(lines, 1)] == left
    assert comments.depth == 0


def test_open_block_knows_where_it_began() -> None:
    comments = Comments()
    comments.strip("a", 1)
    comments.strip("b ;-- c", 2)
    assert (comments.depth, comments.opened) == (1, 2)
