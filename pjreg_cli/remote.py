"""The one-shot client: one command line to a running instance, its output to stdout.

A shell script may start this a hundred times a minute, so it costs hardly more than a bare
interpreter: it imports nothing of the package and nothing that is not loaded anyway but the
`_socket` extension.  It holds one frame of output at a time, however long the answer is.

The frames are explained in `control/protocol.py`; their layout is defined here, because this
module may import nothing.
"""

from __future__ import annotations

import _socket
import os
import sys
from _collections_abc import Callable, Iterable

#: one letter, then the length of what follows as four bytes, most significant first
HEAD = 5

HELLO = b"H"
EXECUTE = b"X"
SUGGEST = b"S"
OUTPUT = b"O"
COMPLAINT = b"N"
END = b"E"
LOG = b"L"
PROGRESS = b"P"
REFUSED = b"R"

#: seconds without a byte after which an instance counts as hung
PATIENCE_S = 120.0

#: exit statuses: 0 done; 1 failed, unknown, or no instance; 130 is the shell's for Ctrl-C
DONE = 0
FAILED = 1
INTERRUPTED = 130

_SOCKET_NAME = "pjreg.ctl"
_FOLDER = "pjreg-cli"
_RECEIVE = 1 << 17


class NoInstance(Exception):  # noqa: N818 -- an answer to a question, not a fault
    """No instance answers at this socket; the text says why."""


class Broken(Exception):  # noqa: N818 -- as above
    """The instance went away, or stopped making sense, in the middle of an answer."""


class Unwritable(Exception):  # noqa: N818 -- as above
    """What is asked for cannot be written to stdout; the text says why."""


def default_socket() -> str:
    """Where an instance listens unless told otherwise: `--socket`, told in docs/running.md."""
    if named := os.environ.get("PJREG_SOCKET"):
        return named
    if os.geteuid() == 0:
        return f"/run/{_FOLDER}/{_SOCKET_NAME}"
    if runtime := os.environ.get("XDG_RUNTIME_DIR"):
        return f"{runtime}/{_FOLDER}/{_SOCKET_NAME}"
    temporary = os.environ.get("TMPDIR") or "/tmp"
    return f"{temporary.rstrip('/')}/{_FOLDER}-{os.geteuid()}/{_SOCKET_NAME}"


def frame(kind: bytes, payload: bytes) -> bytes:
    """One frame, ready to be sent."""
    return kind + len(payload).to_bytes(4, "big") + payload


def refuse_strangers(path: str, sock: _socket.socket) -> None:
    """Raise NoInstance where the other end of `sock`, connected to `path`, is another user's
    (root's excepted), OSError where it is nobody's.

    In a folder that everybody may write to, somebody could wait for our commands.  Asked of the
    connection, not of the file: a file can be another one in the next moment.  Root may talk to
    the instance of a user, but to no one else than whom the folder belongs to.
    """
    allowed = [0, os.geteuid()]
    if allowed[1] == 0:
        allowed.append(os.lstat(os.path.dirname(path) or ".").st_uid)
    if peer_of(sock, path) not in allowed:
        raise NoInstance(f"the socket {path} belongs to another user")


def peer_of(sock: _socket.socket, path: str = "") -> int:
    """The user at the other end of a Unix socket; where the system does not say, the owner of
    `path`."""
    asked = getattr(_socket, "SO_PEERCRED", None)
    if asked is None:
        return os.stat(path).st_uid
    credentials = sock.getsockopt(_socket.SOL_SOCKET, asked, 12)
    return int.from_bytes(credentials[4:8], sys.byteorder)


def absent(path: str, error: Exception) -> NoInstance:
    """What to raise when `path` cannot be connected to because of `error`."""
    why = getattr(error, "strerror", None) or str(error)
    return NoInstance(f"no instance answers at {path} ({why})")


def connect(path: str) -> _socket.socket:
    """A connection to the instance that listens at `path`; raises NoInstance."""
    sock = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    sock.settimeout(PATIENCE_S)
    try:
        sock.connect(path)
        refuse_strangers(path, sock)
    except (OSError, ValueError) as error:
        sock.close()
        raise absent(path, error) from error
    except NoInstance:
        sock.close()
        raise
    return sock


def hello(
    *, dialect: str = "current", json: bool = False, width: int = 0, follow: bool = False
) -> bytes:
    """The frame that says who asks, and how the answers should look.

    `width` is that of the terminal, in columns; 0: the output goes elsewhere.  With `follow`
    somebody sits there who wants to see on stderr how it goes, and what has come of it.
    """
    words = f"kind=one-shot dialect={dialect} json={int(json)}"
    if width:
        words += f" width={width}"
    if follow:
        words += " follow=1"
    return frame(HELLO, words.encode())


def write(data: bytes) -> None:
    """All of `data` to stdout; raises BrokenPipeError and Unwritable."""
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(1, view) :]
        except BrokenPipeError:
            raise
        except OSError as error:
            raise Unwritable(f"cannot write to stdout: {error.strerror}") from error


class Conversation:
    """Commands asked one after the other over one connection."""

    def __init__(self, path: str, greeting: bytes, show: Callable[[bytes], None] = write) -> None:
        """Connect to the instance at `path`; `show` gets the output.  Raises NoInstance."""
        self._show = show
        self._sock = connect(path)
        self._unsent = greeting
        self._received = bytearray()
        self._progress = False
        """Whether the last line of the terminal tells of what is under way."""

    def ask(self, line: str) -> bool:
        """Have `line` executed, its output shown; whether it succeeded.

        Raises Broken, and BrokenPipeError when nobody reads stdout any more.
        """
        self._request(EXECUTE, line)
        while True:
            kind, payload = self._frame()
            if kind == OUTPUT:
                self._show(payload)
            elif kind == COMPLAINT:
                complain(payload.decode("utf-8", "replace"))
            elif kind == PROGRESS:
                self._progressed(payload.decode("utf-8", "replace"))
            elif kind == LOG:
                _to_stderr(payload.partition(b"\t")[2].decode("utf-8", "replace").rstrip() + "\n")
            elif kind == END:
                return payload[:1] == b"0"

    def suggest(self, text: str) -> list[str]:
        """What `text` may go on with, each with a tab before its explanation; raises Broken."""
        self._request(SUGGEST, text)
        kind, payload = self._frame()
        while kind != SUGGEST:
            kind, payload = self._frame()
        lines = payload.decode("utf-8", "replace").splitlines()
        # a line that begins with a sign of plus tells how many others there are
        return [line.partition("\t")[2] for line in lines if line[:1] != "+"]

    def close(self) -> None:
        """Hang up."""
        self._progressed("")
        self._sock.close()

    def _progressed(self, text: str) -> None:
        """Tell in place what is under way; empty: nothing any more."""
        if (text or self._progress) and os.environ.get("TERM", "dumb") != "dumb":
            # known before it is there: Ctrl-C may come as soon as it can be read
            self._progress = True
            _to_stderr(f"\r\x1b[K{text[: max(columns() - 1, 0)]}")
            self._progress = bool(text)

    def _request(self, kind: bytes, text: str) -> None:
        request = frame(kind, text.encode("utf-8", "surrogateescape"))
        try:
            self._sock.sendall(self._unsent + request)
        except OSError as error:
            raise Broken(f"the instance went away ({error.strerror})") from error
        self._unsent = b""

    def _frame(self) -> tuple[bytes, bytes]:
        """The next frame; raises Broken, also for a refusal."""
        head = self._take(HEAD)
        kind, payload = head[:1], self._take(int.from_bytes(head[1:], "big"))
        if kind == REFUSED:
            raise Broken(payload.decode("utf-8", "replace"))
        return kind, payload

    def _take(self, count: int) -> bytes:
        received = self._received
        while len(received) < count:
            try:
                data = self._sock.recv(_RECEIVE)
            except OSError as error:
                why = error.strerror or f"it has not answered for {PATIENCE_S:.0f} s"
                raise Broken(f"the instance went away ({why})") from error
            if not data:
                raise Broken("the instance went away before it had answered")
            received += data
        taken = bytes(received[:count])
        del received[:count]
        return taken


def columns() -> int:
    """How many columns the terminal has to which stdout goes; 0: it goes elsewhere."""
    try:
        return os.get_terminal_size(1).columns if os.isatty(1) else 0
    except OSError:
        return 0


def quietly_closed() -> int:
    """What to exit with when the reader of our output has left: it has seen all it wanted."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.close(null)
    return DONE


def complain(message: str) -> None:
    """One line on stderr; where that is closed or full, nobody is left to be told."""
    _to_stderr(f"pjreg-cli: {message}\n")


def _to_stderr(text: str) -> None:
    if sys.stderr is None:
        return
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:
        return


def ask(
    path: str,
    lines: Iterable[str],
    greeting: bytes,
    show: Callable[[bytes], None] = write,
) -> int:
    """Execute `lines` in turn as they come; 1 if any failed.  Raises NoInstance.

    `show` gets the output, by default stdout does.
    """
    status = DONE
    conversation = Conversation(path, greeting, show)
    try:
        for line in lines:
            if not conversation.ask(line):
                status = FAILED
    except BrokenPipeError:
        return quietly_closed()
    except Broken as broken:
        complain(str(broken))
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    finally:
        conversation.close()
    return status


def suggest(path: str, text: str) -> list[str]:
    """What a console would suggest after `text`; raises NoInstance and Broken."""
    conversation = Conversation(path, hello())
    try:
        return conversation.suggest(text)
    finally:
        conversation.close()
