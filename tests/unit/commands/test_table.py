"""Commands as words: matching, listing, guessing."""

from __future__ import annotations

import pytest

from pjreg_cli.commands import table
from pjreg_cli.commands.command import Answer, Command


def command(words: str) -> table.Syntax:
    return table.syntax(Command(words, f"Usage: {words}\n", "", lambda _call: Answer()))


COMMANDS = table.listed(
    command(words)
    for words in (
        "pjsip show registrations",
        "pjsip show registration",
        "pjsip list registrations",
        "pjsip set logger {on|off|host}",
        "pjsip set history {on|off|clear}",
        "pjsip send register",
        "pjsip send unregister",
        "pjsip show history",
        "module show [like]",
        "module reload",
        "core show version",
        "core reload",
        "core stop now",
    )
)


def found(line: str) -> str:
    command = table.find(COMMANDS, line.split())
    return command.command.words if command else ""


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("pjsip show registrations", "pjsip show registrations"),
        ("PJSIP Show REGISTRATIONS extra", "pjsip show registrations"),
        ("pjsip show registration x", "pjsip show registration"),
        ("pjsip show reg", ""),
        ("pjsip sh registrations", ""),
        ("pjsip", ""),
        ("pjsip set logger on", "pjsip set logger {on|off|host}"),
        ("pjsip set logger HOST x", "pjsip set logger {on|off|host}"),
        ("pjsip set logger", ""),
        ("pjsip set logger bogus", ""),
        ("module show", "module show [like]"),
        ("module show like x", "module show [like]"),
        ("module show bogus", "module show [like]"),
    ],
)
def test_command_is_found_by_whole_words(line: str, words: str) -> None:
    assert found(line) == words


def test_command_that_takes_the_most_words_is_meant() -> None:
    commands = [command("core stop"), command("core stop now")]
    best = table.find(commands, ["core", "stop", "now", "please"])
    assert best is not None
    assert best.command.words == "core stop now"


@pytest.mark.parametrize(
    ("line", "guess"),
    [
        ("bogus", "bogus"),
        ("bogus command here", "bogus command"),
        ("a b c d", "a b"),
        ("pjsip a b c d", "pjsip a b"),
        ("pjsip show a b c d", "pjsip show a b"),
        ("pjsip send foo bar baz", "pjsip send foo bar"),
        ("pjsip list foo bar baz qux", "pjsip list foo bar"),
        ("core a b c", "core a b"),
        ("core show a b c", "core show a b"),
        ("module a b c", "module a b"),
        ("pjsip set history bogus", "pjsip set history"),
        ("pjsip set logger", "pjsip set logger"),
        ("pj show registrations", "pj show"),
        ("pjsip sh registrations", "pjsip sh registrations"),
        ("help pjsip send unregister", "help pjsip"),
        ("pjsip list registration alice", "pjsip list registration alice"),
    ],
)
def test_guess_goes_as_far_as_asterisk_does(line: str, guess: str) -> None:
    assert table.guess(COMMANDS, line.split()) == guess


def test_commands_are_listed_by_their_letters_and_those_that_begin_alike_as_they_came() -> None:
    assert [c.command.words for c in COMMANDS] == [
        "core reload",
        "core show version",
        "core stop now",
        "module reload",
        "module show [like]",
        "pjsip list registrations",
        "pjsip send register",
        "pjsip send unregister",
        "pjsip set history {on|off|clear}",
        "pjsip set logger {on|off|host}",
        "pjsip show history",
        "pjsip show registrations",
        "pjsip show registration",
    ]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("core reload", "core reload"),
        ("CORE Reload", "core reload"),
        ("core reload now", ""),
        ("core", ""),
        ("module show", "module show [like]"),
        ("pjsip set history", ""),
        ("pjsip set history on", ""),
        ("", ""),
    ],
)
def test_help_finds_a_command_by_exactly_its_words(line: str, words: str) -> None:
    command = table.exactly(COMMANDS, line.split())
    assert (command.command.words if command else "") == words


def test_alias_of_an_existing_command_is_dropped() -> None:
    defined = {"core reload": "bogus", "Module Show like": "x", "regs": "pjsip show registrations"}
    assert [c.command.words for c in table.aliases(defined, COMMANDS)] == ["regs"]


def test_alias_that_goes_on_behind_a_command_is_kept() -> None:
    defined = {"core reload all": "core reload"}
    assert [c.expansion for c in table.aliases(defined, COMMANDS)] == ["core reload"]
