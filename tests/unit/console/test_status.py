"""The console's own sentences."""

from __future__ import annotations

import pytest

from pjreg_cli.console.backend import InstanceFacts
from pjreg_cli.console.status import bar, farewell, greeting, summary

FACTS = InstanceFacts(
    "1.2", "/etc/pjreg-cli/pjsip.conf", "pbx", 12, {"Registered": 2, "Rejected": 1}
)


@pytest.mark.parametrize(
    ("counts", "text"),
    [
        ({}, "0 registrations"),
        ({"Registered": 1}, "1 registration: 1 registered"),
        (
            {"Unregistered": 3, "Rejected": 2, "Registered": 0},
            "5 registrations: 2 rejected, 3 unregistered",
        ),
    ],
)
def test_counts_are_summed_up(counts: dict[str, int], text: str) -> None:
    assert summary(counts) == text


def test_the_greeting_names_version_configuration_and_states() -> None:
    text = greeting(FACTS, remote=False)
    assert "pjreg-cli 1.2, /etc/pjreg-cli/pjsip.conf\n" in text
    assert "3 registrations: 2 registered, 1 rejected\n" in text
    assert "Connected" not in text


def test_a_remote_console_says_whom_it_talks_to() -> None:
    assert "Connected to pjreg-cli 1.2 on pbx (pid = 12)\n" in greeting(FACTS, remote=True)


def test_a_greeting_fits_eighty_columns() -> None:
    assert all(len(line) < 80 for line in greeting(FACTS, remote=True).splitlines())


def test_the_parting_says_why() -> None:
    assert (
        farewell(FACTS, "it ended")
        == "Disconnected from pjreg-cli 1.2 on pbx (pid = 12): it ended\n"
    )
    assert farewell(FACTS, "").endswith("(pid = 12)\n")


def seen(counts: dict[str, int]) -> str:
    return "".join(fragment[1] for fragment in bar(counts)).strip()


def test_the_bar_has_three_numbers_even_when_they_are_zero() -> None:
    assert seen({"Registered": 5}) == "5 registered   0 rejected   0 unregistered"


def test_the_bar_has_stopped_ones_while_there_are_some() -> None:
    assert seen({"Stopped": 1}).endswith("1 stopped")


def test_only_numbers_above_zero_are_coloured() -> None:
    styles = {text: style for style, text, *_ in bar({"Rejected": 2})}
    assert styles["2 rejected"] == "class:bar.rejected"
    assert styles["0 registered"] == ""


def test_what_is_under_way_comes_before_the_numbers() -> None:
    text = "".join(text for _, text, *_ in bar({"Registered": 10_000}, "stopping: 1 of 2"))
    assert text.startswith(" stopping: 1 of 2   10000 registered")
