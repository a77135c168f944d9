"""Status words, and nothing else, are coloured."""

from __future__ import annotations

import re

import pytest

from pjreg_cli.api.registrations import RegistrationRow
from pjreg_cli.dialects import CURRENT, TWELVE, Dialect
from pjreg_cli.render.colour import Span, paint, spans
from pjreg_cli.render.registrations import table

ROWS = [
    RegistrationRow("Registered", "sip:Rejected@Stopped", "Registered", "Rejected", -3),
    RegistrationRow("b", "sip:b", "", "Registered", 3),
    RegistrationRow("c", "sip:c", "", None, None),
    RegistrationRow("d", "sip:d", "", "Stopped", 0),
]


@pytest.mark.parametrize("dialect", [CURRENT, TWELVE])
def test_painting_adds_colour_and_never_other_text(dialect: Dialect) -> None:
    text = "".join(table(ROWS, dialect))
    painted = paint(text, enabled=True)
    assert re.sub(r"\x1b\[\d*m", "", painted) == text
    assert paint(text, enabled=False) == text


def test_each_word_has_its_colour() -> None:
    text = "".join(table(ROWS, CURRENT))
    painted = paint(text, enabled=True)
    assert "\x1b[32mRegistered\x1b[0m        (exp. 3s)" in painted
    assert "\x1b[31mRejected\x1b[0m          (exp. 3s ago)" in painted
    assert "\x1b[33mUnregistered\x1b[0m     0" in painted
    assert "\x1b[35mStopped\x1b[0m " in painted


def test_words_within_other_text_are_left_alone() -> None:
    text = "Registered: 3\n Rejected by us\nname/sip:Registered\n"
    assert list(spans(text)) == []


def test_spans_tell_where_the_words_are() -> None:
    assert list(spans(" a/b  n/a  Rejected  \n")) == [Span(11, 19, "Rejected")]
