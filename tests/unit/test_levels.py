"""How loud a line is."""

from __future__ import annotations

import logging

from pjreg_cli import levels


def test_levels_lie_between_those_of_python() -> None:
    assert (levels.ERROR, levels.WARNING) == (logging.ERROR, logging.WARNING)
    assert logging.INFO == levels.VERBOSE == levels.verbose(1) < levels.NOTICE < logging.WARNING
    assert logging.DEBUG == levels.DEBUG == levels.debug(1)
    assert levels.verbose(levels.HIGHEST) > levels.DEBUG
    assert levels.debug(levels.HIGHEST) > 0


def test_a_higher_level_is_quieter_up_to_the_highest() -> None:
    assert [levels.verbose(level) for level in (1, 2, 3)] == [20, 19, 18]
    assert [levels.debug(level) for level in (1, 2, 3)] == [10, 9, 8]
    assert levels.verbose(99) == levels.verbose(10)
    assert levels.debug(99) == 1
