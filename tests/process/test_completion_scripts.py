"""`pjreg-cli completion SHELL`: the scripts, in the shells themselves, beside an instance."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.instance import PROGRAM, QUIET, Instance, environment, run
from tests.support.ports import free_port
from tests.support.terminal import Terminal

_BIN = str(Path(PROGRAM[0]).parent)


def needs(shell: str) -> pytest.MarkDecorator:
    """Skips aloud where a shell is not installed."""
    return pytest.mark.skipif(shutil.which(shell) is None, reason=f"{shell} is not installed")


def variables(instance: Instance) -> dict[str, str]:
    """The environment of a shell that finds our program first."""
    ours = environment(instance.home)
    return {**ours, "PATH": f"{_BIN}:{ours['PATH']}", "PYTHONWARNINGS": ""}


def in_bash(instance: Instance, *words: str) -> list[str]:
    """What bash offers for the last of `words`."""
    line = " ".join(f"'{word}'" for word in words)
    script = f"""
        source <(pjreg-cli completion bash)
        COMP_WORDS=({line})
        COMP_CWORD=$(( ${{#COMP_WORDS[@]}} - 1 ))
        _pjreg_cli
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(
        ["bash", "-c", script],
        env=variables(instance),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout.split()


# -- bash, word by word -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["pjsip", "show", "registration", "my"], ["my_provider"]),
        (["-s", "SOCKET", "pjsip", "send", "unregister", "my"], ["my_provider"]),
        (["-rs", "SOCKET", "pjsip", "send", "register", ""], ["\\*all", "my_provider"]),
        (["pjsip", "show", "registra"], ["registration", "registrations"]),
        (["pj"], ["pjreg", "pjsip"]),
        (["dem"], ["demo"]),
        (["completion", "z"], ["zsh"]),
        (["--reg"], ["--register"]),
        (["demo", "pjsip", "sho"], ["show"]),
        (["pjsip", "show", "registration", "nobody"], []),
        (["-C", ""], []),
    ],
)
def test_bash_offers_what_the_console_would(
    shared: Instance, words: list[str], offered: list[str]
) -> None:
    filled = [str(shared.socket) if word == "SOCKET" else word for word in words]
    assert sorted(in_bash(shared, "pjreg-cli", *filled)) == offered


def offered(home: Path, *words: str) -> list[str]:
    """What is suggested for the last of `words` where no instance runs, without explanations."""
    done = run("completion", "suggest", "--", *words, home=home)
    assert done.err == ""
    return [line.partition("\t")[0] for line in done.out.splitlines()]


def test_commands_are_offered_on_a_fresh_machine(home: Path) -> None:
    assert {"demo", "check", "completion", "pjsip", "core"} <= set(offered(home, ""))
    assert offered(home, "pjsip", "show", "registra") == ["registration", "registrations"]
    assert offered(home, "pjsip", "show", "registration", "") == []


def test_names_of_the_configuration_are_offered_where_no_instance_runs(home: Path) -> None:
    (home / "pjsip.conf").write_text(QUIET.format(port=1), "utf-8")
    assert offered(home, "pjsip", "show", "registration", "") == ["my_provider"]
    assert offered(home, "-C", str(home), "pjsip", "send", "register", "my") == ["my_provider"]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["--dialect", ""], ["current", "12"]),
        (["--color", "a"], ["auto", "always"]),
        (["--color=n"], ["--color=never"]),
        (["pjsip", "--dia"], ["--dialect"]),
        (["-C", ""], []),
        (["init", "--provider", "te"], ["telnyx"]),
        (["init", "--provider=si"], ["--provider=sipgate"]),
        (["init", "--prov"], ["--provider"]),
        (["init", ""], []),
    ],
)
def test_values_of_options_are_offered(home: Path, words: list[str], found: list[str]) -> None:
    assert offered(home, *words) == found


# -- every shell, at the keyboard -------------------------------------------------------------

_SHELLS = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], "source <(pjreg-cli completion bash)"),
    "zsh": (
        ["zsh", "-f", "-i"],
        "autoload -Uz compinit; compinit -D; source <(pjreg-cli completion zsh)",
    ),
    "fish": (["fish", "--no-config", "-i"], "pjreg-cli completion fish | source"),
}


@pytest.mark.parametrize("shell", [pytest.param(name, marks=needs(name)) for name in _SHELLS])
def test_tab_completes_a_registration_of_the_running_instance(shared: Instance, shell: str) -> None:
    command, load = _SHELLS[shell]
    with Terminal(command, environment=variables(shared), columns=120) as terminal:
        terminal.enter(f"{load}; echo rea''dy")
        terminal.until("ready")
        terminal.type("pjreg-cli pjsip show registration my\t")
        terminal.until("registration my_provider")
        terminal.enter("")
        terminal.until("client_uri               : sip:client@registrar.invalid")


ODD = """
[a very odd "name"]
type = registration
server_uri = sip:registrar.invalid
client_uri = sip:odd@registrar.invalid
max_random_initial_delay = 1000000
"""


@pytest.mark.parametrize("begun", ["a", "'a very", '"a v'])
@pytest.mark.parametrize("shell", [pytest.param(name, marks=needs(name)) for name in _SHELLS])
def test_name_with_blanks_is_completed_and_understood(home: Path, shell: str, begun: str) -> None:
    name = "a very odd (name)"
    instance = Instance(home, QUIET.format(port=free_port()) + ODD.replace('"name"', "(name)"))
    instance.start()
    command, load = _SHELLS[shell]
    try:
        with Terminal(command, environment=variables(instance), columns=150) as terminal:
            terminal.enter(f"{load}; echo rea''dy")
            terminal.until("ready")
            terminal.type(f"pjreg-cli pjsip show registration {begun}\t")
            terminal.until("(name")
            terminal.enter("")
            terminal.until("client_uri               : sip:odd@registrar.invalid")
            assert name in terminal.text
    finally:
        instance.stop()


@pytest.mark.parametrize("name", ["trunk a", "a\\b", "say-'x'", "*", "trunk  two"])
def test_word_of_the_shell_is_a_word_of_the_console(shared: Instance, name: str) -> None:
    done = run("pjsip", "show", "registration", name, home=shared.home)
    assert done.out == f"Unable to find object {name}.\n\n"


def test_unknown_shell_is_bad_usage(home: Path) -> None:
    done = run("completion", "tcsh", home=home)
    assert done.status == 2
    assert "bash, zsh, fish" in done.err
