"""The tree of the package, as tests and documents look at it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "pjreg_cli"


def sources() -> list[Path]:
    """All modules of the package, sorted."""
    return sorted(PACKAGE.rglob("*.py"))


def name_of(source: Path) -> str:
    """`pjreg_cli.sip.digest`."""
    return ".".join(source.relative_to(ROOT).with_suffix("").parts)


def about(source: Path) -> str:
    """The first sentence or line of a module's docstring, without its full stop."""
    text = ast.get_docstring(ast.parse(source.read_text("utf-8"))) or ""
    first = " ".join(text.split("\n\n", 1)[0].split())
    return first.removesuffix(".")


def drawn() -> str:
    """The package as a tree: a line for each module, with what it is about."""
    return "\n".join(_lines(PACKAGE, ""))


def _lines(folder: Path, indent: str) -> Iterator[str]:
    yield f"{indent}{folder.name}/"
    inner = indent + "  "
    for path in sorted(folder.iterdir(), key=lambda path: (path.is_dir(), path.name)):
        if path.is_dir() and any(path.glob("*.py")):
            yield from _lines(path, inner)
        elif path.suffix == ".py" and about(path):
            yield f"{inner}{path.name:<22}{about(path)}"
