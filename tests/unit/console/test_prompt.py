"""ASTERISK_PROMPT."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pjreg_cli.console.prompt import LOCAL, REMOTE, PromptValues, expand


def around(
    *, remote: bool = True, load: tuple[float, float, float] | None = (0.5, 1.25, 3.0)
) -> PromptValues:
    return PromptValues(
        hostname="pbx.example.com",
        system_name="berlin",
        user="operator",
        group="voice",
        remote=remote,
        now=lambda: datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC),
        load=lambda: load,
    )


@pytest.mark.parametrize(
    ("template", "shown"),
    [
        (REMOTE, "pbx.example.com*CLI> "),
        (LOCAL, "*CLI> "),
        ("%H:%h:%s", "pbx:pbx.example.com:berlin"),
        ("%d %t", "2026-03-04 05:06:07"),
        ("%u@%g", "operator@voice"),
        ("%#%%", ">%"),
        ("%l1 %l2 %l3", "0.50 1.25 3.00"),
        ("%l4%l", "4"),
        ("%q%", ""),
        ("plain", "plain"),
        ("", ""),
        ("%Cx", "x"),
    ],
)
def test_escapes_are_filled_in(template: str, shown: str) -> None:
    assert expand(template, around(), colour=True) == shown


def test_local_console_is_marked_by_a_hash() -> None:
    assert expand("%#", around(remote=False), colour=True) == "#"


def test_a_system_without_load_averages_shows_none() -> None:
    assert expand("[%l1]", around(load=None), colour=True) == "[]"


@pytest.mark.parametrize(
    ("template", "shown"),
    [
        ("%C31red", "\x1b[0;31mred\x1b[0m"),
        ("%C160;44x", "\x1b[1;32;44mx\x1b[0m"),
        ("%C37;34x", "\x1b[0;37;44mx\x1b[0m"),
        ("%C31a%C0b", "\x1b[0;31ma\x1b[0mb\x1b[0m"),
        ("%C99x", "\x1b[0mx\x1b[0m"),
        ("%C31;99x", "\x1b[0;31mx\x1b[0m"),
    ],
)
def test_colours_are_set_and_reset_at_the_end(template: str, shown: str) -> None:
    assert expand(template, around(), colour=True) == shown


@given(st.text(alphabet="%Cdhl#0123;49 x"))
def test_without_colour_no_prompt_holds_an_escape_code(template: str) -> None:
    assert "\x1b" not in expand(template, around(), colour=False)
