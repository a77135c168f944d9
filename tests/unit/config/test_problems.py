"""Problems in the order of files."""

from __future__ import annotations

from pjreg_cli.api.configuration import Level, Problem
from pjreg_cli.config.problems import in_file_order


def test_each_once_by_file_and_line() -> None:
    one, two = (Problem("b", line, Level.ERROR, "m") for line in (2, 1))
    other, row = Problem("a", 9, Level.ERROR, "m"), Problem("t[x].c", 0, Level.ERROR, "m")
    assert in_file_order([one, row, two, other, one], ["b", "a"]) == [two, one, other, row]
    assert (one.where, row.where) == ("b:2", "t[x].c")
