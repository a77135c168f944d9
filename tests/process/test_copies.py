"""Copies of a process that has loaded an instance do as the program does that is started."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from pjreg_cli.instance import later
from tests.support.copies import SERVER
from tests.support.instance import PROGRAM, QUIET, Instance, environment
from tests.support.ports import free_port
from tests.support.waiting import until


@pytest.mark.parametrize(
    "words",
    [
        ["--version"],
        ["--nonsense"],
        ["-f"],
        ["check", "etc"],
        ["-C", "etc", "--set", "x", "core show settings"],
    ],
    ids=" ".join,
)
def test_a_copy_says_and_ends_as_the_program_does(home: Path, words: list[str]) -> None:
    (home / "etc").mkdir()
    (home / "etc" / "pjsip.conf").write_text(QUIET.format(port=5060) + "[half\n")
    command, variables = [*PROGRAM, *words], environment(home)
    started = subprocess.run(
        command,
        cwd=home,
        env=variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    assert Instance.copies is not None
    with (home / "said").open("wb") as said:
        copy = Instance.copies.start(command, home, variables, said.fileno())
    assert copy.wait(60) == started.returncode
    assert (home / "said").read_bytes() == started.stdout != b""


def test_a_copy_that_is_killed_has_ended_so(home: Path) -> None:
    one = Instance(home, QUIET.format(port=free_port()))
    one.start()
    one.signal(signal.SIGKILL)
    assert one.wait() == -signal.SIGKILL
    assert one.stop() == -signal.SIGKILL


def test_copies_have_loaded_nothing_that_an_instance_does_not_load(home: Path) -> None:
    one = Instance(
        home, QUIET.format(port=free_port()), prefix=[sys.executable, "-X", "importtime"]
    )
    one.launch()
    until(lambda: later.MODULES[-1] in one.log(), "it has loaded what it may need later")
    assert one.stop() == 0
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with its:
        ours.close()
        done = subprocess.run(
            [sys.executable, "-X", "importtime", "-P", SERVER, str(its.fileno()), *PROGRAM],
            env=environment(home),
            pass_fds=[its.fileno()],
            capture_output=True,
            text=True,
            check=True,
        )
    # what is asked on the socket, and how
    assert loaded(done.stderr) - loaded(one.log()) <= {"array"}


def loaded(log: str) -> set[str]:
    """The modules that an interpreter tells to have imported."""
    lines = (line for line in log.splitlines() if line.startswith("import time:"))
    return {line.rpartition("|")[2].strip() for line in lines}
