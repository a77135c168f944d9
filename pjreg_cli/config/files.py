"""The configuration on disk: lines for the reader, and whether it has changed since."""

from __future__ import annotations

import glob
import os
import re
import stat
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final, NamedTuple

from pjreg_cli.errors import ConfigError

Stamp = tuple[int, int, int] | None
"""Modification time in ns, size in bytes and inode of a file; None: it is not there."""

MAIN: Final = "pjsip.conf"
"""The file that must be there."""

_BRACES = re.compile(r"\{([^{}]*)\}")


class Fingerprint(NamedTuple):
    """Which files were read, in which state, and what wildcards matched."""

    stamps: Mapping[str, Stamp] = MappingProxyType({})
    found: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    directory: str = ""

    def beside(self, paths: Iterable[str]) -> Fingerprint:
        """The same with these files as they are now."""
        stamps = {**self.stamps, **{path: stamp(path) for path in paths}}
        return Fingerprint(MappingProxyType(stamps), self.found, self.directory)

    def untouched(self) -> bool:
        """Whether all of it is on disk as it was.  Nothing read counts as touched."""
        return (
            bool(self.stamps)
            and all(stamp(path) == old for path, old in self.stamps.items())
            and all(find(self.directory, what) == old for what, old in self.found.items())
        )


def joined(fingerprints: Iterable[Fingerprint], given_up: Iterable[str] = ()) -> Fingerprint:
    """Several as one; what was given up counts as touched."""
    stamps: dict[str, Stamp] = {}
    found: dict[str, tuple[str, ...]] = {}
    directory = ""
    for one in fingerprints:
        stamps |= one.stamps
        found |= one.found
        directory = one.directory or directory
    stamps |= dict.fromkeys(given_up, (0, 0, 0))
    return Fingerprint(MappingProxyType(stamps), MappingProxyType(found), directory)


class Disk:
    """A `reader.Source` that reads files and takes their fingerprint."""

    def __init__(self, directory: Path, instead: Mapping[str, str] | None = None) -> None:
        """`instead` has the texts of files that are to be read as if they were so."""
        self._directory = str(directory)
        self._instead = instead or {}
        self._stamps: dict[str, Stamp] = {}
        self._found: dict[str, tuple[str, ...]] = {}

    def lines(self, path: str) -> Iterable[str]:
        """The lines of a file with their line ends; raises OSError.

        Bytes that are no UTF-8 keep their values (PEP 383): they go out as they came in.
        """
        self._stamps[path] = stamp(path)
        if path in self._instead:
            yield from self._instead[path].splitlines(keepends=True)
            return
        with open(path, encoding="utf-8-sig", errors="surrogateescape", newline="\n") as file:
            yield from file

    def find(self, pattern: str) -> Sequence[str]:
        """Regular files that a name or wildcard means, sorted."""
        found = self._found[pattern] = find(self._directory, pattern)
        path = os.path.join(self._directory, pattern)
        return (path,) if path in self._instead and path not in found else found

    def fingerprint(self) -> Fingerprint:
        """Of everything read so far."""
        return Fingerprint(
            MappingProxyType(self._stamps), MappingProxyType(self._found), self._directory
        )


def locate(path: Path) -> tuple[Path, Path]:
    """The configuration directory and the pjsip.conf that `path`, one of the two, means.

    Raises ConfigError when there is neither.
    """
    try:
        if path.is_dir():
            directory, path = path, path / MAIN
        else:
            directory = path.parent
        kind = path.stat().st_mode
    except FileNotFoundError:
        raise ConfigError("there is no such file", str(path)) from None
    except (OSError, ValueError) as error:
        why = (getattr(error, "strerror", None) or str(error)).lower()
        raise ConfigError(f"cannot be read: {why}", str(path)) from error
    if stat.S_ISDIR(kind):
        raise ConfigError("cannot be read: it is a directory", str(path))
    if not stat.S_ISREG(kind):
        raise ConfigError("cannot be read: it is no regular file", str(path))
    if not readable(str(path)):
        raise ConfigError("cannot be read: permission denied", str(path))
    return directory, path


def stamp(path: str) -> Stamp:
    """The state of a file; None when it is not there or not to be looked at."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def find(directory: str, pattern: str) -> tuple[str, ...]:
    """Regular files under `directory` that a name, wildcard or `{a,b}` means, sorted."""
    found: list[str] = []
    for one in _alternatives(pattern):
        path = os.path.join(directory, one)
        try:
            names = sorted(glob.glob(path)) if glob.has_magic(one) else [path]
            found += [name for name in names if os.path.isfile(name)]
        except (re.error, ValueError):  # a name with a NUL, a bracket that is no range
            continue
    return tuple(found)


def readable(path: str) -> bool:
    """Whether we could read this file."""
    try:
        return os.path.isfile(path) and os.access(path, os.R_OK)
    except ValueError:
        return False


def _alternatives(pattern: str) -> list[str]:
    """`a{b,c}` as `ab` and `ac`."""
    inner = _BRACES.search(pattern)
    if inner is None:
        return [pattern]
    before, behind = pattern[: inner.start()], pattern[inner.end() :]
    return [one for word in inner[1].split(",") for one in _alternatives(before + word + behind)]
