"""sipp as a registrar: one process plays one scenario of `fixtures/sipp`."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.instance import PATIENCE_S, ROOT
from tests.support.ports import LOOPBACK, free_port
from tests.support.waiting import until

SCENARIOS = ROOT / "fixtures" / "sipp"


def require_sipp() -> None:
    """Skip the test, saying why, where there is no sipp."""
    if shutil.which("sipp") is None:
        pytest.skip("sipp is not installed: apt-get install sip-tester")


class Sipp:
    """A registrar that plays `scenario` for each Call-ID.

    `lost` is the percentage of messages thrown away in each direction; somebody whose scenario has
    ended then begins anew.
    """

    def __init__(
        self,
        home: Path,
        scenario: str,
        *,
        protocol: str = "udp",
        lost: int = 0,
        port: int = 0,
    ) -> None:
        self.port = port or free_port()
        self._folder = home / f"sipp-{self.port}"
        self._folder.mkdir()
        self._protocol = protocol
        self._command = [
            *("sipp", "-sf", str(SCENARIOS / f"{scenario}.xml"), "-i", LOOPBACK),
            *("-p", str(self.port), "-t", {"udp": "u1", "tcp": "t1"}[protocol]),
            *("-nostdin", "-trace_err", "-error_file", "errors"),
        ]
        if lost:
            self._command += ["-lost", str(lost), "-deadcall_wait", "0"]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it listens."""
        with (self._folder / "out").open("wb") as out:
            self._process = subprocess.Popen(
                self._command,
                cwd=self._folder,
                stdout=out,
                stderr=out,
                stdin=subprocess.DEVNULL,
                env={**os.environ, "TERM": "dumb"},
            )
        until(self._listens, "sipp listens")

    def played(self) -> None:
        """Let it come to its end, and see that every message was as the scenario wants it."""
        assert self._process is not None
        # told to go, it stays until no scenario is under way
        self._process.send_signal(signal.SIGUSR1)
        code = self._process.wait(PATIENCE_S)
        assert code == 0, self.complaints()

    def stop(self) -> None:
        """End it, wherever it stands."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def complaints(self) -> str:
        """What it found wrong."""
        errors = self._folder / "errors"
        return errors.read_text(errors="replace") if errors.exists() else "no complaints"

    def _listens(self) -> bool:
        """Whether its port is there, by the tables of the kernel: a message to it would count."""
        assert self._process is not None
        assert self._process.poll() is None, (self._folder / "out").read_text(errors="replace")
        rows = Path(f"/proc/net/{self._protocol}").read_text().splitlines()[1:]
        return any(row.split()[1].endswith(f":{self.port:04X}") for row in rows)


@contextmanager
def playing(home: Path, scenario: str, **options: Any) -> Iterator[Sipp]:
    """A scenario that is played for the length of a block.  Any: `options` are Sipp's."""
    one = Sipp(home, scenario, **options)
    one.start()
    try:
        yield one
    finally:
        one.stop()
