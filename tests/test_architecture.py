"""The way in: `docs/architecture.md` is true, and finds what it promises to find."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from tests.support.golden import Golden
from tests.support.tree import PACKAGE, ROOT, about, drawn, name_of, sources

PAGE = Path("docs/architecture.md")
_BLOCK = re.compile(r"```\n<!-- (layers|tree) -->\n.*?```", re.DOTALL)


def layers() -> str:
    """The layers as `pyproject.toml` has them, the highest first."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    for contract in project["tool"]["importlinter"]["contracts"]:
        if contract["type"] == "layers":
            return "\n".join(contract["layers"])
    raise AssertionError("there is no contract of layers")


def page() -> str:
    """The page with its drawn parts made anew."""
    parts = {"layers": layers, "tree": drawn}
    text = (ROOT / PAGE).read_text("utf-8")
    return _BLOCK.sub(lambda block: f"```\n<!-- {block[1]} -->\n{parts[block[1]]()}\n```", text)


def test_the_docs_page_of_the_architecture_is_current(golden: Golden) -> None:
    golden.check(PAGE, page())


@pytest.mark.parametrize("source", sources(), ids=name_of)
def test_every_module_says_in_a_line_what_it_is_about(source: Path) -> None:
    if source.name != "__init__.py":
        assert 10 <= len(about(source)) <= 110, about(source)


def test_files_that_the_page_names_exist() -> None:
    text = (ROOT / PAGE).read_text("utf-8")
    named = set(re.findall(r"`((?:[\w]+/)*\w+\.py)`", text)) - {"x.py"}
    missing = {
        name for name in named if not (PACKAGE / name).is_file() and not (ROOT / name).is_file()
    }
    assert named
    assert missing == set()


def test_modules_and_classes_that_the_page_names_exist() -> None:
    text = _BLOCK.sub("", (ROOT / PAGE).read_text("utf-8"))
    missing = set()
    for dotted in re.findall(r"`([a-z_]+(?:\.[a-zA-Z_]+)+)`", text):
        parts = dotted.split(".")
        if parts[-1] in ("py", "md"):
            continue
        if not (PACKAGE / parts[0]).exists() and not (PACKAGE / f"{parts[0]}.py").exists():
            continue
        file = PACKAGE
        while parts and ((file / parts[0]).is_dir() or (file / f"{parts[0]}.py").is_file()):
            name = parts.pop(0)
            file = file / name if (file / name).is_dir() else file / f"{name}.py"
        wanted = [part for part in parts if file.suffix == ".py"]
        body = file.read_text("utf-8") if file.suffix == ".py" else ""
        if parts != wanted or any(
            not re.search(rf"^\s*(?:class|def|async def) {part}\b|^{part}\b", body, re.MULTILINE)
            for part in wanted
        ):
            missing.add(dotted)
    assert missing == set()


def test_nothing_in_the_tree_refers_to_pages_that_are_not_in_it() -> None:
    outside = re.compile(
        r"\b(?:PRODUCT|HOUSE|ROADMAP)\b|\b(?:FACTS|ARCHITECTURE|STYLE|WHY|CLUSTER)\.md"
        r"|FACTS (?:say|and)|of FACTS"
    )
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for folder in ("pjreg_cli", "tests", "docs", "benchmarks", "fixtures")
        for path in sorted((ROOT / folder).rglob("*"))
        if path.suffix in (".py", ".md", ".txt", ".sh", ".toml", ".conf")
        and path != Path(__file__).resolve()
        for number, line in enumerate(path.read_text("utf-8", "replace").splitlines(), 1)
        if outside.search(line)
    ]
    assert found == []
