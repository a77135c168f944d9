"""What is handed out: the same bytes for the same source, and all of it where it belongs."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from pjreg_cli import __version__
from tests.support.instance import ROOT
from tests.support.once import once


@dataclass(frozen=True, slots=True)
class Built:
    """A wheel and a source distribution."""

    wheel: Path
    source: Path


def build(folder: Path) -> None:
    subprocess.run(
        [sys.executable, str(ROOT / "packaging" / "build.py"), str(folder)],
        check=True,
        capture_output=True,
        env={**os.environ, "SOURCE_DATE_EPOCH": "1700000000"},
    )


def found(folder: Path) -> Built:
    return Built(next(folder.glob("*.whl")), next(folder.glob("*.tar.gz")))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return found(once("dist", build, tmp_path_factory))


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory, built: Built) -> Path:
    """An environment of its own with the wheel in it, as pipx makes one.

    What the wheel depends on is lent by ours: nothing is fetched.
    """
    folder = tmp_path_factory.mktemp("clean")
    venv.create(folder, with_pip=False)
    python = folder / "bin" / "python"
    subprocess.run(
        [sys.executable, "-m", "pip", f"--python={python}", "install", "--no-index", "--no-deps",
         "--disable-pip-version-check", "-q", str(built.wheel)],
        check=True, capture_output=True,
    )  # fmt: skip
    site = next(folder.glob("lib/python*/site-packages"))
    (site / "lent.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    return folder


def test_the_same_source_gives_the_same_bytes(built: Built, tmp_path: Path) -> None:
    build(tmp_path)
    again = found(tmp_path)
    assert again.wheel.read_bytes() == built.wheel.read_bytes()
    assert again.source.read_bytes() == built.source.read_bytes()


def test_nothing_is_missing_or_too_much(built: Built) -> None:
    with zipfile.ZipFile(built.wheel) as wheel:
        names = set(wheel.namelist())
    modules = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "pjreg_cli").rglob("*")
        if path.suffix in (".py", ".typed") or "fixtures" in path.parts
        if path.is_file() and path.suffix != ".pyc"
    }
    assert modules <= names
    assert not [name for name in names if name.startswith(("tests", "benchmarks"))]
    data = f"pjreg_cli-{__version__}.data/data"
    assert f"{data}/share/man/man1/pjreg-cli.1" in names
    assert f"{data}/lib/systemd/system/pjreg-cli.service" in names
    with tarfile.open(built.source) as source:
        inside = {name.partition("/")[2] for name in source.getnames()}
    assert {"pyproject.toml", "packaging/build.py", "docs/sip.md", "Containerfile"} <= inside


def test_it_runs_where_there_is_nothing_else(clean: Path, tmp_path: Path) -> None:
    def run(*words: str) -> str:
        done = subprocess.run(
            [clean / "bin" / "pjreg-cli", *words],
            cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60,
            env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "TMPDIR": str(tmp_path)},
        )  # fmt: skip
        return done.stdout

    assert __version__ in run("--version")
    found = run("demo", "pjsip show registrations")
    assert "office/sip:127.0.0.1" in found
    assert (clean / "share" / "man" / "man1" / "pjreg-cli.1").exists()
