"""`pjreg-cli completion SHELL`: the scripts, in the shells themselves, beside an instance."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.instance import PROGRAM, Instance, environment, run
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
        timeout=30,
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
    instance: Instance, words: list[str], offered: list[str]
) -> None:
    filled = [str(instance.socket) if word == "SOCKET" else word for word in words]
    assert sorted(in_bash(instance, "pjreg-cli", *filled)) == offered


def test_nothing_but_our_own_programs_is_offered_where_no_instance_runs(home: Path) -> None:
    assert run("completion", "suggest", "--", "", home=home).out.split() == [
        "demo",
        "check",
        "completion",
    ]
    assert run("completion", "suggest", "--", "pjsip", "", home=home).out == ""


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
def test_tab_completes_a_registration_of_the_running_instance(
    instance: Instance, shell: str
) -> None:
    command, load = _SHELLS[shell]
    with Terminal(command, environment=variables(instance), columns=120) as terminal:
        terminal.enter(f"{load}; echo rea''dy")
        terminal.until("ready")
        terminal.type("pjreg-cli pjsip show registration my\t")
        terminal.until("registration my_provider")
        terminal.enter("")
        terminal.until("client_uri               : sip:client@registrar.invalid")


def test_unknown_shell_is_bad_usage(home: Path) -> None:
    done = run("completion", "tcsh", home=home)
    assert done.status == 2
    assert "bash, zsh, fish" in done.err
