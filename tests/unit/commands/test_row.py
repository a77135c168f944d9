"""The small parts commands are made of."""

from __future__ import annotations

from pjreg_cli.commands.row import Kind, Verdict, absent, failed, say, usage


def test_lines_said_get_their_ends() -> None:
    assert list(say("a", "").output) == ["a\n", "\n"]
    assert say("a").verdict is Verdict.DONE
    assert absent("a").verdict is Verdict.NEGATIVE
    assert failed("a").verdict is Verdict.FAILED


def test_usage_indents_its_explanation_but_not_its_empty_lines() -> None:
    assert usage("Usage: x", "a", "", "b") == "Usage: x\n       a\n\n       b\n"
    assert usage(" Usage: x", "a", indent=8) == " Usage: x\n        a\n"


def test_only_consoles_are_interactive() -> None:
    assert [kind for kind in Kind if kind.interactive] == [Kind.CONSOLE, Kind.REMOTE]
