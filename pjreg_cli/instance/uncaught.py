"""What nobody has caught: told by the log and counted, instead of written to stderr."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pjreg_cli.counters import Counters

_log = logging.getLogger("pjreg_cli.instance")


@contextmanager
def told_by_the_log(counters: Counters) -> Iterator[None]:
    """While inside, exceptions that reach the loop, a thread's end or a destructor are logged with
    their traceback; to be entered on the loop."""
    faults = counters.declare("uncaught", "exceptions that nobody had expected")
    loop = asyncio.get_running_loop()

    # Any: what the loop tells depends on what has happened
    def by_the_loop(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        faults.add()
        error = context.get("exception")
        _log.error("%s: %r", context.get("message", "on the loop"), error, exc_info=error)

    def in_a_thread(args: threading.ExceptHookArgs) -> None:
        faults.add()
        name = args.thread.name if args.thread is not None else "?"
        _log.error("thread %s ended: %r", name, args.exc_value, exc_info=args.exc_value)

    # compat: the type of the arguments has a name for type checkers only
    def unraisable(args: Any) -> None:
        faults.add()
        text = "%s: %r" if args.err_msg is None else f"{args.err_msg}: %s: %r"
        _log.error(text, repr(args.object)[:200], args.exc_value, exc_info=args.exc_value)

    before = loop.get_exception_handler(), threading.excepthook, sys.unraisablehook
    loop.set_exception_handler(by_the_loop)
    threading.excepthook, sys.unraisablehook = in_a_thread, unraisable
    try:
        yield
    finally:
        loop.set_exception_handler(before[0])
        threading.excepthook, sys.unraisablehook = before[1], before[2]
