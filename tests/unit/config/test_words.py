"""Words that were probably meant."""

from __future__ import annotations

from pjreg_cli.config.words import LOWER, meant, nearest


def test_nearest_known_word_is_found_whatever_its_letter_case() -> None:
    known = ("max_retries", "retry_interval")
    assert nearest("Max-Retry", known) == "max_retries"
    assert meant("retry_intervall", known) == ", did you mean 'retry_interval'?"


def test_nothing_near_and_too_many_to_compare_say_nothing() -> None:
    assert meant("zzz", ("max_retries",)) == ""
    assert nearest("a1", tuple(f"a{n}" for n in range(300))) == ""


def test_lower_case_is_computed_once() -> None:
    assert LOWER["Type"] is LOWER["Type"] == "type"
