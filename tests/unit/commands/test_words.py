"""A line taken apart into words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pjreg_cli.commands.words import joined, quote, tokenise


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("pjsip show registrations", ["pjsip", "show", "registrations"]),
        ("  pjsip\tshow   registrations ", ["pjsip", "show", "registrations"]),
        ("", []),
        (" \t ", []),
        ('a "b c" d', ["a", "b c", "d"]),
        ('al"ice"', ["alice"]),
        ('"alice', ["alice"]),
        ("no\\ such", ["no such"]),
        ("al\\ice", ["alice"]),
        ("a\\\\b", ["a\\b"]),
        ('a\\"b', ['a"b']),
        ('"a\\"b c"', ['a"b c']),
        ("'a b'", ["'a", "b'"]),
        ('a "" b', ["a", "", "b"]),
        ("a\\", ["a"]),
        ("a \\", ["a"]),
    ],
)
def test_line_is_taken_apart_as_a_shell_would(line: str, words: list[str]) -> None:
    assert [token.text for token in tokenise(line).words] == words


def test_words_know_where_they_stand() -> None:
    line = '  send "a b"  c'
    assert [line[t.start : t.end] for t in tokenise(line).words] == ["send", '"a b"', "c"]


def test_last_word_is_open_until_a_blank_follows() -> None:
    assert tokenise("pjsip sh").open
    assert not tokenise("pjsip sh ").open
    assert not tokenise("").open
    assert tokenise('show "my tr').open
    assert tokenise('show "my tr').quoted


@given(st.lists(st.text(), max_size=5))
def test_quoted_words_are_read_back(words: list[str]) -> None:
    line = joined(quote(word) for word in words)
    assert [token.text for token in tokenise(line).words] == words


@given(st.text(min_size=1))
def test_word_quoted_behind_a_double_quote_is_read_back(word: str) -> None:
    assert [token.text for token in tokenise(quote(word, opened=True)).words] == [word]


@given(st.text())
def test_any_line_can_be_taken_apart(line: str) -> None:
    tokens = tokenise(line).words
    assert all(0 <= t.start < t.end <= len(line) for t in tokens)
