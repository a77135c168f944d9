"""What Tab and `?` make of a line."""

from __future__ import annotations

import pytest

from pjreg_cli.commands.command import Suggestion, Suggestions
from pjreg_cli.console.completer import asks, completions, explained, further, question


def test_menu_has_the_words_with_a_word_on_each() -> None:
    (one,) = completions([Suggestion("telnyx", -3, "Registered")])
    assert (one.text, one.start_position, one.display_meta_text) == ("telnyx", -3, "Registered")


def test_what_does_not_fit_on_the_screen_is_counted_honestly() -> None:
    some = [Suggestion(f"trunk{number}", 0) for number in range(10)]
    assert explained(some, 80, 3) == ("  trunk0\n  trunk1\n... and 8 more: type another letter\n")
    cut = Suggestions(some, more=4_000)
    assert further(cut) == 4_000
    assert explained(cut, 80, 3).endswith("... and 4,008 more: type another letter\n")
    assert explained(cut, 80, 11).endswith("trunk9\n... and 4,000 more: type another letter\n")


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
