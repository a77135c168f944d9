"""Who asked for what is being done: the log tells it of every order.

A front end names its asker around the order; whoever carries it out reads the name.  It goes along
with tasks, and is nobody's business besides.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_ASKER: ContextVar[str] = ContextVar("asker", default="the program itself")


def asker() -> str:
    """Who asked, as the log names them: `a console of uid 0 (pid 4711)`, `manager user 'bob'`."""
    return _ASKER.get()


@contextmanager
def asked_by(who: str) -> Iterator[None]:
    """Name who asks for what is done inside."""
    token = _ASKER.set(who)
    try:
        yield
    finally:
        _ASKER.reset(token)
