"""Builds the wheel and the source distribution so that the same source gives the same bytes.

    python packaging/build.py FOLDER

Times are those of $SOURCE_DATE_EPOCH, else of the last commit.  Needs setuptools 70.1 or later.
"""

from __future__ import annotations

import gzip
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from setuptools import build_meta

ROOT = Path(__file__).resolve().parents[1]
#: what a build leaves behind or must not see
_NOT_SOURCE = ("build", "dist", "*.egg-info", ".*", "__pycache__")


def main(folder: Path) -> None:
    """Build both into `folder`."""
    folder = folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    epoch = os.environ.setdefault("SOURCE_DATE_EPOCH", _last_commit())
    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch) / "source"
        shutil.copytree(ROOT, source, ignore=shutil.ignore_patterns(*_NOT_SOURCE))
        os.chdir(source)
        # modes and times of a checkout are nobody's concern
        for path in source.rglob("*"):
            runs = path.is_dir() or path.stat().st_mode & 0o100
            path.chmod(0o755 if runs else 0o644)
            os.utime(path, (int(epoch), int(epoch)))
        built = build_meta.build_sdist(scratch)
        _write_again(Path(scratch) / built, folder / built, int(epoch))
        shutil.rmtree(source / "pjreg_cli.egg-info")
        print(folder / built)
        print(folder / build_meta.build_wheel(str(folder)))


def _last_commit() -> str:
    command = ["git", "-C", str(ROOT), "log", "-1", "--format=%ct"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def _write_again(built: Path, target: Path, epoch: int) -> None:
    """The same archive, in order and without a trace of who made it when."""
    plain = io.BytesIO()
    with tarfile.open(built) as old, tarfile.open(fileobj=plain, mode="w") as new:
        for member in sorted(old.getmembers(), key=lambda one: one.name):
            member.mtime, member.uid, member.gid = epoch, 0, 0
            member.uname = member.gname = ""
            member.pax_headers = {}
            new.addfile(member, old.extractfile(member) if member.isfile() else None)
    with target.open("wb") as file, gzip.GzipFile("", "wb", fileobj=file, mtime=epoch) as packed:
        packed.write(plain.getvalue())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
