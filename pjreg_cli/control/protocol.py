"""The frames spoken over the control socket; pure.

A connection carries frames both ways, each a letter, the length of its payload (four bytes, most
significant first) and the payload, UTF-8 text.  A client need not say `H` first: it is then a
one-shot in today's dialect.

From the client (payload at most 64 KiB):

=====  ==========================================================================================
``H``  hello, once, before anything else: words ``kind=one-shot|remote``, ``dialect=current|12``,
       ``json=0|1``, ``verbose=N``, ``muted=0|1``, ``width=N``, ``follow=0|1`` (a one-shot that
       waits for what comes of a command) separated by blanks; unknown ones are passed over
``X``  execute this command line
``S``  what could follow this text? (completion and `?`)
``K``  give up the commands before this, begun or not; each is answered by its end
``T``  the terminal has so many columns now
``W``  watch from now on: words ``log`` and ``counts``
=====  ==========================================================================================

From the server:

=====  ==========================================================================================
``G``  the greeting, in answer to a hello of kind ``remote``: lines ``version=``, ``host=``,
       ``pid=``, ``config=``, ``shell=``
``O``  a piece of output of the command under way (pieces may split anywhere but in a character)
``N``  a line for stderr: what is wrong, where the output must not say it (one-shots only)
``E``  the end of a command: ``0`` or ``1``, then ``q`` if the console should close and ``m`` if it
       is muted, a blank and its verbosity
``S``  suggestions, one a line: start position, text and explanation separated by tabs; of too
       many, a last line tells how many others there are: ``+``, tab, number
``C``  how many registrations there are of each word, one a line: word, tab, number
``L``  a log line: its level, a tab, the text (which may have several lines)
``P``  progress: what the instance is doing while everybody waits, one line; empty: nothing
``B``  bye: the instance ends (``stop``), or begins again (``restart``)
``R``  refused, with the reason; the connection is closed after it
=====  ==========================================================================================

Requests are answered in the order they came, each completely before the next is looked at.
``C``, ``L``, ``P`` and ``B`` come unasked at any time, also in the middle of an answer; to a
one-shot that follows come ``P`` and ``L`` during its commands.  Log lines that a client is too slow
to read are dropped, and a later ``L`` says how many were.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields

from pjreg_cli.commands.command import Suggestion, Suggestions
from pjreg_cli.errors import PjregError, excerpt
from pjreg_cli.remote import (
    COMPLAINT,
    END,
    EXECUTE,
    HEAD,
    HELLO,
    LOG,
    OUTPUT,
    PROGRESS,
    REFUSED,
    SUGGEST,
    frame,
)

__all__ = [
    "BYE",
    "CANCEL",
    "COMPLAINT",
    "COUNTS",
    "END",
    "EXECUTE",
    "GREETING",
    "HELLO",
    "LOG",
    "MAX_ANSWER",
    "MAX_REQUEST",
    "OUTPUT",
    "PROGRESS",
    "REFUSED",
    "RESIZE",
    "SUGGEST",
    "WATCH",
    "ControlError",
    "Ended",
    "FrameReader",
    "Greeting",
    "Hello",
    "frame",
    "parse_counts",
    "parse_ended",
    "parse_hello",
    "parse_log",
    "parse_suggestions",
    "parse_width",
    "print_counts",
    "print_log",
    "print_suggestions",
]

WATCH = b"W"
GREETING = b"G"
COUNTS = b"C"
RESIZE = b"T"
CANCEL = b"K"
BYE = b"B"

#: the longest payload of a request, in bytes
MAX_REQUEST = 1 << 16
#: the longest payload of an answer, in bytes
MAX_ANSWER = 1 << 20


class ControlError(PjregError):
    """Bytes that are no frame, or a frame that says nothing we understand."""


class FrameReader:
    """Bytes in any pieces to whole frames."""

    def __init__(self, limit: int) -> None:
        """`limit` is the longest payload taken, in bytes."""
        self._limit = limit
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[tuple[bytes, bytes]]:
        """The frames that `data` completes, as letter and payload; raises ControlError."""
        buffer = self._buffer
        buffer += data
        frames = []
        at = 0
        while len(buffer) - at >= HEAD:
            length = int.from_bytes(buffer[at + 1 : at + HEAD], "big")
            if length > self._limit:
                raise ControlError(f"a frame of {length} bytes is longer than {self._limit}")
            end = at + HEAD + length
            if len(buffer) < end:
                break
            frames.append((bytes(buffer[at : at + 1]), bytes(buffer[at + HEAD : end])))
            at = end
        del buffer[:at]
        return frames


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello:
    """Who asks, and how the answers should look."""

    kind: str = "one-shot"
    """`one-shot`, or `remote` for an interactive console."""
    dialect: str = "current"
    json: bool = False
    verbose: int = 0
    muted: bool = False
    width: int = 0
    """Columns of the asker's terminal; 0: it has none."""
    follow: bool = False
    """A one-shot that wants to be told on its terminal how it goes, and what comes of it."""

    def encode(self) -> bytes:
        """The payload of an `H` frame."""
        return " ".join(_assignments(self)).encode()


def _assignments(value: Hello | Greeting) -> Iterator[str]:
    for field in fields(value):
        content = getattr(value, field.name)
        yield f"{field.name}={int(content) if isinstance(content, bool) else content}"


def _pairs(payload: bytes, separator: str | None) -> dict[str, str]:
    words = payload.decode("utf-8", "replace").split(separator)
    return {key: value for key, _, value in (word.partition("=") for word in words)}


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise ControlError(f"not a number: {excerpt(text)}")
    return int(text)


def parse_hello(payload: bytes) -> Hello:
    """The payload of an `H` frame; raises ControlError."""
    given = _pairs(payload, None)
    kind = given.get("kind", "one-shot")
    if kind not in ("one-shot", "remote"):
        raise ControlError(f"no such kind of client: {excerpt(kind)}")
    return Hello(
        kind=kind,
        dialect=given.get("dialect", "current"),
        json=given.get("json") == "1",
        verbose=_count(given.get("verbose", "0")),
        muted=given.get("muted") == "1",
        width=_count(given.get("width", "0")),
        follow=given.get("follow") == "1",
    )


def parse_width(payload: bytes) -> int:
    """The payload of a `T` frame; raises ControlError."""
    return _count(payload.decode("ascii", "replace"))


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended, and how the console that gave it stands now."""

    ok: bool
    quit: bool = False
    verbose: int | None = None
    """None: it was no console."""
    muted: bool = False

    def encode(self) -> bytes:
        """The payload of an `E` frame."""
        flags = ("q" if self.quit else "") + ("m" if self.muted else "")
        verbose = "" if self.verbose is None else f" {self.verbose}"
        return f"{0 if self.ok else 1}{flags}{verbose}".encode()


def parse_ended(payload: bytes) -> Ended:
    """The payload of an `E` frame; raises ControlError."""
    flags, _, verbose = payload.decode("ascii", "replace").partition(" ")
    return Ended(flags[:1] == "0", "q" in flags, _count(verbose) if verbose else None, "m" in flags)


@dataclass(frozen=True, slots=True, kw_only=True)
class Greeting:
    """Whom a console has reached."""

    version: str
    host: str
    pid: int
    config: str
    """The path of the configuration in use."""
    shell: bool
    """Whether consoles may run a shell."""

    def encode(self) -> bytes:
        """The payload of a `G` frame."""
        return "\n".join(_assignments(self)).encode("utf-8", "surrogateescape")

    @staticmethod
    def parse(payload: bytes) -> Greeting:
        """The payload of a `G` frame; raises ControlError."""
        given = _pairs(payload, "\n")
        return Greeting(
            version=given.get("version", ""),
            host=given.get("host", ""),
            pid=_count(given.get("pid", "")),
            config=given.get("config", ""),
            shell=given.get("shell") == "1",
        )


def print_counts(counts: Mapping[str, int]) -> bytes:
    """The payload of a `C` frame."""
    return "\n".join(f"{word}\t{number}" for word, number in counts.items()).encode()


def parse_counts(payload: bytes) -> dict[str, int]:
    """The payload of a `C` frame; raises ControlError."""
    lines = payload.decode("utf-8", "replace").splitlines()
    return {word: _count(number) for word, _, number in (line.partition("\t") for line in lines)}


def print_log(level: str, text: str) -> bytes:
    """The payload of an `L` frame."""
    return f"{level}\t{text}".encode("utf-8", "replace")


def parse_log(payload: bytes) -> tuple[str, str]:
    """Level and text of an `L` frame."""
    level, _, text = payload.decode("utf-8", "replace").partition("\t")
    return level, text


def print_suggestions(suggestions: Iterable[Suggestion]) -> bytes:
    """The payload of an answering `S` frame, cut to what a frame may hold."""
    payload = bytearray()
    for one in suggestions:
        words = (str(one.start_position), one.text, one.description)
        line = "\t".join(word.replace("\t", " ").replace("\n", " ") for word in words) + "\n"
        encoded = line.encode("utf-8", "replace")
        if len(payload) + len(encoded) > MAX_ANSWER:
            break
        payload += encoded
    if isinstance(suggestions, Suggestions) and suggestions.more:
        payload += f"+\t{suggestions.more}\n".encode()
    return bytes(payload)


def parse_suggestions(payload: bytes) -> Suggestions:
    """The payload of an answering `S` frame; raises ControlError."""
    found = Suggestions()
    for line in payload.decode("utf-8", "replace").split("\n")[:-1]:
        start, _, rest = line.partition("\t")
        text, _, description = rest.partition("\t")
        if start == "+":
            found.more = _count(text)
            continue
        sign = -1 if start.startswith("-") else 1
        found.append(Suggestion(text, sign * _count(start.lstrip("-")), description))
    return found
