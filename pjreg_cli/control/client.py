"""A remote console's side of the control socket, on the running event loop.

client = await connect(path, verbose=3)
client.watch(listener)                        # Counts, LogLine and Gone from now on
execution = client.execute("pjsip show registrations")
async for piece in execution: ...             # text, as it comes
execution.ok, execution.quit                  # known once the pieces have ended
await client.suggest("pjsip show registr")    # for completion and `?`
client.close()
"""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass

from pjreg_cli import remote
from pjreg_cli.commands.tree import Suggestion
from pjreg_cli.control import protocol
from pjreg_cli.remote import NoInstance, absent

#: pieces of output kept for a console that prints slowly before reading from the socket pauses
_AHEAD = 16
#: seconds an instance has to say hello
_GREETING_S = 10.0


class Gone(Exception):  # noqa: N818 -- also a value that listeners are told
    """The connection has ended; `restart` when the instance said that it begins again."""

    def __init__(self, why: str, *, announced: bool = False, restart: bool = False) -> None:
        super().__init__(why)
        self.announced = announced
        """Whether the instance said goodbye: it was stopped, it did not crash."""
        self.restart = restart


@dataclass(frozen=True, slots=True)
class Counts:
    """How many registrations there are of each word, whenever that changes."""

    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class LogLine:
    """Something to show above the prompt."""

    level: str
    """`ERROR`, `WARNING`, `NOTICE`, `VERBOSE`, `DEBUG`; empty for what is no log line: a trace."""
    text: str


@dataclass(frozen=True, slots=True)
class Progress:
    """What the instance is doing while everybody waits; empty when that has ended."""

    text: str


Pushed = Counts | LogLine | Progress | Gone


class Execution:
    """The answer to one command: its pieces of output, then how it ended.

    Iterate to the end, or call `skip` to have the rest thrown away.
    """

    def __init__(self, wanted: Callable[[], None]) -> None:
        self._wanted = wanted
        self._pieces: deque[str] = deque()
        self._changed = asyncio.Event()
        self._skipping = False
        self._gone: Gone | None = None
        self.ended = False
        self.ok = False
        """Whether the command succeeded."""
        self.quit = False
        """Whether the console should close."""

    def __aiter__(self) -> AsyncIterator[str]:
        return self._iterate()

    async def _iterate(self) -> AsyncIterator[str]:
        while True:
            while self._pieces:
                piece = self._pieces.popleft()
                self._wanted()
                yield piece
            if self._gone is not None:
                raise self._gone
            if self.ended:
                return
            self._changed.clear()
            await self._changed.wait()

    def skip(self) -> None:
        """Throw away what is still to come."""
        self._skipping = True
        self._pieces.clear()
        self._wanted()

    @property
    def full(self) -> bool:
        """Whether enough is waiting to be printed."""
        return len(self._pieces) >= _AHEAD

    def feed(self, piece: str) -> None:
        """The next piece of output."""
        if not self._skipping:
            self._pieces.append(piece)
            self._changed.set()

    def end(self, ok: bool, close: bool) -> None:
        """The command has ended."""
        self.ended, self.ok, self.quit = True, ok, close
        self._changed.set()

    def fail(self, gone: Gone) -> None:
        """The connection has ended before the command did."""
        self._gone = gone
        self._changed.set()


class ControlClient(asyncio.Protocol):
    """A connection to an instance; `connect` makes one."""

    def __init__(self, loop: asyncio.AbstractEventLoop, hello: protocol.Hello) -> None:
        self._loop = loop
        self._hello = hello
        self._frames = protocol.FrameReader(protocol.MAX_ANSWER)
        self._waiting: deque[Execution | asyncio.Future[Sequence[Suggestion]]] = deque()
        self._greeted: asyncio.Future[protocol.Greeting] = loop.create_future()
        self._listener: Callable[[Pushed], None] | None = None
        self._transport: asyncio.Transport | None = None
        self._bye: Gone | None = None
        self._paused = False
        self.gone: Gone | None = None
        """Why the connection has ended; None while it lives."""
        self.verbose, self.muted = hello.verbose, hello.muted
        """How this console stands; its commands may change that."""
        self.counts: Mapping[str, int] = {}
        """How many registrations there are of each word; true once `watch` was called."""

    # -- what a console asks ------------------------------------------------------------------

    @property
    def greeting(self) -> protocol.Greeting:
        """Whom we talk to."""
        return self._greeted.result()

    def execute(self, line: str) -> Execution:
        """Have a command line executed; raises Gone.  One may follow another without waiting."""
        execution = Execution(self._flow)
        self._send(protocol.EXECUTE, line)
        self._waiting.append(execution)
        return execution

    async def suggest(self, text: str) -> Sequence[Suggestion]:
        """What could follow `text`; raises Gone."""
        self._send(protocol.SUGGEST, text)
        answer: asyncio.Future[Sequence[Suggestion]] = self._loop.create_future()
        self._waiting.append(answer)
        return await answer

    def watch(self, listener: Callable[[Pushed], None]) -> None:
        """Call `listener` with everything that comes unasked from now on; raises Gone."""
        self._listener = listener
        self._send(protocol.WATCH, "log counts")

    def cancel(self) -> None:
        """Have the command under way given up; raises Gone."""
        self._send(protocol.CANCEL, "")

    def resize(self, columns: int) -> None:
        """Tell how many columns the terminal has; raises Gone."""
        self._send(protocol.RESIZE, str(columns))

    def close(self) -> None:
        """Hang up; nobody is told that the connection has ended."""
        self._listener = None
        if self._transport is not None:
            self._transport.abort()

    async def greeted(self) -> None:
        """Wait until the instance has said hello; raises Gone."""
        await asyncio.wait_for(asyncio.shield(self._greeted), _GREETING_S)

    # -- what the event loop tells ------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is open."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(protocol.frame(protocol.HELLO, self._hello.encode()))

    def data_received(self, data: bytes) -> None:
        """Bytes came."""
        try:
            for kind, payload in self._frames.feed(data):
                self._take(kind, payload)
        except protocol.ControlError as error:
            self._bye = Gone(f"the instance does not make sense: {error}")
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is closed, by whomever."""
        why = (
            f"the connection was lost ({exc})" if exc else "the instance has closed the connection"
        )
        self.gone = self._bye or Gone(why)
        for waiter in self._waiting:
            if isinstance(waiter, Execution):
                waiter.fail(self.gone)
            elif not waiter.done():
                waiter.set_exception(self.gone)
        self._waiting.clear()
        if not self._greeted.done():
            self._greeted.set_exception(self.gone)
            self._greeted.exception()
        self._tell(self.gone)

    # -- inside -------------------------------------------------------------------------------

    def _send(self, kind: bytes, text: str) -> None:
        if self.gone is not None:
            raise self.gone
        assert self._transport is not None
        self._transport.write(protocol.frame(kind, text.encode("utf-8", "surrogateescape")))

    def _tell(self, pushed: Pushed) -> None:
        if self._listener is not None:
            self._listener(pushed)

    def _take(self, kind: bytes, payload: bytes) -> None:
        match kind:
            case protocol.OUTPUT | protocol.END | protocol.SUGGEST:
                self._answered(kind, payload)
            case protocol.COUNTS:
                self.counts = protocol.parse_counts(payload)
                self._tell(Counts(self.counts))
            case protocol.LOG:
                self._tell(LogLine(*protocol.parse_log(payload)))
            case protocol.PROGRESS:
                self._tell(Progress(payload.decode("utf-8", "replace")))
            case protocol.GREETING:
                if not self._greeted.done():
                    self._greeted.set_result(protocol.Greeting.parse(payload))
            case protocol.BYE:
                restart = payload == b"restart"
                why = "the instance restarts" if restart else "the instance has ended"
                self._bye = Gone(why, announced=True, restart=restart)
            case protocol.REFUSED:
                self._bye = Gone(payload.decode("utf-8", "replace"))

    def _answered(self, kind: bytes, payload: bytes) -> None:
        waiter = self._waiting[0] if self._waiting else None
        if isinstance(waiter, Execution) and kind == protocol.OUTPUT:
            waiter.feed(payload.decode("utf-8", "surrogateescape"))
            self._flow()
        elif isinstance(waiter, Execution) and kind == protocol.END:
            self._waiting.popleft()
            ended = protocol.parse_ended(payload)
            if ended.verbose is not None:
                self.verbose, self.muted = ended.verbose, ended.muted
            waiter.end(ended.ok, ended.quit)
        elif isinstance(waiter, asyncio.Future) and kind == protocol.SUGGEST:
            self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(protocol.parse_suggestions(payload))
        else:
            raise protocol.ControlError(f"an answer {kind!r} to nothing")

    def _flow(self) -> None:
        """Stop reading while a console is behind with printing, go on once it is not."""
        first = self._waiting[0] if self._waiting else None
        full = isinstance(first, Execution) and first.full
        if self._transport is None or full == self._paused or self._transport.is_closing():
            return
        self._paused = full
        if full:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()


async def connect(
    path: str,
    *,
    dialect: str = "current",
    json: bool = False,
    verbose: int = 0,
    muted: bool = False,
) -> ControlClient:
    """Attach to the instance that listens at `path`; raises NoInstance."""
    loop = asyncio.get_running_loop()
    hello = protocol.Hello(kind="remote", dialect=dialect, json=json, verbose=verbose, muted=muted)
    try:
        # before a word is said to whoever listens there
        sock = await asyncio.to_thread(remote.connect, path)
        sock.setblocking(False)
        made = socket.socket(fileno=sock.detach())
        _, client = await loop.create_unix_connection(lambda: ControlClient(loop, hello), sock=made)
    except (OSError, ValueError) as error:
        raise absent(path, error) from error
    try:
        await client.greeted()
    except TimeoutError as error:
        client.close()
        raise NoInstance(f"the instance at {path} does not answer") from error
    except Gone as gone:
        raise NoInstance(f"the instance at {path} hung up: {gone}") from gone
    return client
