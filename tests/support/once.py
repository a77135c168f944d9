"""What is made once for all tests that run at once, in however many processes."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

import pytest


def once(name: str, make: Callable[[Path], None], temporary: pytest.TempPathFactory) -> Path:
    """A folder that `make` has filled; whoever comes first makes it, the others wait for that."""
    own = temporary.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / name
    folder.mkdir(exist_ok=True)
    made = folder / "made"
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            made.mkdir()
            try:
                make(made)
            except BaseException:
                made.rename(folder / f"failed-{os.getpid()}")
                raise
    return made
