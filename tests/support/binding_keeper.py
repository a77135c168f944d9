"""A registrar in a process of its own, which notes every binding that was not refreshed in time.

with BindingKeeper.running(folder) as keeper:
    ... register with keeper.port ...
    keeper.wait_for_refreshes(3)
    assert keeper.lapses() == []
"""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60.0
#: seconds a binding lives; it is refreshed 10 s before its end
GRANTED_S = 12


class BindingKeeper:
    """The process, and the notes it takes."""

    def __init__(self, port: int, notes: Path) -> None:
        self.port = port
        self._notes = notes

    @classmethod
    @contextmanager
    def running(cls, folder: Path) -> Iterator[BindingKeeper]:
        """Run one that writes its notes in `folder`."""
        notes = folder / "registrar"
        notes.touch()
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.binding_keeper", str(notes)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        try:
            yield cls(int(process.stdout.readline()), notes)
        finally:
            process.terminate()
            process.wait()
            process.stdout.close()

    def refreshes(self) -> Counter[str]:
        """How many REGISTERs each user has sent."""
        return Counter(line.split()[1] for line in self._lines() if line.startswith("kept"))

    def lapses(self) -> list[str]:
        """The users whose binding had ended when they came again."""
        return [line.split()[1] for line in self._lines() if line.startswith("lapsed")]

    def wait_for_refreshes(self, number: int, users: int = 1) -> None:
        """Wait until each of so many users has sent `number` REGISTERs more."""
        before = self.refreshes()
        deadline = time.monotonic() + PATIENCE_S  # noqa: TID251 -- another process is waited for
        while True:
            now = self.refreshes()
            now.subtract(before)
            if sum(count >= number for count in now.values()) >= users:
                return
            assert time.monotonic() < deadline, f"no more than {dict(now)}"  # noqa: TID251
            time.sleep(0.05)

    def _lines(self) -> list[str]:
        return self._notes.read_text().splitlines()


# -- the process ------------------------------------------------------------------------------

_HEADER = re.compile(r"^(via|from|to|call-id|cseq|contact|expires)[ \t]*:[ \t]*(.*)$", re.I | re.M)
_USER = re.compile(r"<sips?:([^@>]+)@")


def _answer(request: str, ends_at: dict[str, float], now: float) -> tuple[str, str]:
    """The response, and the note."""
    headers = {found[1].lower(): found[2].strip() for found in _HEADER.finditer(request)}
    user = _USER.search(headers["to"])
    assert user is not None
    name = user[1]
    lapsed = ends_at.get(name, now) < now
    leaving = headers.get("expires") == "0"
    if leaving:
        ends_at.pop(name, None)
    else:
        ends_at[name] = now + GRANTED_S
    lines = [
        "SIP/2.0 200 OK",
        *(f"{name}: {headers[name]}" for name in ("via", "from", "call-id", "cseq")),
        f"to: {headers['to']};tag=keeper",
        *([] if leaving else [f"contact: {headers['contact']};expires={GRANTED_S}"]),
        "content-length: 0",
    ]
    note = f"lapsed {name}\n" if lapsed else ""
    return "\r\n".join(lines) + "\r\n\r\n", f"{note}{'left' if leaving else 'kept'} {name}\n"


def main(notes: str) -> None:
    """Serve until the process is terminated."""
    ends_at: dict[str, float] = {}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock, open(notes, "a") as kept:
        sock.bind(("127.0.0.1", 0))
        print(sock.getsockname()[1], flush=True)
        while True:
            data, peer = sock.recvfrom(65_535)
            if not data.startswith(b"REGISTER"):
                continue
            answer, note = _answer(data.decode(), ends_at, time.monotonic())  # noqa: TID251
            kept.write(note)
            kept.flush()
            sock.sendto(answer.encode(), peer)


if __name__ == "__main__":
    main(sys.argv[1])
