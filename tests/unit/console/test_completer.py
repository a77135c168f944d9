"""What Tab and `?` make of a line."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prompt_toolkit.utils import get_cwidth

from pjreg_cli.commands.command import Suggestion
from pjreg_cli.console.completer import (
    FULL,
    Completed,
    asks,
    complete,
    explained,
    in_columns,
    question,
)


def words(typed: str, *texts: str) -> Sequence[Suggestion]:
    return [Suggestion(text, -len(typed), f"about {text}") for text in texts]


def test_the_only_way_on_is_taken_with_a_blank() -> None:
    assert complete("pjsip sh", words("sh", "show")) == Completed("pjsip show ", ())


def test_several_ways_are_followed_as_far_as_they_agree_and_listed() -> None:
    completed = complete("pjsip show reg", words("reg", "registrations", "registration"))
    assert completed == Completed("pjsip show registration", ("registration", "registrations"))


def test_what_has_no_way_on_stays() -> None:
    assert complete("bogus x", ()) == Completed("bogus x", ())


def test_all_names_are_listed_after_a_blank() -> None:
    completed = complete("pjsip send register ", words("", "outreg", "*all"))
    assert completed == Completed("pjsip send register ", ("*all", "outreg"))


def test_letter_case_of_the_command_is_put_right() -> None:
    assert complete("PJ", words("PJ", "pjsip")).text == "pjsip "


def test_nothing_typed_is_taken_away_where_words_differ_in_case_only() -> None:
    assert complete("tr", words("tr", "TRUNK", "trunk")).text == "tr"


def test_the_same_word_offered_twice_is_one() -> None:
    assert complete("sh", words("sh", "show", "show")) == Completed("show ", ())


def test_a_list_cut_short_says_nothing_about_how_all_names_begin() -> None:
    names = [f"trunk-00{number:04}" for number in range(FULL)]
    assert complete("x tr", words("tr", *names)).text == "x tr"


@given(
    st.text(alphabet="ab ", max_size=5),
    st.lists(st.text(alphabet="abc*", min_size=1, max_size=6), max_size=6),
)
def test_completion_never_invents(head: str, texts: list[str]) -> None:
    completed = complete(head, words("", *texts))
    added = completed.text.removeprefix(head)
    assert completed.text.startswith(head)
    assert all(f"{text} ".startswith(added) for text in texts) or not texts


def test_columns_are_two_blanks_apart_as_in_asterisk() -> None:
    assert in_columns(("send", "set", "show"), 100, 20) == "send  set   show\n"
    names = ("*all", "my_provider", "outreg")
    assert in_columns(names, 100, 20) == "*all         my_provider  outreg\n"


def test_columns_keep_to_the_width() -> None:
    text = in_columns([f"name{number}" for number in range(30)], 40, 20)
    assert all(len(line) <= 40 for line in text.splitlines())
    assert len(text.split()) == 30


def test_a_word_broader_than_the_screen_has_a_line_of_its_own() -> None:
    assert in_columns(("a" * 50, "b"), 20, 20) == "a" * 50 + "\nb\n"


def test_what_does_not_fit_on_the_screen_is_counted() -> None:
    text = in_columns([f"n{number:03}" for number in range(100)], 18, 5)
    lines = text.splitlines()
    assert len(lines) == 5
    assert lines[-1] == "... and 88 more: type another letter"


def test_broad_signs_are_counted_as_they_are_seen() -> None:
    line = in_columns(("语语", "abcd", "x"), 100, 20)
    assert get_cwidth(line.rstrip("\n").partition("x")[0]) == 12


def test_nothing_has_no_columns() -> None:
    assert in_columns((), 80, 24) == ""


def test_explanations_are_aligned_and_cut() -> None:
    suggestions = [Suggestion("show", 0, "Show things " * 10), Suggestion("set", 0, "")]
    lines = explained(suggestions, 40, 20).splitlines()
    assert lines[0] == "  set"
    assert lines[1].startswith("  show  Show things Show")
    assert lines[1].endswith("...")
    assert len(lines[1]) <= 40


@pytest.mark.parametrize("text", ["", "pjsip ", "pjsip show registration", 'show "a" ', "likely "])
def test_a_question_mark_asks(text: str) -> None:
    assert asks(text)


@pytest.mark.parametrize(
    "text",
    ["!ls ", "  !ls", 'show "a', "show a\\", "pjsip show registrations like a", "x WHERE y"],
)
def test_a_question_mark_is_meant_literally(text: str) -> None:
    assert not asks(text)


@pytest.mark.parametrize(
    ("line", "about"),
    [
        ("pjsip show ?", "pjsip show "),
        ("pjsip show ?  ", "pjsip show "),
        ("?", None),
        ("pjsip show registrations like ?", None),
        ("pjsip show a?", None),
        ("pjsip show", None),
    ],
)
def test_an_entered_line_may_be_a_question(line: str, about: str | None) -> None:
    assert question(line) == about
