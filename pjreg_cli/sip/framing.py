"""A byte stream cut into messages (RFC 3261 section 18.3, RFC 5626 section 4.4.1)."""

from __future__ import annotations

import re

from pjreg_cli.errors import SipParseError, excerpt
from pjreg_cli.sip.headers import Headers
from pjreg_cli.sip.message import MAX_MESSAGE, read_content_length, to_text

#: the longest start line with headers taken, in bytes
MAX_HEAD = 32768
#: the longest body taken, in bytes; both together are what `message.parse` takes
MAX_BODY = MAX_MESSAGE - MAX_HEAD - 4

_END = b"\r\n\r\n"
_BLANK_LINES = re.compile(rb"[\r\n]+")
_START_LINE = re.compile(rb"SIP/2\.0 [ -~\x80-\xff]*|[!-~]+ +[^\s]+ +SIP/2\.0[ \t]*", re.IGNORECASE)
_CONTENT_LENGTH = re.compile(rb"\n(?:content-length|l)[ \t]*:", re.IGNORECASE)


class StreamFramer:
    """Gathers the bytes of one connection and hands out whole messages.

    How the bytes were cut into chunks never changes what comes out.  After hopeless input
    (no SIP, an uncertain length, too long) the connection is of no more use: `broken` says why.
    """

    def __init__(self, max_head: int = MAX_HEAD, max_body: int = MAX_BODY) -> None:
        self._max_head = max_head
        self._max_body = max_body
        self._buffer = bytearray()
        self._searched = 0
        self._total: int | None = None  # length of the message the buffer begins with
        self._started = False  # its start line was looked at
        self._blank_run = 0  # line ends since the last message
        self._pings = 0
        self._pongs = 0
        self.broken: SipParseError | None = None

    @property
    def pings(self) -> int:
        """Double line ends seen between messages: the other side asks whether we are there."""
        return self._pings + self._blank_run // 2

    @property
    def pongs(self) -> int:
        """Single line ends seen between messages: the answers to our own double ones."""
        return self._pongs + self._blank_run % 2

    def feed(self, chunk: bytes) -> list[bytes]:
        """The messages that `chunk` completes, each from start line to end of body.

        Raises SipParseError when the stream is broken and no message precedes the break in this
        chunk; otherwise the messages come first, `broken` is set and the next call raises.
        """
        self.add(chunk)
        messages: list[bytes] = []
        while (message := self.take()) is not None:
            messages.append(message)
        if self.broken is not None and not messages:
            raise self.broken
        return messages

    @property
    def size(self) -> int:
        """Bytes gathered that have not been handed out."""
        return len(self._buffer)

    def add(self, chunk: bytes) -> None:
        """Gather `chunk`; nothing is looked at before `take`."""
        if self.broken is None:
            self._buffer += chunk

    def take(self) -> bytes | None:
        """The next whole message, None when there is none yet or the stream is broken."""
        if self.broken is not None:
            return None
        try:
            return self._next()
        except SipParseError as error:
            self.broken = error
            self._buffer.clear()
            return None

    def _next(self) -> bytes | None:
        buffer = self._buffer
        if self._total is None:
            self._skip_blank_lines()
            self._total = self._measure()
        if self._total is None or len(buffer) < self._total:
            return None
        message = bytes(buffer[: self._total])
        del buffer[: self._total]
        self._total, self._searched, self._started = None, 0, False
        return message

    def _skip_blank_lines(self) -> None:
        buffer = self._buffer
        # in place: to strip a copy would cost the whole buffer for each of its messages
        match = _BLANK_LINES.match(buffer)
        blank = match.end() if match else 0
        if blank and blank == len(buffer) and buffer.endswith(b"\r"):
            blank -= 1  # its line feed may be on the way
        if blank:
            self._blank_run += buffer.count(_END[:2], 0, blank)
            del buffer[:blank]
        if buffer and buffer != b"\r" and self._blank_run:
            self._pings, self._pongs, self._blank_run = self.pings, self.pongs, 0

    def _measure(self) -> int | None:
        """Length of the message at the start of the buffer, None while its head is incomplete."""
        buffer = self._buffer
        if not self._started:
            self._check_start()
        end = buffer.find(_END, self._searched)
        if end < 0:
            self._searched = max(0, len(buffer) - len(_END) + 1)
        if end > self._max_head or (end < 0 and len(buffer) > self._max_head + len(_END)):
            raise SipParseError(f"a head of more than {self._max_head} bytes", self._max_head)
        if end < 0:
            return None
        return end + len(_END) + self._body_length(bytes(buffer[:end]))

    def _check_start(self) -> None:
        """Refuse what is no SIP as soon as its first line is there."""
        end = self._buffer.find(b"\n", 0, self._max_head)
        if end < 0:
            return
        line = bytes(self._buffer[:end]).removesuffix(b"\r")
        if not _START_LINE.fullmatch(line):
            raise SipParseError(f"no SIP: {excerpt(to_text(line))}")
        self._started = True

    def _body_length(self, head: bytes) -> int:
        if not _CONTENT_LENGTH.search(head):
            return 0
        _, _, fields = to_text(head).partition("\n")
        length = read_content_length(Headers.read(fields).all("content-length"))
        if length > self._max_body:
            raise SipParseError(f"a body of {length} bytes", len(head))
        return length
