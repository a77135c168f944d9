"""Facts of the program."""

from __future__ import annotations

import pytest

from pjreg_cli.api.instance import LogChannel
from pjreg_cli.render.facts import clock, duration, log_channels, modules


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0 seconds"),
        (-5, "0 seconds"),
        (1, "1 second"),
        (59, "59 seconds"),
        (60, "60 seconds"),
        (61, "1 minute, 1 second"),
        (120, "2 minutes"),
        (3600, "60 minutes"),
        (3601, "1 hour, 1 second"),
        (3723, "1 hour, 2 minutes, 3 seconds"),
        (86400, "24 hours"),
        (8 * 86400 + 7200, "1 week, 1 day, 2 hours"),
        (366 * 86400, "1 year, 24 hours"),
        (2 * 365 * 86400 + 14 * 86400 + 90, "2 years, 2 weeks, 1 minute, 30 seconds"),
    ],
)
def test_durations_name_every_unit_that_is_not_zero(seconds: int, shown: str) -> None:
    assert duration(seconds) == shown


def test_long_names_of_modules_push_the_rest_to_the_right() -> None:
    head, short, long, count = modules([("a.so", "x" * 50, 3), ("n" * 34 + ".so", "About", 0)])
    assert short == f"{'a.so':<30} {'x' * 40} 3          Running              core\n"
    assert long.startswith("n" * 34 + ".so About ")
    assert head.startswith("Module ")
    assert count == "2 modules loaded\n"


def test_channels_tell_their_levels() -> None:
    rows = list(log_channels([LogChannel("Console", "Console", "default", True, ("ERROR",))]))
    assert rows[0] == "Logger queue limit: 1000\n\n"
    assert rows[-1] == f"{'Console':<35} Console  default    Enabled    - ERROR \n"


def test_clock_times_are_in_utc() -> None:
    assert clock(0) == "1970-01-01 00:00:00 UTC"
