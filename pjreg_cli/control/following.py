"""Tells a person at a one-shot command what comes of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from pjreg_cli.commands.outcomes import Outcomes
from pjreg_cli.control import protocol

#: seconds between two looks at what has come of a command, before the first is told
_EVERY_S = 0.5
#: seconds without an outcome after which no more is waited for; a lost request takes 32
STOOD_STILL_S = 45.0


class Follower:
    """Follows the commands of one client, one after the other."""

    def __init__(
        self,
        outcomes: Outcomes,
        send: Callable[[bytes, bytes], None],
        drain: Callable[[], Awaitable[None]],
        patience_s: float = STOOD_STILL_S,
    ) -> None:
        """`outcomes` is what the client has asked for; `drain` raises ConnectionError once the
        client is gone."""
        self._outcomes = outcomes
        self._send = send
        self._drain = drain
        self._patience_s = patience_s
        self._news = asyncio.Event()

    def say(self, text: str) -> None:
        """A line that stays."""
        self._send(protocol.PROGRESS, b"")
        self._send(protocol.LOG, protocol.print_log("", text))
        self._news.set()

    async def follow(self, remarks: Iterable[str]) -> None:
        """Tell what has come of a command, until all of it has come or nothing more does."""
        for remark in remarks:
            self.say(remark)
        now = asyncio.get_running_loop().time
        begun_at = changed_at = now()
        before = ""
        while awaited := self._outcomes.awaited:
            if awaited != before:
                before, changed_at = awaited, now()
            elif now() - changed_at > self._patience_s:
                self._outcomes.give_up()
                passed = f"nothing more for {self._patience_s:.0f} s"
                self.say(f"{awaited}, and {passed}: pjreg status tells how they stand")
                break
            self._news.clear()
            try:
                async with asyncio.timeout(_EVERY_S):
                    await self._news.wait()
            except TimeoutError:
                text = f"{awaited}, {now() - begun_at:.0f} s so far (Ctrl-C leaves it to itself)"
                self._send(protocol.PROGRESS, text.encode("utf-8", "replace"))
            await self._drain()
        self._send(protocol.PROGRESS, b"")
