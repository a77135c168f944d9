"""The lines typed, kept in a file between consoles."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterable
from pathlib import Path

from prompt_toolkit.history import History

from pjreg_cli.config.secrets import is_secret, masked_uri
from pjreg_cli.outlet import Outlet

_CLOSE_S = 0.5
_SETS = re.compile(r"([\w/]+)\s*=")
KEEP = 2_000
"""Lines offered; the file is cut back to them when it has grown to twice as many."""


class HistoryFile(History):
    """One line of UTF-8 for each command, oldest first, readable by its owner only.

    Several consoles may append to one file.  A home that cannot be written or read costs the
    history of other days and nothing else.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._outlet = Outlet("history", _Appended(path), _untold)
        super().__init__()

    def load_history_strings(self) -> Iterable[str]:
        """What is in the file, newest first."""
        try:
            lines = self._path.read_bytes().decode(errors="replace").splitlines()
        except OSError:
            return []
        if len(lines) > 2 * KEEP:
            self._cut_back(lines[-KEEP:])
        return [line for line in reversed(lines[-KEEP:]) if line.strip()]

    def store_string(self, string: str) -> None:
        """Append one line, in its own time: a home on a network may stand still.

        A line that holds a secret (`pjreg set office password=...`) is known to this console alone.
        """
        if _holds_a_secret(string):
            return
        line = " ".join(string.splitlines()).rstrip() + "\n"
        self._outlet.put(line.encode(errors="replace"))

    def close(self) -> None:
        """Wait a moment until what was typed is in the file."""
        self._outlet.close(_CLOSE_S)

    def _cut_back(self, lines: list[str]) -> None:
        try:
            handle, name = tempfile.mkstemp(dir=self._path.parent, prefix=".history-")
        except OSError:
            return
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.writelines(f"{line}\n" for line in lines)
            Path(name).replace(self._path)
        except OSError:
            Path(name).unlink(missing_ok=True)


class _Appended:
    """The file, opened for each write: it may be moved, and need not be there."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, data: memoryview) -> int:
        """Append lines; raises OSError."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            # A file made by other hands may be open to the world.
            os.fchmod(handle, 0o600)
            return os.write(handle, data)
        finally:
            os.close(handle)

    def gap(self, lost: int, why: str) -> bytes:
        """Nothing: a note is no command."""
        return b""

    def close(self) -> None:
        """It is closed already."""


def _holds_a_secret(line: str) -> bool:
    """Whether a line sets an option that is one, or has a URI with a password in it."""
    return any(map(is_secret, _SETS.findall(line))) or any(
        masked_uri(word) != word for word in line.split()
    )


def _untold(_why: str) -> None:
    """A history that cannot be kept is no trouble of the operator's."""
