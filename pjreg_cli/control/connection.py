"""One client of the control socket: its requests answered, and what it is told unasked."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterable, AsyncIterator, Callable
from contextlib import aclosing
from typing import Protocol

from pjreg_cli.api.asker import asked_by
from pjreg_cli.api.notices import (
    Settled,
)
from pjreg_cli.api.port import Api
from pjreg_cli.commands.command import pieces
from pjreg_cli.commands.tree import Console, Kind, Reply, execute, suggest
from pjreg_cli.control import protocol
from pjreg_cli.control.following import Follower
from pjreg_cli.control.peer import asker_at
from pjreg_cli.control.protocol import ControlError, Greeting, Hello
from pjreg_cli.counters import Tally
from pjreg_cli.dialects import named
from pjreg_cli.errors import PjregError
from pjreg_cli.hurry import HURRY

_log = logging.getLogger("pjreg_cli.control")

#: seconds of formatting after which others get their turn
_SLICE_S = 0.005
#: characters of output in a frame
_PIECE = 1 << 15
#: bytes a console may be behind with before log lines are dropped
_LOG_BEHIND = 1 << 18
#: seconds between two reports of the counts to one console
_COUNTS_EVERY_S = 0.1
_READ = 1 << 16
#: requests of one client taken in before they are answered
_PIPELINED = 64
_Request = tuple[bytes, bytes] | ControlError | None

LogListener = Callable[[str, str, int], None]
"""Called with level, text, and the verbosity from which on a console wants to see it."""


class LogFeed(Protocol):
    """Where log lines for consoles come from."""

    def subscribe(self, listener: LogListener, most: int) -> Callable[[], None]:
        """Call `listener` with every line from now on but those above verbosity `most`; the result
        ends that."""
        ...


class Connection:
    """One client."""

    def __init__(
        self,
        port: Api,
        feed: LogFeed,
        shell_allowed: Callable[[], bool],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        permitted: Callable[[str], bool],
        monitors: bool,
        *,
        lost: Tally,
        garbled: Tally,
    ) -> None:
        """`lost` counts lines that are not read, `garbled` what is not understood."""
        self._port = port
        self._permitted = permitted
        self._monitors = monitors
        """It is somebody who may only look."""
        self._feed = feed
        self._shell_allowed = shell_allowed
        self._reader = reader
        self._writer = writer
        self._frames = protocol.FrameReader(protocol.MAX_REQUEST)
        self._console = Console(
            port=port, kind=Kind.ONE_SHOT, dialect=named("current"), permitted=permitted
        )
        self._unsubscribe: Callable[[], None] | None = None
        self._heard = 0
        """Up to which verbosity lines of the log are asked for."""
        self._lost = 0
        self._losses, self._garbled = lost, garbled
        self._counts_timer: asyncio.TimerHandle | None = None
        self._reports_counts = False
        self._inbox: asyncio.Queue[_Request] = asyncio.Queue(_PIPELINED)
        self._command: asyncio.Task[None] | None = None
        self.busy = False
        self._leaving = False
        self._task: asyncio.Task[object] | None = None
        self._aborted = False
        self.ended = asyncio.Event()
        self._follower: Follower | None = None
        #: commands that were read, that were begun, and the last that is wanted no more
        self._asked = self._begun = self._given_up = 0

    async def run(self) -> None:
        """Answer requests until the client hangs up, is refused, or `abort` is called."""
        self._task = asyncio.current_task()
        try:
            async with asyncio.TaskGroup() as group:
                reading = group.create_task(self._read())
                await self._work(group)
                reading.cancel()
        except asyncio.CancelledError:
            if not self._aborted:
                raise
        finally:
            if self._unsubscribe is not None:
                self._unsubscribe()
            if self._counts_timer is not None:
                self._counts_timer.cancel()
            self._writer.close()
            self.ended.set()

    async def _read(self) -> None:
        """Put requests into the queue as they come; `K` is heeded at once."""
        try:
            while not self._leaving and (data := await self._reader.read(_READ)):
                HURRY.asked(asyncio.get_running_loop().time())
                for kind, payload in self._frames.feed(data):
                    if kind == protocol.CANCEL:
                        self._cancel()
                    else:
                        self._asked += kind == protocol.EXECUTE
                        await self._inbox.put((kind, payload))
        except ControlError as error:
            await self._inbox.put(error)
        except OSError:
            pass  # the client has what it wanted
        await self._inbox.put(None)

    async def _work(self, group: asyncio.TaskGroup) -> None:
        """Answer one request after the other."""
        try:
            while not self._leaving or not self._inbox.empty():
                request = await self._inbox.get()
                if request is None:
                    return
                if isinstance(request, ControlError):
                    raise request
                self.busy = True
                await self._answer(group, *request)
                self.busy = not self._inbox.empty()
        except ControlError as error:
            self._garbled.add()
            self.refuse(str(error))
        except OSError:
            pass  # as above

    def _cancel(self) -> None:
        """The operator wants no more of what was asked until now, begun or not."""
        self._given_up = self._asked
        if self._command is not None:
            self._command.cancel()

    def refuse(self, why: str) -> None:
        """Tell the client that it is not understood."""
        self._send(protocol.REFUSED, why.encode("utf-8", "replace"))

    def say_goodbye(self, how: bytes) -> None:
        """Tell a console that the instance ends; hang up once what is under way is answered."""
        self._leaving = True
        if self._console.kind is Kind.REMOTE:
            self._send(protocol.BYE, how)
        if not self.busy:
            self._reader.feed_eof()

    def abort(self) -> None:
        """Hang up at once, whatever is under way or still to be sent."""
        self._writer.transport.abort()
        if self._task is not None and not self.ended.is_set():
            self._aborted = self._task.cancel()

    def counts_changed(self) -> None:
        """Report the counts soon, once for all that changes meanwhile."""
        if self._reports_counts and self._counts_timer is None:
            loop = asyncio.get_running_loop()
            self._counts_timer = loop.call_later(_COUNTS_EVERY_S, self._report_counts)

    # -- requests -----------------------------------------------------------------------------

    async def _answer(self, group: asyncio.TaskGroup, kind: bytes, payload: bytes) -> None:
        match kind:
            case protocol.EXECUTE:
                line = payload.decode("utf-8", "surrogateescape")
                self._begun += 1
                if self._begun <= self._given_up:
                    self._send(protocol.END, b"1")
                    return
                self._command = command = group.create_task(self._execute(line))
                await asyncio.wait((command,))
                self._command = None
                if command.cancelled():
                    self._send(protocol.END, b"1")
            case protocol.SUGGEST:
                text = payload.decode("utf-8", "surrogateescape")
                answer = protocol.print_suggestions(suggest(text, self._console))
                self._send(protocol.SUGGEST, answer)
            case protocol.HELLO:
                self._greet(protocol.parse_hello(payload))
            case protocol.RESIZE:
                self._console.width = protocol.parse_width(payload)
            case protocol.WATCH:
                self._watch(payload.split())
            case _:
                raise ControlError(f"no such request: {kind!r}")
        await self._writer.drain()

    def _greet(self, hello: Hello) -> None:
        try:
            dialect = named(hello.dialect)
        except (KeyError, ValueError) as error:
            raise ControlError(f"no such dialect: {hello.dialect}") from error
        remote = hello.kind == "remote"
        if remote and self._monitors:
            raise ControlError("this socket is for single commands that show something")
        self._console = Console(
            port=self._port,
            kind=Kind.REMOTE if remote else Kind.ONE_SHOT,
            dialect=dialect,
            json=hello.json,
            verbose=hello.verbose,
            muted=hello.muted,
            width=hello.width,
            follows=hello.follow and not remote,
            permitted=self._permitted,
        )
        if self._console.follows:
            self._follower = Follower(self._console.outcomes, self._send, self._writer.drain)
        if remote:
            view = self._port.instance.view()
            greeting = Greeting(
                version=view.version,
                host=os.uname().nodename,
                pid=view.pid,
                config=view.config_path,
                shell=self._shell_allowed(),
            )
            self._send(protocol.GREETING, greeting.encode())

    async def _execute(self, line: str) -> None:
        try:
            with asked_by(asker_at(self._writer, self._console.kind is Kind.REMOTE)):
                reply = await execute(line, self._console)
            ok = await self._stream(reply)
        except ConnectionError:
            pass  # nobody listens any more; reading will say so
        except Exception:  # noqa: BLE001 -- logged below
            # a fault of ours in one command must not end the others
            _log.exception("command %r failed", line[:200])
            self._send(protocol.OUTPUT, b"This command failed unexpectedly; the log says why.\n")
            self._send(protocol.END, b"1")
        else:
            for complaint in reply.complaints:
                self._send(protocol.COMPLAINT, complaint.encode("utf-8", "surrogateescape"))
            if self._follower is not None:
                await self._follower.follow(reply.remarks)
            self._send(protocol.END, self._ended(reply, ok).encode())
            HURRY.answered(asyncio.get_running_loop().time())

    def _ended(self, reply: Reply, ok: bool) -> protocol.Ended:
        """Only consoles want to know how they stand now."""
        console = self._console
        if self._unsubscribe is not None and self._heard != console.verbose:
            self._listen()
        if console.kind is not Kind.REMOTE:
            return protocol.Ended(ok, reply.quit)
        return protocol.Ended(ok, reply.quit, max(0, console.verbose), console.muted)

    async def _stream(self, reply: Reply) -> bool:
        """Send the output; whether all is well with it."""
        try:
            async with aclosing(pieces(reply)) as output:
                await self._send_all(output)
        except PjregError as error:
            self._break_off(str(error))
            return False
        return reply.ok

    def _break_off(self, why: str) -> None:
        if self._console.kind is Kind.REMOTE:
            self._send_text([f"{why}\n"])
        else:
            self._send(protocol.COMPLAINT, why.encode("utf-8", "surrogateescape"))

    async def _send_all(self, output: AsyncIterable[str]) -> None:
        now = asyncio.get_running_loop().time
        waiting: list[str] = []
        length = 0
        turn_ends = now() + HURRY.turn_s(_SLICE_S, now())
        try:
            async for piece in _cut(output):
                waiting.append(piece)
                length += len(piece)
                turn_over = now() >= turn_ends
                if turn_over or length >= _PIECE:
                    self._send_text(waiting)
                    length = 0
                    await self._writer.drain()
                if turn_over:
                    await asyncio.sleep(0)
                    turn_ends = now() + HURRY.turn_s(_SLICE_S, now())
        except PjregError:
            self._send_text(waiting)
            raise
        self._send_text(waiting)

    def _send_text(self, pieces: list[str]) -> None:
        if pieces:
            self._send(protocol.OUTPUT, "".join(pieces).encode("utf-8", "surrogateescape"))
            pieces.clear()

    def _send(self, kind: bytes, payload: bytes) -> None:
        if not self._writer.transport.is_closing():
            self._writer.write(protocol.frame(kind, payload))

    # -- what is told unasked -----------------------------------------------------------------

    def _watch(self, words: list[bytes]) -> None:
        if self._monitors:
            raise ControlError("this socket is for single commands that show something")
        if b"log" in words and self._unsubscribe is None:
            self._listen()
        if b"counts" in words:
            self._reports_counts = True
            self._report_counts()
            if doing := self._port.instance.view().doing:
                self.progressed(doing)

    def _listen(self) -> None:
        """Be told lines of the log as this console wants them now."""
        if self._unsubscribe is not None:
            self._unsubscribe()
        self._heard = self._console.verbose
        self._unsubscribe = self._feed.subscribe(self._logged, self._heard)

    def progressed(self, doing: str) -> None:
        """Tell a console what is under way."""
        if self._reports_counts or (self._follower is not None and self._command is not None):
            self._send(protocol.PROGRESS, doing.encode("utf-8", "replace"))

    def _report_counts(self) -> None:
        self._counts_timer = None
        self._send(protocol.COUNTS, protocol.print_counts(self._port.registrations.count()))

    def settled(self, notice: Settled) -> None:
        """Tell a console what came of what it has asked for."""
        if self._unsubscribe is None and self._follower is None:
            return
        if told := self._console.told(notice):
            if self._follower is not None:
                self._follower.say(told)
            else:
                self._send(protocol.LOG, protocol.print_log("", told))

    def traced(self, text: str) -> None:
        """Show a SIP message to a console that watches the log."""
        if self._unsubscribe is not None:
            self._show("", text)

    def _logged(self, level: str, text: str, verbosity: int) -> None:
        if verbosity <= self._console.verbose:  # which a command may just have changed
            self._show(level, text)

    def _show(self, level: str, text: str) -> None:
        if self._console.muted:
            return
        if self._writer.transport.get_write_buffer_size() > _LOG_BEHIND:
            self._lost += 1
            self._losses.add()
            return
        if self._lost:
            note = f"({self._lost} lines were lost: this console reads too slowly)"
            self._send(protocol.LOG, protocol.print_log("", note))
            self._lost = 0
        self._send(protocol.LOG, protocol.print_log(level, text))


async def _cut(output: AsyncIterable[str]) -> AsyncIterator[str]:
    """The same text in pieces that are not longer than a frame should be."""
    async for piece in output:
        if len(piece) <= _PIECE:
            yield piece
        else:
            for start in range(0, len(piece), _PIECE):
                yield piece[start : start + _PIECE]
