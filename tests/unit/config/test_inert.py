"""Every option does something, or says that it does not."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from pjreg_cli.config import manager_conf, models, other_files
from pjreg_cli.config.types import OURS, inert_options, option_names

PACKAGE = Path(models.__file__).parents[1]
#: where options are defined, shown, compared and written, which is no effect
NO_EFFECT = {
    PACKAGE / "config" / name
    for name in ("models.py", "shown.py", "help.py", "changes.py", "check.py")
}
MODELS = (
    models.Registration,
    models.Auth,
    models.Transport,
    models.Global,
    models.System,
    manager_conf.ManagerAccount,
    manager_conf.ManagerSettings,
    other_files.Resolver,
    other_files.StatsdSettings,
    other_files.PjregSettings,
)


def read_somewhere() -> frozenset[str]:
    """Names of attributes that the program looks at, and texts it asks for by name."""
    found: set[str] = set()
    for source in PACKAGE.rglob("*.py"):
        if source in NO_EFFECT:
            continue
        for node in ast.walk(ast.parse(source.read_text("utf-8"))):
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
                found.add(node.attr)
            elif isinstance(node, ast.Call | ast.Subscript):
                asked = node.args if isinstance(node, ast.Call) else [node.slice]
                texts = (one.value for one in asked if isinstance(one, ast.Constant))
                found |= {text for text in texts if isinstance(text, str)}
            elif isinstance(node, ast.AnnAssign) and isinstance(node.value, ast.Constant):
                found |= {node.value.value} if isinstance(node.value.value, str) else set()
    return frozenset(found)


@pytest.mark.exhaustive
def test_option_that_nothing_reads_is_declared_inert() -> None:
    read = read_somewhere() | OURS
    silent = {
        model.__name__: sorted(names)
        for model in MODELS
        if (names := option_names(model) - inert_options(model) - read)
    }
    assert silent == {}
