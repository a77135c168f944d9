"""The scripted registrar in a process of its own, to be run in another network namespace.

    python -m tests.support.served HOST PORT

It grants everything, over UDP and TCP.  An empty line on its input asks what has come since the
last one; the answer is a line of JSON.  So a test that has seen somebody Registered finds his
REGISTER here: what is asked for is told, and nothing is on its way.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass

from tests.support.instance import ROOT
from tests.support.registrar import Registrar, Seen


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
    loop = asyncio.get_running_loop()
    asked = asyncio.StreamReader()
    async with Registrar.open(host, port) as registrar:
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(asked), sys.stdin)
        print("listening", flush=True)
        told = 0
        while await asked.readline():
            news = registrar.seen[told:]
            told += len(news)
            print(json.dumps([asdict(_came(one)) for one in news]), flush=True)


def _came(one: Seen) -> Came:
    return Came(
        one.user, one.header("call-id"), one.cseq, one.request.branch, one.protocol, one.peer[1]
    )


class Served:
    """The process, as a test sees it."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._came: list[Came] = []

    def came(self) -> list[Came]:
        """All that has come until now."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        self._came += [Came(**one) for one in json.loads(self._line())]
        return list(self._came)

    def wait(self) -> None:
        """Until it listens."""
        assert self._line() == "listening\n"

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the registrar has ended"
        return line


@contextmanager
def served(prefix: Sequence[str], host: str, port: int) -> Iterator[Served]:
    """The registrar for the length of a block."""
    command = [*prefix, sys.executable, "-m", "tests.support.served", host, str(port)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        try:
            registrar = Served(process)
            registrar.wait()
            yield registrar
        finally:
            process.terminate()


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], int(sys.argv[2])))
