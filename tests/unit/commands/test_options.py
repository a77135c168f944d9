"""Options of our own commands."""

from __future__ import annotations

import pytest

from pjreg_cli.commands.options import OptionError, offered, told_apart


def test_words_flags_and_values_are_told_apart() -> None:
    given = told_apart(
        ["a", "--csv", "--sort=x", "--state", "y", "b", "--", "--z"],
        ["--csv"],
        ["--sort", "--state"],
    )
    assert given.words == ("a", "b", "--z")
    assert given.flags == {"--csv"}
    assert given.values == {"--sort": "x", "--state": "y"}


@pytest.mark.parametrize(
    ("args", "piece"),
    [
        (["--cvs"], "did you mean '--csv'?"),
        (["--sort"], "--sort needs a value"),
        (["--csv=1"], "there is no option --csv here"),
    ],
)
def test_what_cannot_be_understood_is_told(args: list[str], piece: str) -> None:
    with pytest.raises(OptionError) as caught:
        told_apart(args, ["--csv"], ["--sort"])
    assert piece in str(caught.value)


@pytest.mark.parametrize("text", ["", "soon", "-1", "nan", "3601"])
def test_numbers_have_their_limits(text: str) -> None:
    given = told_apart(["--timeout", text], [], ["--timeout"])
    with pytest.raises(OptionError):
        given.number("--timeout", 30, 3600)


def test_numbers_have_a_default() -> None:
    assert told_apart([], [], ["--timeout"]).number("--timeout", 30, 3600) == 30
    assert told_apart(["--timeout=1.5"], [], ["--timeout"]).number("--timeout", 30, 3600) == 1.5


def test_options_not_yet_given_are_offered_and_values_of_the_last() -> None:
    described = {"--csv": "for a spreadsheet", "--sort": "by a column"}
    assert [one.word for one in offered(["--csv"], described, {})] == ["--sort"]
    assert [one.word for one in offered(["--sort"], described, {"--sort": ["a"]})] == ["a"]
