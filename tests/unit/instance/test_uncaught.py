"""What nobody has caught is logged and counted, and nothing writes to stderr by itself."""

from __future__ import annotations

import asyncio
import sys
import threading

import pytest

from pjreg_cli.counters import Counters
from pjreg_cli.instance.uncaught import told_by_the_log


def fail() -> None:
    raise RuntimeError("of ours")


class Stubborn:
    """Fails when it is let go of."""

    def __del__(self) -> None:
        fail()


async def test_what_reaches_the_loop_a_thread_or_a_destructor_is_logged_and_counted(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    counters = Counters()
    before = threading.excepthook, sys.unraisablehook
    with told_by_the_log(counters):
        asyncio.get_running_loop().call_soon(fail)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        thread = threading.Thread(target=fail, name="worker")
        thread.start()
        thread.join()
        stubborn: Stubborn | None = Stubborn()
        assert stubborn is not None
        stubborn = None
    assert (threading.excepthook, sys.unraisablehook) == before
    assert [count.value for count in counters.counts()] == [3]
    assert len(caplog.records) == 3
    assert all("of ours" in message for message in caplog.messages)
    assert "thread worker ended" in caplog.text
    assert capfd.readouterr() == ("", "")
