"""What the console asks of the system."""

from __future__ import annotations

from pathlib import Path

import pytest
from prompt_toolkit.enums import EditingMode

from pjreg_cli.console.environment import editing_mode, history_path, prompt_values


@pytest.mark.parametrize(
    ("environment", "path"),
    [
        ({}, "/home/op/.local/state/pjreg-cli/history"),
        ({"XDG_STATE_HOME": "/var/state"}, "/var/state/pjreg-cli/history"),
        ({"XDG_STATE_HOME": "relative"}, "/home/op/.local/state/pjreg-cli/history"),
    ],
)
def test_the_history_is_where_the_xdg_says(environment: dict[str, str], path: str) -> None:
    assert history_path(environment, Path("/home/op")) == Path(path)


@pytest.mark.parametrize(
    ("environment", "mode"),
    [
        ({}, EditingMode.EMACS),
        ({"AST_EDITMODE": "vi"}, EditingMode.VI),
        ({"AST_EDITMODE": "VI "}, EditingMode.VI),
        ({"AST_EDITMODE": "emacs"}, EditingMode.EMACS),
        ({"AST_EDITOR": "vi"}, EditingMode.VI),
        ({"AST_EDITMODE": "emacs", "AST_EDITOR": "vi"}, EditingMode.EMACS),
        ({"AST_EDITMODE": "nonsense"}, EditingMode.EMACS),
    ],
)
def test_keys_are_those_asked_for(environment: dict[str, str], mode: EditingMode) -> None:
    assert editing_mode(environment) is mode


def test_everything_a_prompt_needs_is_known() -> None:
    around = prompt_values("pbx.example.com", remote=True)
    assert around.hostname == around.system_name == "pbx.example.com"
    assert around.user
    assert around.group
    assert around.now().tzinfo is not None
