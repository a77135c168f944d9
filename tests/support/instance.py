"""pjreg-cli as a process of its own, asked by one-shot commands."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_PROGRAM = (sys.executable, "-m", "pjreg_cli")
_READY_S = 15.0
_POLL_S = 0.05


def until(condition: Callable[[], bool], what: str, timeout_s: float = 20.0) -> None:
    """Wait until `condition` holds; an AssertionError that names `what` when it never does."""
    end = time.monotonic() + timeout_s  # noqa: TID251 -- other processes have no manual clock
    while not condition():
        assert time.monotonic() < end, f"never came true: {what}"  # noqa: TID251
        time.sleep(_POLL_S)


@dataclass(slots=True)
class Instance:
    """A running instance with its configuration directory."""

    directory: Path
    process: subprocess.Popen[bytes]

    @property
    def socket(self) -> Path:
        """Its control socket."""
        return self.directory / "ctl"

    @property
    def log(self) -> str:
        """What it said on standard error so far."""
        return (self.directory / "log").read_text(errors="replace")

    def ask(self, command: str) -> str:
        """What a console command prints."""
        done = subprocess.run(
            [*_PROGRAM, "-s", str(self.socket), "-r", "-x", command],
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
        return done.stdout

    def status(self, name: str) -> str:
        """The status of a registration as the table shows it; empty where it is not listed."""
        for line in self.ask("pjsip show registrations").splitlines():
            if line.startswith(f" {name}/"):
                found = re.search(r"\b(Registered|Unregistered|Rejected|Stopped)\b", line)
                return found[1] if found else ""
        return ""

    def becomes(self, name: str, status: str, timeout_s: float = 20.0) -> None:
        """Wait until the registration has this status."""
        until(lambda: self.status(name) == status, f"{name} {status}", timeout_s)

    def stop(self) -> int:
        """SIGTERM; the exit status."""
        self.process.terminate()
        try:
            return self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise


@contextmanager
def running_instance(directory: Path, configuration: str) -> Iterator[Instance]:
    """An instance with this pjsip.conf in `directory`, stopped at the end."""
    (directory / "pjsip.conf").write_text(configuration)
    socket = directory / "ctl"
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(
            [*_PROGRAM, "-C", str(directory), "-s", str(socket), "-f"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, "NO_COLOR": "1"},
        )
    instance = Instance(directory, process)
    try:
        until(lambda: socket.exists() or process.poll() is not None, "control socket", _READY_S)
        assert process.poll() is None, instance.log
        yield instance
    finally:
        if process.poll() is None:
            instance.stop()
