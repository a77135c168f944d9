"""A bounded run of every target: `python -m tests.fuzz.bounded FOLDER RUNS`.

All of them in one process: to make ready for coverage takes longer than so few inputs.  For each
target the folder has `TARGET.log` afterwards, and the exit status in `TARGET.status`.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import atheris

from tests.fuzz.corpus import folders

with atheris.instrument_imports(include=["pjreg_cli"]):
    from tests.fuzz.targets import TARGETS


def fuzz(name: str, folder: Path, runs: int) -> None:
    """Fuzz one target, and end."""
    log = os.open(folder / f"{name}.log", os.O_WRONLY | os.O_CREAT)
    for stream in (1, 2):
        os.dup2(log, stream)
    found = folder / name
    found.mkdir()
    corpora = [str(one) for one in folders(name) if one.is_dir()]
    options = [f"-runs={runs}", "-seed=1", "-max_len=4096", f"-artifact_prefix={found}-"]
    atheris.Setup(["fuzz", *options, str(found), *corpora], TARGETS[name])
    atheris.Fuzz()


def main(folder: Path, runs: int) -> None:
    """One target after the other, each in a child: the fuzzer ends the process it runs in."""
    for name in TARGETS:
        child = os.fork()
        if not child:
            fuzz(name, folder, runs)
            os._exit(1)  # not reached
        _, status = os.waitpid(child, 0)
        (folder / f"{name}.status").write_text(str(os.waitstatus_to_exitcode(status)))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
