"""One connection of the manager interface: messages in, bytes out, and nobody waits for it.

Actions are answered one after the other in the order in which they came.  Events that happen
during an action are held back until it is answered, so that nothing comes between an answer and
its list.  What a client does not read is bounded: actions are no longer taken while too much is
unread, events beyond the limit and a client that reads nothing at all end the session.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING

from pjreg_cli.ami import codec
from pjreg_cli.ami.codec import Decoder, Malformed, Message
from pjreg_cli.config import manager_classes as classes
from pjreg_cli.config.eventfilter import EVERYTHING
from pjreg_cli.config.models import ManagerAccount

if TYPE_CHECKING:
    from pjreg_cli.incoming import Admission

_log = logging.getLogger("pjreg_cli.ami")

#: unread output from which on nothing is added but events, in bytes
HIGH_WATER = 256 * 1024
#: unread output, or events held back, from which on an event ends the session, in bytes
OUTPUT_LIMIT = 2 * 1024 * 1024
#: messages that may wait for their turn before no more is read
INBOX_LIMIT = 64
#: bytes taken apart before the inbox is looked at again: an empty line is a message, too, and what
#: a stranger sends must not take a hundred times the room
PIECE = 1024
#: output that is put together before other sessions get their turn, in bytes
SLICE = 32 * 1024
#: the least time in which a client must read something, in seconds
#: (origin: writetimeout alone, whose default of 0.1 s a busy client cannot keep)
STALL_S = 2.0

Handler = Callable[["Session", Message | Malformed], Awaitable[bool]]


class Session(asyncio.Protocol):
    """A connection, its user once one has logged in, and what it may and wants to see.

    `handle` answers a message and says whether the session goes on; `closed` is called once.
    """

    def __init__(
        self,
        handle: Handler,
        opened: Callable[[Session], None],
        closed: Callable[[Session], None],
        admission: Admission | None = None,
    ) -> None:
        self._handle = handle
        self._opened = opened
        self._closed = closed
        self._transport: asyncio.Transport | None = None
        self._loop = asyncio.get_running_loop()
        self._decoder = Decoder()
        self._raw = bytearray()
        """What has come and was not taken apart yet."""
        self._paused = False
        self._admission = admission
        self._inbox: deque[Message | Malformed] = deque()
        self._arrived = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()
        self._wanted = asyncio.Event()
        self._ended = False
        self._gone = False
        self._busy = False
        self._keeping = False
        self._held: list[bytes] = []
        self._held_size = 0
        self._written = 0
        self._timer: asyncio.TimerHandle | None = None
        self.account: ManagerAccount | None = None
        self.write_mask = 0
        self.read_mask = 0
        self.send_mask = classes.ALL
        self.filters = EVERYTHING
        self.challenge = ""
        self.started_at = 0.0
        self.peer = ""
        self.fileno = -1
        self.aborted = False
        """It was ended for what its client did, or did not do."""

    # -- the connection -----------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has connected."""
        assert isinstance(transport, asyncio.Transport)  # the listener makes no other
        self._transport = transport
        transport.set_write_buffer_limits(high=HIGH_WATER)
        peer = transport.get_extra_info("peername")
        self.peer = str(peer[0]) if peer else ""
        if (sock := transport.get_extra_info("socket")) is not None:
            self.fileno = sock.fileno()
        self._opened(self)

    def data_received(self, data: bytes) -> None:
        """Bytes have come: whole messages wait for their turn."""
        if self._ended or self._gone:
            return
        self._raw += data
        self._decode()

    def _decode(self) -> None:
        """Take apart what has come, as far as there is room for messages; what is left stays as it
        is, and no more is read meanwhile."""
        raw = self._raw
        while raw and len(self._inbox) <= INBOX_LIMIT:
            piece = bytes(raw[:PIECE])
            del raw[:PIECE]
            self._inbox.extend(self._decoder.feed(piece))
        if self._inbox:
            self._arrived.set()
            self._wanted.set()
        if bool(raw) is not self._paused and self._transport is not None and not self._ended:
            self._paused = bool(raw)
            if self._paused:
                self._transport.pause_reading()
            else:
                self._transport.resume_reading()

    def eof_received(self) -> bool:
        """The client sends no more; what it has sent is still answered."""
        self._ended = True
        self._wake()
        # TLS knows no half-closed connections
        return self._transport is not None and not self._transport.get_extra_info("sslcontext")

    def connection_lost(self, _error: Exception | None) -> None:
        """The connection is gone, whoever ended it."""
        self._gone = self._ended = True
        self._transport = None
        self._inbox.clear()
        self._raw.clear()
        if self._admission is not None:
            self._admission.leave()
        self._stop_timer()
        self._wake()
        self._closed(self)

    def pause_writing(self) -> None:
        """Too much is unread: wait, but not for ever."""
        self._writable.clear()
        self._watch(self._flushed())

    def resume_writing(self) -> None:
        """The client has read again."""
        self._stop_timer()
        self._writable.set()

    def _wake(self) -> None:
        for event in (self._arrived, self._writable, self._wanted):
            event.set()

    @property
    def pending(self) -> int:
        """How many messages wait for their turn."""
        return len(self._inbox)

    @property
    def gone(self) -> bool:
        """Whether nothing can be sent any more."""
        return self._gone

    # -- answering ----------------------------------------------------------------------------

    async def run(self) -> None:
        """Answer messages in turn until one ends the session or the client is gone."""
        taken = 0
        try:
            while (item := await self._next()) is not None:
                self._busy = True
                goes_on = await self._handle(self, item)
                self._busy = False
                if not goes_on:
                    break
                self._release()
                taken += 1
                if taken % 16 == 0 or not self._writable.is_set():
                    await self._breathe()
        finally:
            self.close()

    async def _next(self) -> Message | Malformed | None:
        while not self._inbox:
            if self._raw:
                self._decode()
                continue
            if self._ended:
                return None
            self._arrived.clear()
            await self._arrived.wait()
        item = self._inbox.popleft()
        if self._raw and len(self._inbox) <= INBOX_LIMIT // 2:
            self._decode()
        return item

    async def _breathe(self) -> None:
        """Let the others have their turn, and the client read."""
        await asyncio.sleep(0)
        await self._writable.wait()

    def send(self, fields: Iterable[tuple[str, str]]) -> None:
        """Send a message."""
        self.write(codec.encode(fields))

    def write(self, data: bytes) -> None:
        """Send bytes of our own making; nothing once the connection ends."""
        if self._transport is not None and not self._transport.is_closing():
            self._written += len(data)
            self._transport.write(data)

    async def stream(self, pieces: Iterable[str]) -> None:
        """Send text that is made piece by piece, no faster than the client reads."""
        pile: list[str] = []
        size = 0
        for piece in pieces:
            pile.append(piece)
            size += len(piece)
            if size >= SLICE:
                self.write(codec.to_bytes("".join(pile)))
                pile.clear()
                size = 0
                await self._breathe()
                if self._gone:
                    return
        self.write(codec.to_bytes("".join(pile)))

    # -- events -------------------------------------------------------------------------------

    def deliver(self, events: bytes) -> None:
        """Send events, after the answer if an action is under way; never waits."""
        if not self._busy:
            self.write(self.take_held() + events if self._held else events)
            waiting = self._transport.get_write_buffer_size() if self._transport else 0
        else:
            self._held.append(events)
            self._held_size += len(events)
            self._wanted.set()
            waiting = self._held_size
        if waiting > OUTPUT_LIMIT:
            self.abort(f"{waiting} bytes are unread")

    async def wait_event(self, timeout_s: float | None) -> None:
        """Wait until an event is held back, something arrives, or the time is over."""
        if not self._held and not self._inbox:
            self._wanted.clear()
            try:
                async with asyncio.timeout(timeout_s):
                    await self._wanted.wait()
            except TimeoutError:
                pass

    def take_held(self) -> bytes:
        """The events held back until now."""
        held = b"".join(self._held)
        self._held.clear()
        self._held_size = 0
        return held

    def keep_held(self) -> None:
        """Leave the events held back during this action for later (`SuppressEvents`)."""
        self._keeping = True

    def _release(self) -> None:
        if self._held and not self._keeping:
            self.write(self.take_held())
        self._keeping = False

    # -- the end ------------------------------------------------------------------------------

    def close(self) -> None:
        """End the session; what was sent still leaves."""
        self._ended = True
        self._inbox.clear()
        self._raw.clear()
        self._wake()
        # to close one of TLS twice takes its insides away, and with them what `_flushed` asks for
        if self._transport is not None and not self._transport.is_closing():
            self._transport.close()
            self._watch(self._flushed())

    def abort(self, why: str) -> None:
        """End the session at once."""
        _log.warning("manager session of %s from %s ended: %s", self.user, self.peer, why)
        self._ended = self.aborted = True
        self._inbox.clear()
        self._raw.clear()
        if self._transport is not None:
            self._transport.abort()

    @property
    def user(self) -> str:
        """Who has logged in, for the log."""
        return f"'{self.account.name}'" if self.account else "nobody"

    def _flushed(self) -> int:
        """The bytes that have left so far."""
        return self._written - (self._transport.get_write_buffer_size() if self._transport else 0)

    def _watch(self, flushed: int) -> None:
        self._stop_timer()
        if self._gone:
            return
        writetimeout_s = self.account.writetimeout / 1000 if self.account else 0.0
        self._timer = self._loop.call_later(
            max(STALL_S, writetimeout_s), self._check_progress, flushed
        )

    def _check_progress(self, before: int) -> None:
        self._timer = None
        if self._gone:
            return
        flushed = self._flushed()
        if flushed > before:
            self._watch(flushed)
        else:
            self.abort("it does not read")

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
