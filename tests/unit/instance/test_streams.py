"""Standard streams that are closed, gone, or stand still."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

_GAPS = """
import os
from pjreg_cli.instance import streams
streams.fill_gaps()
print(sorted(os.readlink(f"/proc/self/fd/{number}") for number in (0, 2)))
"""
_FULL = """
import sys
from pjreg_cli.instance import streams
sys.stdout.write("x" * 100)
print(streams.let_go(0.2), file=sys.stderr, flush=True)
{end}
"""
_PATIENCE_S = 30.0


def test_what_is_closed_becomes_the_null_device() -> None:
    command = [sys.executable, "-E", "-c", _GAPS]
    done = subprocess.run(
        ["/bin/sh", "-c", 'exec "$@" <&- 2>&-', "sh", *command],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=_PATIENCE_S,
    )
    assert done.stdout == "['/dev/null', '/dev/null']\n"


def test_a_reader_that_is_gone_leaves_the_status_alone() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [sys.executable, "-E", "-c", _FULL.format(end="")],
            stdout=writer,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=_PATIENCE_S,
        )
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (0, "True\n")


@pytest.mark.parametrize("end", ["import os; os._exit(7)"])
def test_a_stream_that_stands_still_is_left_behind(end: str) -> None:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    try:
        while True:
            os.write(writer, b"x" * 4096)
    except BlockingIOError:
        os.set_blocking(writer, True)
    try:
        done = subprocess.run(
            [sys.executable, "-E", "-c", _FULL.format(end=end)],
            stdout=writer,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=_PATIENCE_S,
        )
    finally:
        os.close(writer)
        os.close(reader)
    assert (done.returncode, done.stderr) == (7, "False\n")
