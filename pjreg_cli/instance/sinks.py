"""What the log is written to: a descriptor that is there, or a file that is rotated."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from itertools import pairwise
from typing import Protocol

Gap = Callable[[int, str], str]
"""The line that stands where lines were lost: how many, and why."""

_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC


class FileSettings(Protocol):
    """What `pjreg.conf` says about the log file."""

    @property
    def log_file(self) -> str:
        """Path; empty for none."""
        ...

    @property
    def log_format(self) -> str:
        """`text` or `json`."""
        ...

    @property
    def log_level(self) -> str:
        """One of `log_lines.FILE_LEVELS`."""
        ...

    @property
    def log_max_bytes(self) -> int:
        """Size after which it is rotated; 0 for never."""
        ...

    @property
    def log_keep(self) -> int:
        """How many rotated files stay."""
        ...


class Descriptor:
    """A stream that somebody else has opened, such as stderr."""

    def __init__(self, number: int, gap: Gap) -> None:
        self._number = number
        self._gap = gap
        self._at_start = True

    def write(self, data: memoryview) -> int:
        """Write some of it; raises OSError."""
        written = os.write(self._number, data)
        self._at_start = data[written - 1] == ord("\n")
        return written

    def gap(self, lost: int, why: str) -> bytes:
        """A line of its own."""
        return _line(self._gap(lost, why), self._at_start)

    def close(self) -> None:
        """It stays open: it is not ours."""


class LogFile:
    """A file that is begun anew when it is full, and opened again when it was moved away.

    `max_bytes` 0 means any size; `keep` files stay as `PATH.1`, `PATH.2`, ...  Raises OSError, and
    ValueError for what can be no path.  `complain` is told, once, why it cannot be renamed or
    opened again; what is written goes on to the old one then.
    """

    def __init__(
        self, path: str, max_bytes: int, keep: int, gap: Gap, complain: Callable[[str], None]
    ) -> None:
        self.path = os.path.abspath(path)
        self.max_bytes = max_bytes
        self.keep = keep
        self._gap = gap
        self._complain = complain
        self._complained = False
        self._at_start = True
        self._roll_at = max_bytes
        self._file = self._opened()
        self._size = os.fstat(self._file).st_size

    def write(self, data: memoryview) -> int:
        """Write some whole lines of it; raises OSError."""
        self._follow()
        if self.max_bytes and self._at_start:
            data = data[: self._fitting(data)]
        written = os.write(self._file, data)
        self._size += written
        self._at_start = data[written - 1] == ord("\n")
        return written

    def gap(self, lost: int, why: str) -> bytes:
        """A line of its own."""
        return _line(self._gap(lost, why), self._at_start)

    def rotate(self) -> None:
        """Begin a new file and keep the old under another name; raises OSError."""
        if not self.keep:
            os.ftruncate(self._file, 0)
        elif os.path.exists(self.path):
            names = [self.path, *(f"{self.path}.{number}" for number in range(1, self.keep + 1))]
            for old, new in reversed(list(pairwise(names))):
                with contextlib.suppress(FileNotFoundError):
                    os.replace(old, new)
        self.reopen()

    def reopen(self) -> None:
        """Open the file of that name, which may be another one by now; raises OSError, and what was
        open stays so."""
        file = self._opened()
        os.close(self._file)
        self._file = file
        self._size = os.fstat(file).st_size
        self._roll_at = self.max_bytes
        self._at_start = True
        self._complained = False

    def close(self) -> None:
        """Nothing more is written."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    # -- inside -------------------------------------------------------------------------------

    def _opened(self) -> int:
        # a pipe that nobody reads says so instead of holding us up
        file = os.open(self.path, _FLAGS | os.O_NONBLOCK, 0o666)
        os.set_blocking(file, True)
        return file

    def _follow(self) -> None:
        """Open the file again if it is not the one of that name any more."""
        try:
            there = os.stat(self.path)
            ours = os.fstat(self._file)
            moved = (there.st_dev, there.st_ino) != (ours.st_dev, ours.st_ino)
        except OSError:
            moved = True
        if moved:
            self._attempt(self.reopen)

    def _fitting(self, data: memoryview) -> int:
        """How much of `data` to write now, for the file not to become too large."""
        room = self._roll_at - self._size
        if len(data) <= room:
            return len(data)
        lines = bytes(data[: max(room, 0)]).rfind(b"\n") + 1
        if lines:
            return lines
        if self._size:
            self._roll_at = self._size + self.max_bytes  # where it cannot be renamed
            self._attempt(self.rotate)
        return bytes(data).find(b"\n") + 1 or len(data)

    def _attempt(self, step: Callable[[], None]) -> None:
        try:
            step()
        except OSError as error:
            if not self._complained:
                self._complained = True
                self._complain(error.strerror or str(error))


def _line(text: str, at_start: bool) -> bytes:
    return f"{'' if at_start else chr(10)}{text}\n".encode("utf-8", "backslashreplace")
