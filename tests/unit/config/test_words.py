"""Words that were probably meant, and the order of names."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pjreg_cli.config.words import LOWER, in_order, meant, nearest


def test_nearest_known_word_is_found_whatever_its_letter_case() -> None:
    known = ("max_retries", "retry_interval")
    assert nearest("Max-Retry", known) == "max_retries"
    assert meant("retry_intervall", known) == ", did you mean 'retry_interval'?"


def test_nothing_near_and_too_many_to_compare_say_nothing() -> None:
    assert meant("zzz", ("max_retries",)) == ""
    assert nearest("a1", tuple(f"a{n}" for n in range(300))) == ""


def test_lower_case_is_computed_once() -> None:
    assert LOWER["Type"] is LOWER["Type"] == "type"


@given(st.lists(st.binary(max_size=4)))
def test_names_are_in_the_order_of_their_bytes(names: list[bytes]) -> None:
    decoded = [name.decode("utf-8", "surrogateescape") for name in names]
    assert [name.encode("utf-8", "surrogateescape") for name in in_order(decoded)] == sorted(names)


def test_names_beyond_ascii_are_in_the_order_of_their_bytes() -> None:
    names = ("b", "\udcff", "\U0001f600", "\uffff", "\xe9", "a")
    assert in_order(names) == ["a", "b", "\xe9", "\uffff", "\U0001f600", "\udcff"]
