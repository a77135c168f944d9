"""The lines typed, kept in a file between consoles."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from prompt_toolkit.history import History

KEEP = 2_000
"""Lines offered; the file is cut back to them when it has grown to twice as many."""


class HistoryFile(History):
    """One line of UTF-8 for each command, oldest first, readable by its owner only.

    Several consoles may append to one file.  A home that cannot be written or read costs the
    history of other days and nothing else.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
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
        """Append one line."""
        line = " ".join(string.splitlines()).rstrip() + "\n"
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        except OSError:
            return
        try:
            # A file made by other hands may be open to the world.
            os.fchmod(handle, 0o600)
            os.write(handle, line.encode(errors="replace"))
        except OSError:
            pass
        finally:
            os.close(handle)

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
