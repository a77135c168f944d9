"""Work counted in calls: the same on every machine, however busy it is."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType


class Calls:
    """How many functions, of Python or of C, are called while it is entered; `within` files whose
    path holds this text, or by them."""

    def __init__(self, within: str = "") -> None:
        self.count = 0
        self._within = within

    def _told(self, frame: FrameType, event: str, _argument: object) -> None:
        if event in ("call", "c_call") and self._within in frame.f_code.co_filename:
            self.count += 1

    def __enter__(self) -> Calls:
        sys.setprofile(self._told)
        return self

    def __exit__(self, *_what: object) -> None:
        sys.setprofile(None)


def calls_of(work: Callable[[], object], times: int = 20) -> float:
    """Calls that `work` takes, on the average, once it has run before."""
    work()
    with Calls() as calls:
        for _ in range(times):
            work()
    # each round calls `work` itself; leaving the block is the last call
    return (calls.count - 1) / times - 1
