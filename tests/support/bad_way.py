"""A way between two network namespaces that loses, doubles, delays and forgets packets.

    python -m tests.support.bad_way INSIDE OUTSIDE

It opens a device `net` in each and carries IP packets between them.  Lines on its input change how:
`lose P`, `double P`, `delay P` (parts of 1; what is delayed is overtaken), and `forget`, which
drops from then on whatever belongs to TCP connections that there have been, as a NAT does that has
lost its table.  Every line is answered by one.
"""

from __future__ import annotations

import ctypes
import fcntl
import heapq
import os
import random  # noqa: TID251 -- chances of its own
import selectors
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count

from tests.support.instance import ROOT
from tests.support.namespaces import INSIDE, OUTSIDE, in_namespace, namespace

_CLONE_NEWNET = 0x4000_0000
_TUNSETIFF = 0x4004_54CA
_TUN_WITHOUT_HEAD = 0x1001
_LARGEST = 65_536
_TCP = 6
#: the longest delay, in seconds
_LATE_S = 0.3

Flow = frozenset[tuple[bytes, bytes]]


class BadWay:
    """The way itself; `ends` are the devices of both sides."""

    def __init__(self, ends: tuple[int, int], seed: int = 7) -> None:
        self.chances = {"lose": 0.0, "double": 0.0, "delay": 0.0}
        self._ends = ends
        self._random = random.Random(seed)
        self._late: list[tuple[float, int, int, bytes]] = []
        self._number = count()
        self._flows: set[Flow] = set()
        self._forgotten: set[Flow] = set()

    def obey(self, line: str) -> None:
        """Change what happens."""
        word, _, value = line.partition(" ")
        if word == "forget":
            self._forgotten |= self._flows
        else:
            self.chances[word] = float(value)

    def came(self, end: int) -> None:
        """Carry what has come in at one end."""
        packet = os.read(self._ends[end], _LARGEST)
        if _is_tcp(packet):
            flow = _flow(packet)
            self._flows.add(flow)
            if flow in self._forgotten:
                return
        if self._happens("lose"):
            return
        for _ in range(2 if self._happens("double") else 1):
            late_s = self._random.uniform(0, _LATE_S) if self._happens("delay") else 0.0
            due_at = time.monotonic() + late_s  # noqa: TID251 -- real packets take real time
            heapq.heappush(self._late, (due_at, next(self._number), 1 - end, packet))

    def deliver(self) -> float | None:
        """Hand over what is due; seconds until something is again."""
        while self._late:
            left_s = self._late[0][0] - time.monotonic()  # noqa: TID251
            if left_s > 0:
                return left_s
            _, _, end, packet = heapq.heappop(self._late)
            with suppress(OSError):  # that device is down: lost
                os.write(self._ends[end], packet)
        return None

    def _happens(self, what: str) -> bool:
        return self._random.random() < self.chances[what]


def _is_tcp(packet: bytes) -> bool:
    return packet[0] >> 4 == 4 and packet[9] == _TCP


def _flow(packet: bytes) -> Flow:
    ports = (packet[0] & 15) * 4
    return frozenset(
        (
            (packet[12:16], packet[ports : ports + 2]),
            (packet[16:20], packet[ports + 2 : ports + 4]),
        )
    )


def _device(name: str) -> int:
    """A device `net` in a namespace; packets are read from and written to it."""
    with open(f"/run/netns/{name}") as there:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.setns(there.fileno(), _CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"cannot enter {name}")
    made = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(made, _TUNSETIFF, struct.pack("16sH22x", b"net", _TUN_WITHOUT_HEAD))
    return made


def main(inside: str, outside: str) -> None:
    """Carry until the input ends."""
    way = BadWay((_device(inside), _device(outside)))
    with selectors.DefaultSelector() as selector:
        selector.register(sys.stdin, selectors.EVENT_READ, None)
        for end, device in enumerate(way._ends):
            selector.register(device, selectors.EVENT_READ, end)
        print("ready", flush=True)
        while True:
            for key, _ in selector.select(way.deliver()):
                if key.data is not None:
                    way.came(key.data)
                elif line := os.read(0, 4096).decode():
                    for one in line.splitlines():
                        way.obey(one)
                    print("done", flush=True)
                else:
                    return


class Carried:
    """Two namespaces, and the process that carries packets between them."""

    def __init__(self, inside: str, outside: str, process: subprocess.Popen[str]) -> None:
        self.inside = inside
        self.outside = outside
        self._process = process

    def becomes(self, **chances: float) -> None:
        """Lose, double, delay so much of what is carried."""
        for what, chance in chances.items():
            self._say(f"{what} {chance}")

    def forget(self) -> None:
        """Carry nothing more of the TCP connections that there are."""
        self._say("forget")

    def unplug(self) -> None:
        """The interface inside is gone, and with it the route."""
        in_namespace(self.inside, "link set net down")

    def plug(self) -> None:
        """It is back."""
        in_namespace(self.inside, "link set net up")
        in_namespace(self.inside, "route add default dev net")

    def within(self, name: str) -> list[str]:
        """What a command line begins with so that it runs in this namespace."""
        return ["ip", "netns", "exec", name]

    def _say(self, line: str) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(line, file=self._process.stdin, flush=True)
        assert self._process.stdout.readline() == "done\n"


@contextmanager
def bad_way() -> Iterator[Carried]:
    """A way that is good until it is told otherwise; taken down with the block."""
    with namespace() as inside, namespace() as outside:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.bad_way", inside, outside],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
        )  # fmt: skip
        with process:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            for name, address in ((inside, INSIDE), (outside, OUTSIDE)):
                in_namespace(name, f"address add {address}/24 dev net")
                in_namespace(name, "link set net up")
                in_namespace(name, "route add default dev net")
            yield Carried(inside, outside, process)
            assert process.stdin is not None
            process.stdin.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
