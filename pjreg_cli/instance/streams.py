"""The standard streams of an instance: there from the start, and no trouble at its end."""

from __future__ import annotations

import os
import sys
import threading

_STREAMS = (0, 1, 2)
#: seconds that what was written to them may take to leave
FLUSH_S = 1.0


def fill_gaps() -> None:
    """Put the null device where a standard stream is closed: a socket that got its number would be
    written to by whoever complains."""
    for number in _STREAMS:
        try:
            os.fstat(number)
        except OSError:
            null = os.open(os.devnull, os.O_RDWR)
            if null != number:
                os.dup2(null, number)
                os.close(null)


def let_go(within_s: float = FLUSH_S) -> bool:
    """Write what waits to leave, so that the interpreter finds nothing to do at its end; False
    when a stream stands still, and waiting for it would be without end."""
    flushing = threading.Thread(target=_flush, name="flush", daemon=True)
    flushing.start()
    flushing.join(within_s)
    return not flushing.is_alive()


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        if stream is None:
            continue
        try:
            stream.flush()
        except (OSError, ValueError):
            # its reader or terminal is gone: what it still holds goes nowhere
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, stream.fileno())
            os.close(null)
