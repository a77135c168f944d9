"""The scripted registrar in a process of its own, to be run in another network namespace.

    python -m tests.support.served HOST PORT

It grants everything, over UDP and TCP, and writes what it saw as lines of JSON.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass

from tests.support.instance import ROOT
from tests.support.registrar import Registrar

_EVERY_S = 0.02


@dataclass(frozen=True, slots=True)
class Came:
    """A REGISTER that was answered for the first time."""

    user: str
    call_id: str
    cseq: int
    branch: str
    protocol: str
    port: int
    """The port it came from."""


async def _main(host: str, port: int) -> None:
    async with Registrar.open(host, port) as registrar:
        print("listening", flush=True)
        told = 0
        while True:
            await asyncio.sleep(_EVERY_S)
            for one in registrar.seen[told:]:
                came = Came(
                    one.user, one.header("call-id"), one.cseq, one.request.branch, one.protocol,
                    one.peer[1],
                )  # fmt: skip
                print(json.dumps(asdict(came)), flush=True)
            told = len(registrar.seen)


@contextmanager
def served(prefix: Sequence[str], host: str, port: int) -> Iterator[list[Came]]:
    """The registrar for the length of a block; what has come so far, and still grows."""
    came: list[Came] = []
    process = subprocess.Popen(
        [*prefix, sys.executable, "-m", "tests.support.served", host, str(port)],
        stdout=subprocess.PIPE, text=True, cwd=ROOT,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "listening\n"
    lines = process.stdout

    def read() -> None:
        came.extend(Came(**json.loads(line)) for line in lines)

    reading = threading.Thread(target=read)
    reading.start()
    try:
        yield came
    finally:
        process.terminate()
        process.wait()
        reading.join()
        lines.close()


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], int(sys.argv[2])))
