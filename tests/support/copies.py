"""Instances that begin as copies of a process that has loaded what each of them loads.

Loading takes nine tenths of the processor's time of a start, and hundreds of tests start an
instance.  What it loads a little later is there from the start.  What is tested is the same, from
`pjreg_cli.entry.main` on.  Where the start itself is what a test is about, the program itself is
started.
"""

from __future__ import annotations

import marshal
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from select import select
from threading import Lock
from types import TracebackType
from typing import Self

SERVER = Path(__file__).with_name("copied.py")


class Copy:
    """A process as `subprocess.Popen` shows it; `told` is where its end will be read."""

    def __init__(self, command: Sequence[str], told: int) -> None:
        self.returncode: int | None = None
        self._command = list(command)
        self._told = told
        self.pid = self._next()

    def _next(self) -> int:
        number = os.read(self._told, 4)
        assert number, "nobody makes copies any more"
        return int.from_bytes(number, "little", signed=True)

    def poll(self) -> int | None:
        """The exit status, if it has ended."""
        return self._ended(0)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end, at most so many seconds; the exit status.

        Raises `subprocess.TimeoutExpired`.
        """
        status = self._ended(timeout)
        if status is None:
            raise subprocess.TimeoutExpired(self._command, timeout or 0.0)
        return status

    def _ended(self, timeout: float | None) -> int | None:
        if self.returncode is None and select([self._told], [], [], timeout)[0]:
            self.returncode = self._next()
            os.close(self._told)
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send a signal, if it still runs."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)


class Copies:
    """Makes copies of a process that starts with the first of them."""

    def __init__(self, program: str, variables: Mapping[str, str]) -> None:
        self._program = program
        self._variables = variables
        self._lock = Lock()
        self._server: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None

    def start(
        self, command: Sequence[str], folder: Path, variables: Mapping[str, str], output: int
    ) -> Copy:
        """A copy with this command line, which begins with the program; stdout and stderr go to
        `output`."""
        assert command[0] == self._program
        said = marshal.dumps((str(folder), list(command), dict(variables)))
        told, teller = os.pipe()
        try:
            socket.send_fds(self._asked(), [said], [output, teller])
        finally:
            os.close(teller)
        return Copy(command, told)

    def _asked(self) -> socket.socket:
        """The way to the process, which runs from now on."""
        with self._lock:
            if self._control is None:
                self._control, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
                with its:
                    self._server = subprocess.Popen(
                        [sys.executable, "-P", str(SERVER), str(its.fileno()), self._program],
                        env=self._variables,
                        stdin=subprocess.DEVNULL,
                        stdout=subprocess.DEVNULL,
                        pass_fds=[its.fileno()],
                    )
            return self._control

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._control is not None:
            self._control.close()
        if self._server is not None:
            self._server.wait()
