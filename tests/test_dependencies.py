"""docs/dependencies.md names what `pyproject.toml` wants, and from which release on."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator

import pytest

from tests.support.tree import ROOT

_PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
_WANTED = re.compile(r"([\w-]+(?:\[\w+\])?)>=([\d.]+)")


def wanted() -> Iterator[tuple[str, str]]:
    """Each package with its lower bound, also those of extras and of building."""
    project = _PROJECT["project"]
    extras = project["optional-dependencies"].values()
    lines = [*project["dependencies"], *(line for extra in extras for line in extra)]
    for line in (*lines, *_PROJECT["build-system"]["requires"]):
        found = _WANTED.match(line)
        assert found is not None, line
        yield found[1], found[2]


@pytest.mark.parametrize(("package", "bound"), sorted(set(wanted())))
def test_the_page_has_it_with_its_bound_and_a_reason(package: str, bound: str) -> None:
    page = (ROOT / "docs" / "dependencies.md").read_text("utf-8")
    rows = [line.split(" | ") for line in page.splitlines() if f"`{package}`" in line]
    assert [row[1] for row in rows] == [bound]
    assert len(rows[0][2]) > 5


def test_programs_of_the_tests_are_on_the_page() -> None:
    page = (ROOT / "docs" / "dependencies.md").read_text("utf-8")
    script = (ROOT / "tests" / "support" / "servers.sh").read_text("utf-8")
    packages = {pair.split(":")[1] for pair in re.findall(r"[\w-]+:[\w-]+", script)}
    assert {package for package in packages if package not in page} == set()
