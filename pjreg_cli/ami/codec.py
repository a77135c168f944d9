"""Bytes to manager messages and back; pure, total and bounded.

A message is a block of `Key: Value` lines that an empty line ends.  What comes from a client is
never trusted: lines, headers and messages have limits, and a message beyond them is reported once
it has ended, so that the messages after it are read as usual.  What goes out is cleaned of line
ends, so that no value, wherever it came from, can split a message or forge another one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pjreg_cli.errors import AmiError, excerpt

#: the longest line a client may send, in bytes without its end (origin: 1024)
LINE_LIMIT = 8192
#: the most headers of one message, as in the origin
HEADER_LIMIT = 128
#: the longest message a client may send, in bytes without line ends
MESSAGE_LIMIT = 65_536

LINE_TOO_LONG = "Failed to parse message: line too long"
TOO_MANY_LINES = "Too many lines in message or allocation failure"

#: a message as it is sent: keys and values in order
Fields = Iterable[tuple[str, str]]

_LINE_ENDS = str.maketrans("", "", "\r\n\0")


class Verbatim(str):
    """A value of our own making that is sent as it is, line ends and all.

    origin: one of its error messages ends with a line feed of its own.
    """

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Message:
    """What a client sent: headers in their order, keys as written."""

    headers: tuple[tuple[str, str], ...] = ()

    def get(self, key: str) -> str:
        """The value of the first header with this key in any letter case; empty without one."""
        wanted = key.lower()
        for name, value in self.headers:
            if name.lower() == wanted:
                return value
        return ""

    def filled(self, key: str) -> str:
        """Like `get`, but headers without a value are passed over."""
        wanted = key.lower()
        for name, value in self.headers:
            if value and name.lower() == wanted:
                return value
        return ""


@dataclass(frozen=True, slots=True)
class Malformed:
    """A message beyond the limits: `reason` is what the client is told, `message` what was kept."""

    reason: str
    message: Message


class Decoder:
    """Collects one connection's bytes into messages, however they were cut."""

    __slots__ = ("_headers", "_reason", "_rest", "_size", "_skipping")

    def __init__(self) -> None:
        self._rest = b""
        self._skipping = False
        self._reset()

    @property
    def waiting(self) -> bool:
        """Whether a message has begun that has not ended."""
        return bool(self._rest or self._headers or self._reason or self._skipping)

    def _reset(self) -> None:
        self._headers: list[tuple[str, str]] = []
        self._size = 0
        self._reason = ""

    def feed(self, data: bytes) -> list[Message | Malformed]:
        """The messages that `data` completes, in order; never raises."""
        *lines, rest = (self._rest + data).split(b"\n")
        messages: list[Message | Malformed] = []
        for line in lines:
            if self._skipping:
                self._skipping = False
                continue
            line = line.removesuffix(b"\r")
            if line:
                self._take(line)
            else:
                messages.append(self._finish())
        if self._skipping or len(rest) > LINE_LIMIT + 1:
            # the rest of an endless line is dropped as it comes: memory stays bounded
            self._skipping, self._reason, rest = True, self._reason or LINE_TOO_LONG, b""
        self._rest = rest
        return messages

    def _take(self, line: bytes) -> None:
        if len(line) > LINE_LIMIT:
            self._reason = self._reason or LINE_TOO_LONG
            return
        self._size += len(line)
        if len(self._headers) >= HEADER_LIMIT or self._size > MESSAGE_LIMIT:
            self._reason = self._reason or TOO_MANY_LINES
            return
        key, colon, value = line.decode("utf-8", "surrogateescape").partition(":")
        # a line without a colon counts as a header, but is none that can be asked for
        self._headers.append((key if colon else "", _skip_blanks(value)))

    def _finish(self) -> Message | Malformed:
        message, reason = Message(tuple(self._headers)), self._reason
        self._reset()
        return Malformed(reason, message) if reason else message


def _skip_blanks(value: str) -> str:
    """`value` without what leads up to it; what trails it belongs to it."""
    start = 0
    while start < len(value) and value[start] <= " ":
        start += 1
    return value[start:]


def clean(value: str) -> str:
    """`value` in one line, whatever it holds."""
    return value.translate(_LINE_ENDS)


def to_bytes(text: str) -> bytes:
    """Text as it goes out; bytes of a client that were no UTF-8 come back as they were."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace")


def line(key: str, value: str) -> str:
    """One header with its end."""
    return f"{key}: {value if isinstance(value, Verbatim) else clean(value)}\r\n"


def encode(fields: Fields) -> bytes:
    """A whole message, the empty line included."""
    return to_bytes("".join([line(key, value) for key, value in fields]) + "\r\n")


def parse(data: bytes) -> tuple[Message, ...]:
    """All messages of `data`, which must end with a whole one; AmiError otherwise."""
    decoder = Decoder()
    found = tuple(_sound(item) for item in decoder.feed(data))
    if decoder.waiting:
        raise AmiError("the last message has no end")
    return found


def _sound(item: Message | Malformed) -> Message:
    if isinstance(item, Malformed):
        raise AmiError(excerpt(item.reason))
    return item


def output_lines(chunks: Iterable[str]) -> Iterator[str]:
    """The lines of a command's output, without their ends; one empty line when there is none."""
    rest, any_line = "", False
    for chunk in chunks:
        *lines, rest = (rest + chunk).split("\n")
        any_line = any_line or bool(lines)
        yield from lines
    if rest or not any_line:
        yield rest
