"""The hosts file: names that need no name server."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping

from pjreg_cli.sip.locate import Question, Records

#: special-use: never asked of a name server, always this host (RFC 6761 section 6.3)
_LOCALHOST = "localhost"
_LOOPBACK = {"A": ("127.0.0.1",), "AAAA": ("::1",)}


def parse_hosts(text: str) -> Mapping[str, tuple[str, ...]]:
    """Addresses by name, lower case; lines that make no sense are passed over, as everywhere."""
    found: dict[str, tuple[str, ...]] = {}
    for line in text.splitlines():
        address, *names = line.partition("#")[0].split() or [""]
        try:
            shown = str(ipaddress.ip_address(address))
        except ValueError:
            continue
        for name in names:
            key = name.rstrip(".").lower()
            if shown not in found.get(key, ()):
                found[key] = (*found.get(key, ()), shown)
    return found


class Hosts:
    """A hosts file, read anew when it has changed.  `path` empty: no file."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._stamp: tuple[int, int] | None = None
        self._names: Mapping[str, tuple[str, ...]] = {}
        self.refresh()

    def refresh(self) -> None:
        """Read the file if it is another one than before; one that cannot be read is empty."""
        if not self._path:
            return
        try:
            status = os.stat(self._path)
            stamp = (status.st_mtime_ns, status.st_size)
            if stamp == self._stamp:
                return
            with open(self._path, encoding="utf-8", errors="replace") as file:
                self._names = parse_hosts(file.read())
            self._stamp = stamp
        except OSError:
            self._names, self._stamp = {}, None

    def answer(self, question: Question) -> Records | None:
        """What the file says; None when a name server has to be asked.  A name in the file has no
        records but those there; services below it are looked up as usual."""
        name, kind = question
        if name in self._names:
            version = {"A": 4, "AAAA": 6}.get(kind)
            return tuple(a for a in self._names[name] if (6 if ":" in a else 4) == version)
        if name == _LOCALHOST or name.endswith("." + _LOCALHOST):
            return () if name.startswith("_") else _LOOPBACK.get(kind, ())
        return None
