"""Network namespaces with a NAT between: a private network, a router, and the world outside.

    inside 10.71.0.2 -- 10.71.0.1 router 198.51.100.1 -- 198.51.100.2 outside

They are made anew for each test, under names of this process, and nothing leaves them.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count

import pytest

#: addresses that nobody has (RFC 5737) and private ones
INSIDE, INSIDE_ROUTER = "10.71.0.2", "10.71.0.1"
OUTSIDE_ROUTER, OUTSIDE = "198.51.100.1", "198.51.100.2"

_RULES = """\
table ip nat {
    chain out {
        type nat hook postrouting priority 100;
        oifname "out" masquerade random
    }
}
"""
_numbers = count()


@dataclass(frozen=True, slots=True)
class Nat:
    """The names of the three namespaces."""

    inside: str
    router: str
    outside: str

    def within(self, name: str) -> list[str]:
        """What a command line begins with so that it runs in this namespace."""
        return ["ip", "netns", "exec", name]

    def cut(self) -> None:
        """Take the way inside away: the router is gone, and with it the route."""
        _ip(self.inside, "link set net down")

    def mend(self) -> None:
        """Give it back."""
        _ip(self.inside, "link set net up")
        _ip(self.inside, f"route add default via {INSIDE_ROUTER}")

    def inside_has(self, address: str) -> None:
        """Give the host inside another address, as a renewed lease does."""
        _ip(self.inside, "address flush dev net")
        _ip(self.inside, f"address add {address}/24 dev net")
        _ip(self.inside, f"route add default via {INSIDE_ROUTER}")


def require_namespaces() -> None:
    """Skip the test, saying why, where there can be no namespaces with a NAT."""
    if os.geteuid() != 0:
        pytest.skip("network namespaces need root")
    for program, package in (("ip", "iproute2"), ("nft", "nftables")):
        if shutil.which(program, path=_path()) is None:
            pytest.skip(f"{program} is not installed: apt-get install {package}")
    name = f"pjreg-{os.getpid()}-probe"
    try:
        _run("ip", "netns", "add", name)
        _run("ip", "netns", "exec", name, "nft", "-f", "-", stdin=_RULES)
    except subprocess.CalledProcessError as error:
        pytest.skip(f"network namespaces cannot be made here: {error.stderr.strip()}")
    finally:
        subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)


_CLONE_NEWNET = 0x40000000


@dataclass(frozen=True, slots=True)
class Island:
    """A namespace that has nothing but its loopback."""

    name: str

    @property
    def prefix(self) -> list[str]:
        """What a command line begins with so that it runs there."""
        return ["ip", "netns", "exec", self.name]

    def bound(self, kind: socket.SocketKind, port: int) -> socket.socket:
        """A socket bound to a port of its loopback, for a process that is not there."""
        made: list[socket.socket] = []

        def make() -> None:
            # a namespace is a thread's, and a socket belongs to where it was made
            with open(f"/run/netns/{self.name}") as namespace:
                if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), _CLONE_NEWNET):
                    return
            sock = socket.socket(socket.AF_INET, kind)
            sock.bind(("127.0.0.1", port))
            made.append(sock)

        thread = threading.Thread(target=make)
        thread.start()
        thread.join()
        return made[0]

    def swallow(self, port: int) -> None:
        """Drop every packet to and from a TCP port; nobody is told."""
        rules = "".join(f"tcp {word} {port} drop\n" for word in ("sport", "dport"))
        chain = f"chain in {{\ntype filter hook input priority 0;\n{rules}}}\n"
        _run(*self.prefix, "nft", "-f", "-", stdin=f"table ip cut {{\n{chain}}}\n")

    def let_pass(self) -> None:
        """End that."""
        _run(*self.prefix, "nft", "delete", "table", "ip", "cut")


@contextmanager
def island() -> Iterator[Island]:
    """Such a namespace, gone with the block."""
    made = Island(f"pjreg-{os.getpid()}-{next(_numbers)}-island")
    try:
        _run("ip", "netns", "add", made.name)
        _ip(made.name, "link set lo up")
        yield made
    finally:
        subprocess.run(["ip", "netns", "del", made.name], capture_output=True, check=False)


@contextmanager
def nat() -> Iterator[Nat]:
    """The network above, taken down with the block whatever happens in it."""
    prefix = f"pjreg-{os.getpid()}-{next(_numbers)}"
    made = Nat(f"{prefix}-in", f"{prefix}-nat", f"{prefix}-out")
    try:
        for name in (made.inside, made.router, made.outside):
            _run("ip", "netns", "add", name)
            _ip(name, "link set lo up")
        _cable(made.inside, made.router, "in", INSIDE, INSIDE_ROUTER)
        _cable(made.outside, made.router, "out", OUTSIDE, OUTSIDE_ROUTER)
        _ip(made.inside, f"route add default via {INSIDE_ROUTER}")
        _run(*made.within(made.router), "sysctl", "-qw", "net.ipv4.ip_forward=1")
        _run(*made.within(made.router), "nft", "-f", "-", stdin=_RULES)
        yield made
    finally:
        for name in (made.inside, made.router, made.outside):
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)


@contextmanager
def namespace() -> Iterator[str]:
    """A namespace of its own, with nothing but itself in it."""
    name = f"pjreg-{os.getpid()}-{next(_numbers)}"
    try:
        _run("ip", "netns", "add", name)
        _ip(name, "link set lo up")
        yield name
    finally:
        subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)


def in_namespace(name: str, words: str) -> None:
    """Have `ip` do something there."""
    _ip(name, words)


def _cable(name: str, router: str, port: str, address: str, router_address: str) -> None:
    """Connect a namespace with the router's `port`."""
    _ip(name, f"link add net type veth peer name {port} netns {router}")
    for namespace, device, own in ((name, "net", address), (router, port, router_address)):
        _ip(namespace, f"address add {own}/24 dev {device}")
        _ip(namespace, f"link set {device} up")


def _ip(namespace: str, words: str) -> None:
    _run("ip", "-n", namespace, *words.split())


def _run(*command: str, stdin: str = "") -> None:
    subprocess.run(
        command,
        input=stdin,
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PATH": _path()},
    )


def _path() -> str:
    return f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
