"""The runner of the conformance kit, which stays from one case to the next.

    python -m tests.support.kit KIT PROGRAM

A line on its input is the name of a case; the answer is a line of JSON: what differs.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import BinaryIO

from tests.support.copies import Copies, Copy
from tests.support.instance import ROOT
from tests.support.ports import free_port

#: a command takes a fiftieth of a second: where it took so many seconds, the machine had others to
#: serve, and the case, which goes by the clock, is played again, as long as not so many seconds are
#: over: the longest case takes 80
_SLOW_S = 0.3
_PATIENCE_S = 60.0


def _main(kit: Path, program: str) -> None:
    # seconds are compared: where that is allowed, tests that compute are no hindrance
    with suppress(OSError):
        os.nice(-10)
    # the kit's modules are beside each other, and know nothing of us
    sys.path.insert(0, str(kit))
    run, driver = import_module("run"), import_module("driver")
    # ports that no other test is given meanwhile
    setattr(import_module("case"), "_free_port", free_port)  # noqa: B010 -- a module of another
    longest_s, command = 0.0, driver.Pjreg.cli

    def timed(target: object, line: str) -> tuple[str, int]:
        nonlocal longest_s
        began = time.perf_counter()
        output, status = command(target, line)
        longest_s = max(longest_s, time.perf_counter() - began)
        return output, status

    def start(command: Sequence[str], *, stdout: BinaryIO, cwd: Path, **_same: object) -> Copy:
        return copies.start(command, cwd, os.environ, stdout.fileno())

    setattr(driver.Pjreg, "cli", timed)  # noqa: B010 -- as above
    copies = Copies(program, os.environ)
    # of the module, what the kit starts an instance with
    setattr(driver, "subprocess", SimpleNamespace(**{**vars(subprocess), "Popen": start}))  # noqa: B010
    for line in sys.stdin:
        (case,) = run.find_cases(kit / "cases", [line.strip()])
        until = time.perf_counter() + _PATIENCE_S
        while True:
            longest_s = 0.0
            problems = run.check(case, lambda home: driver.Pjreg(home, program), keep=False)
            if not problems or longest_s < _SLOW_S or time.perf_counter() > until:
                break
        print(json.dumps(problems), flush=True)


class Kit:
    """The process; it begins with the first case."""

    def __init__(self, folder: Path, program: str) -> None:
        self._command = [sys.executable, "-m", "tests.support.kit", str(folder), program]
        self._process: subprocess.Popen[str] | None = None

    def problems(self, case: str) -> list[str]:
        """Play a case; what was not as it should be."""
        if self._process is None:
            self._process = subprocess.Popen(
                self._command,
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        process, self._process = self._process, None
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(f"{case}\n")
            process.stdin.flush()
            answer = process.stdout.readline()
            assert answer, f"the runner has ended with {process.wait()}"
            self._process = process
        finally:
            if self._process is None:
                _end(process)
        found: list[str] = json.loads(answer)
        return found

    def close(self) -> None:
        """End it."""
        if self._process is not None:
            _end(self._process)
            self._process = None


def _end(process: subprocess.Popen[str]) -> None:
    with process:
        process.kill()


if __name__ == "__main__":
    _main(Path(sys.argv[1]), sys.argv[2])
