"""The walls between the rooms: that they stand, and that each would hold."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.tree import PACKAGE, ROOT, name_of, sources

#: what makes code depend on more than its arguments
IMPURE = frozenset(
    {"asyncio", "socket", "ssl", "time", "random", "secrets", "threading", "logging", "subprocess"}
)

#: a module of each wall's wrong side, and the line that would breach it
BREACHES = {
    "Layers": ("net/udp.py", "import pjreg_cli.engine.engine"),
    "Front ends know only the port": ("ami/server.py", "import pjreg_cli.net.pool"),
    "Pure modules stay pure": ("registration/machine.py", "import time"),
    "The one-shot client loads almost nothing": ("remote.py", "import json"),
    "pydantic only in config": ("engine/entry.py", "import pydantic"),
    "prompt_toolkit and rich only in console": ("instance/lifecycle.py", "import rich"),
    "DNS only in net": ("engine/fleet.py", "import dns.resolver"),
    "Databases only in store": ("instance/program.py", "import sqlite3"),
    "Metrics libraries only in metrics": ("engine/engine.py", "import prometheus_client"),
}


def imported(tree: ast.AST) -> set[str]:
    """The top names of what a module imports, at its head or anywhere else."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found


def says_pure(tree: ast.Module) -> bool:
    """Whether a module's docstring calls it pure."""
    return re.search(r"\bpure\b", ast.get_docstring(tree) or "", re.IGNORECASE) is not None


def impure_imports(text: str) -> set[str]:
    """What a module that calls itself pure imports though it should not."""
    tree = ast.parse(text)
    return imported(tree) & IMPURE if says_pure(tree) else set()


@pytest.mark.parametrize("source", sources(), ids=name_of)
def test_what_calls_itself_pure_is_pure(source: Path) -> None:
    assert impure_imports(source.read_text("utf-8")) == set()


def test_a_module_that_only_claims_to_be_pure_is_found_out() -> None:
    assert impure_imports('"""Sums; pure."""\ndef now():\n    import time\n') == {"time"}
    assert impure_imports('"""Clocks."""\nimport time\n') == set()


def contracts(root: Path) -> dict[str, bool]:
    """Every contract by name, and whether it is kept, for the package in `root`."""
    script = "from importlinter.cli import lint_imports_command as run; run()"
    done = subprocess.run(
        [sys.executable, "-c", script, "--no-cache"],
        cwd=root,
        env={"PYTHONPATH": str(root), "PATH": "", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.findall(r"^(.+) (KEPT|BROKEN)(?: \(.*\))?$", done.stdout, re.MULTILINE)
    assert found, done.stdout + done.stderr
    return {name: verdict == "KEPT" for name, verdict in found}


def test_every_wall_holds_against_a_breach(tmp_path: Path) -> None:
    shutil.copytree(PACKAGE, tmp_path / "pjreg_cli", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    assert set(contracts(tmp_path)) == set(BREACHES)
    for place, line in BREACHES.values():
        breached = tmp_path / "pjreg_cli" / place
        breached.write_text(f"{breached.read_text('utf-8')}\n{line}\n", "utf-8")
    kept = {name for name, stands in contracts(tmp_path).items() if stands}
    assert kept == set()


def test_no_line_is_exempt_from_the_checks_without_a_reason() -> None:
    bare = [
        f"{name_of(source)}:{number}"
        for source in sources()
        for number, line in enumerate(source.read_text("utf-8").splitlines(), 1)
        if re.search(r"#\s*(noqa|type:\s*ignore)", line) and " -- " not in line
    ]
    assert bare == []
