"""Options and types that concern calls."""

from __future__ import annotations

from pjreg_cli.config.call_options import CALLS, TYPES
from pjreg_cli.config.models import Registration
from pjreg_cli.config.types import option_names


def test_options_of_calls_are_none_of_a_registration() -> None:
    assert not CALLS.keys() & option_names(Registration)


def test_options_of_calls_belong_to_types_that_are_read_over() -> None:
    assert set(CALLS.values()) <= TYPES


def test_types_that_are_read_over_are_none_of_ours() -> None:
    assert not TYPES & {"registration", "auth", "transport", "global", "system"}
