"""Colour adds codes and changes no character."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pjreg_cli.console.paint import Painter, paint, painted

CODES = re.compile(r"\x1b\[[0-9;]*m")


def bare(text: str) -> str:
    return CODES.sub("", text)


@pytest.mark.parametrize(
    ("line", "word"),
    [
        (" a/sip:b@c               n/a                         Registered        (exp. 20s)", 0),
        (" a/sip:b@c               auth                        Rejected          (exp. 5s ago)", 0),
        (" a/sip:b@c               n/a                         Unregistered     0", 0),
        (" a/sip:b@c               n/a                         Stopped           (exp. 2s)", 0),
        (" my_provider/sip:127.0.0.1:15999  provider_auth          Rejected        ", 0),
        ("[2026-03-04 05:06:07] WARNING[12] engine: my_provider was rejected", 0),
        ("<--- Transmitting SIP request (400 bytes) to UDP:127.0.0.1:5060 --->", 0),
    ],
)
def test_words_that_matter_are_painted(line: str, word: int) -> None:
    assert painted(line) != line
    assert bare(painted(line)) == line


def test_only_the_status_word_of_a_row_is_painted() -> None:
    row = " Registered/sip:Rejected@c   n/a    Registered        (exp. 20s)"
    before, _, after = painted(row).partition("\x1b[1;32m")
    assert before == " Registered/sip:Rejected@c   n/a    "
    assert after.startswith("Registered\x1b[0m  ")


@pytest.mark.parametrize(
    "line",
    [
        "",
        "Objects found: 2",
        " <Registration/ServerURI..............................>  <Auth....................>",
        "Registered",
        "retry_interval           : 60",
        "the Registered trunk of WARNING fame",
    ],
)
def test_everything_else_is_left_alone(line: str) -> None:
    assert painted(line) == line


@given(st.text(alphabet=" a/\nRegisteredWARNING[]()0123exp.s<->"), st.booleans())
def test_the_characters_stay_the_same(text: str, colour: bool) -> None:
    assert bare(paint(text, colour)) == text


@given(st.lists(st.sampled_from([" a/b  n/a  Reg", "istered   (exp. 1s)", "\n", "x"])))
def test_pieces_of_any_size_are_painted_alike(pieces: list[str]) -> None:
    painter = Painter(True)
    assert "".join(map(painter.feed, pieces)) + painter.rest() == paint("".join(pieces), True)


def test_without_colour_nothing_waits_for_its_line_to_end() -> None:
    assert Painter(False).feed("no end") == "no end"
