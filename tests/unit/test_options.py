"""pjreg_cli/options.py"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pjreg_cli.errors import UsageError
from pjreg_cli.options import SPELLINGS, USAGE, config_path, parse


def test_no_arguments_leave_everything_at_its_default() -> None:
    options = parse([])
    assert (options.mode, options.lines, options.dialect, options.wait_s) == (
        "auto",
        [],
        "current",
        10.0,
    )


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["-rx", "pjsip show registrations"], {"mode": "remote", "verbose": 0}),
        (["-rvvv"], {"mode": "remote", "verbose": 3}),
        (["-cvvvd"], {"mode": "console", "verbose": 3, "debug": 1}),
        (["-fnd", "-d"], {"mode": "foreground", "color": "never", "debug": 2}),
        (["-R"], {"mode": "remote", "reconnect": True}),
        (["-sSOCKET", "-C", "DIR"], {"socket": "SOCKET", "config": "DIR"}),
        (["--socket=SOCKET", "--config=DIR"], {"socket": "SOCKET", "config": "DIR"}),
        (["-rsSOCKET"], {"mode": "remote", "socket": "SOCKET"}),
        (["--dialect", "12", "--json"], {"dialect": "12", "json": True}),
        (["--color", "always"], {"color": "always"}),
        (["--register", "--wait", "2.5", "x"], {"register": True, "wait_s": 2.5}),
        (["-f", "--reveal-secrets"], {"reveal_secrets": True}),
        (["-V"], {"version": True}),
        (["-rVh"], {"version": True, "help": True}),
    ],
)
def test_options_combine_as_in_asterisk(arguments: list[str], expected: dict[str, object]) -> None:
    options = parse(arguments)
    assert {name: getattr(options, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("arguments", "lines"),
    [
        (["pjsip", "show", "registrations"], ["pjsip show registrations"]),
        (["pjsip show registrations"], ["pjsip show registrations"]),
        (["-x", "a", "-x", "b"], ["a", "b"]),
        (["-xa", "-rxb", "c", "d"], ["a", "b", "c d"]),
        (["core", "set", "debug", "-1"], ["core set debug -1"]),
        (["a", "--json", "b"], ["a b"]),
        (["pjreg", "status", "--nothing", "b"], ["pjreg status --nothing b"]),
        (["pjsip", "show", "registration", "trunk a"], ['pjsip show registration "trunk a"']),
        (["core show uptime", "seconds"], ["core show uptime seconds"]),
        (["a", 'say "x', "b\\c", ""], [r'a "say \"x" "b\\c" ""']),
        (["a", '"b c"'], ['a "b c"']),
        (["a", "-n", "b", "-v"], ["a b"]),
        (["a", "like", "-n", "--x"], ["a like -n --x"]),
        (["a", "--", "--json"], ["a --json"]),
        (["--", "-x"], ["-x"]),
        (["-x", ""], [""]),
    ],
)
def test_words_become_command_lines(arguments: list[str], lines: list[str]) -> None:
    assert parse(arguments).lines == lines


def test_spelt_out_options_may_follow_the_command() -> None:
    options = parse(["pjsip", "show", "registrations", "--json", "--dialect", "12"])
    assert (options.json, options.dialect) == (True, "12")


@pytest.mark.parametrize("program", ["demo", "check", "completion", "init"])
def test_sub_programs_are_known_by_their_first_word(program: str) -> None:
    assert parse([program]).program == program
    assert parse(["-n", program, "more"]).program == program
    assert parse(["-r", program]).program == ""
    assert parse(["-x", "a", program]).program == ""
    assert parse(["core", program]).program == ""


def test_options_of_a_sub_program_may_follow_it() -> None:
    options = parse(["check", "--strict", "-C", "DIR"])
    assert (options.strict, options.config, options.words) == (True, "DIR", ["check"])


@pytest.mark.parametrize(
    ("arguments", "piece"),
    [
        (["--bogus"], "--bogus"),
        (["a", "--jsn"], "did you mean '--json'?"),
        (["-z"], "-z"),
        (["-rz"], "-rz"),
        (["-x"], "-x"),
        (["--socket"], "--socket"),
        (["--socket="], "--socket"),
        (["-C", ""], "--config"),
        (["--json=yes"], "--json"),
        (["--dialect", "11"], "'11'"),
        (["--color", "blue"], "'blue'"),
        (["--wait", "-1"], "'-1'"),
        (["--wait", "nan"], "'nan'"),
        (["-fc"], "exclude"),
        (["-cr"], "exclude"),
        (["-f", "core", "show"], "--foreground"),
        (["--register"], "--register"),
        (["-r", "--register", "x"], "--register"),
    ],
)
def test_bad_usage_names_the_piece(arguments: list[str], piece: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(arguments)
    assert piece in str(caught.value)


@given(st.lists(st.text(max_size=8) | st.sampled_from([*SPELLINGS, "-r", "-x", "-vd", "--"])))
def test_parser_raises_nothing_but_usage_errors(arguments: list[str]) -> None:
    with suppress(UsageError):
        assert all(isinstance(line, str) for line in parse(arguments).lines)


def test_every_spelling_is_explained() -> None:
    shown = {"--verbose", "--debug"}  # by their letters
    assert [name for name in SPELLINGS if name not in USAGE and name not in shown] == []


# -- colour -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "terminal", "variables", "expected"),
    [
        ([], True, {}, True),
        ([], False, {}, False),
        ([], True, {"NO_COLOR": "1"}, False),
        ([], True, {"NO_COLOR": ""}, True),
        ([], True, {"TERM": "dumb"}, False),
        (["-n"], True, {}, False),
        (["--color", "always"], False, {"NO_COLOR": "1"}, True),
        (["--color", "never"], True, {}, False),
    ],
)
def test_colour_is_for_terminals_that_want_it(
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    terminal: bool,
    variables: dict[str, str],
    expected: bool,
) -> None:
    for name, value in {"TERM": "xterm", **variables}.items():
        monkeypatch.setenv(name, value)
    if "NO_COLOR" not in variables:
        monkeypatch.delenv("NO_COLOR", raising=False)
    assert parse(arguments).coloured(terminal) is expected


# -- the configuration ------------------------------------------------------------------------


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home and a working directory without any configuration."""
    home, work = tmp_path / "home", tmp_path / "work"
    (home / ".config").mkdir(parents=True)
    work.mkdir()
    monkeypatch.chdir(work)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("PJREG_CONFIG", raising=False)
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    return tmp_path


def test_configuration_is_looked_for_in_the_order_promised(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert config_path(parse([])) == "/etc/pjreg-cli"
    own = place / "home" / ".config" / "pjreg-cli"
    own.mkdir()
    assert config_path(parse([])) == str(own)
    (place / "work" / "pjsip.conf").touch()
    assert config_path(parse([])) == "pjsip.conf"
    monkeypatch.setenv("PJREG_CONFIG", "/named")
    assert config_path(parse([])) == "/named"
    assert config_path(parse(["-C", "/given"])) == "/given"


def test_asterisks_own_configuration_is_never_taken_unasked(place: Path) -> None:
    assert "asterisk" not in config_path(parse([]))
