"""pjreg_cli/remote.py"""

from __future__ import annotations

import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pjreg_cli import remote
from tests.support.instance import short_folder


@pytest.fixture
def path() -> Iterator[str]:
    """Where an instance may listen."""
    with short_folder() as folder:
        yield str(folder / "ctl")


@contextmanager
def answering(path: str, *pieces: bytes, hang_up: bool = True) -> Iterator[list[bytes]]:
    """An instance that sends these pieces to the first who asks; what it was asked."""
    asked: list[bytes] = []
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)
        listening.listen()

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                asked.append(connection.recv(65536))
                for piece in pieces:
                    connection.sendall(piece)
                if not hang_up:
                    connection.recv(65536)

        thread = threading.Thread(target=serve)
        thread.start()
        yield asked
        thread.join(10)
        assert not thread.is_alive()


def ask(path: str, *lines: str) -> tuple[int, bytes]:
    shown: list[bytes] = []
    status = remote.ask(path, lines, remote.hello(), shown.append)
    return status, b"".join(shown)


def test_request_is_a_greeting_and_the_line_in_one_piece(path: str) -> None:
    with answering(path, remote.frame(remote.END, b"0")) as asked:
        assert ask(path, "core show version") == (0, b"")
    greeting = remote.frame(b"H", b"kind=one-shot dialect=current json=0")
    assert asked == [greeting + remote.frame(b"X", b"core show version")]


@pytest.mark.parametrize("size", [1, 2, 7, 4096])
def test_output_is_the_same_however_it_is_cut(path: str, size: int) -> None:
    answer = (
        remote.frame(remote.OUTPUT, b"one\n" * 100)
        + remote.frame(b"?", b"of a newer instance")
        + remote.frame(remote.OUTPUT, b"")
        + remote.frame(remote.OUTPUT, "zwölf\n".encode())
        + remote.frame(remote.END, b"1")
    )
    pieces = [answer[at : at + size] for at in range(0, len(answer), size)]
    with answering(path, *pieces):
        assert ask(path, "show") == (1, b"one\n" * 100 + "zwölf\n".encode())


def test_all_lines_are_asked_even_after_a_failure(path: str) -> None:
    with answering(path, remote.frame(remote.END, b"1") + remote.frame(remote.END, b"0")):
        assert ask(path, "first", "second") == (1, b"")


@pytest.mark.parametrize("sent", [b"", b"O", remote.frame(b"O", b"half an answer")])
def test_instance_that_goes_away_is_a_failure_and_one_line(
    path: str, sent: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    with answering(path, sent):
        status, _ = ask(path, "show")
    assert status == 1
    assert "went away" in capsys.readouterr().err


def test_refusal_is_told(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    with answering(path, remote.frame(remote.REFUSED, b"no such dialect: 9")):
        assert ask(path, "show")[0] == 1
    assert "no such dialect: 9" in capsys.readouterr().err


def test_suggestions_come_without_their_positions(path: str) -> None:
    payload = b"-2\tshow\tShow things\n-2\tset\t\n"
    with answering(path, remote.frame(remote.SUGGEST, payload)) as asked:
        assert remote.suggest(path, "pjsip s") == ["show\tShow things", "set\t"]
    assert asked[0].endswith(remote.frame(remote.SUGGEST, b"pjsip s"))


# -- nobody there -----------------------------------------------------------------------------


def absent_file(path: str) -> None:
    """Nothing at all."""


def dead_socket(path: str) -> None:
    """A socket whose instance has died."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(path)


def plain_file(path: str) -> None:
    """Something else."""
    Path(path).touch()


@pytest.mark.parametrize("make", [absent_file, dead_socket, plain_file])
def test_nobody_there_is_told_with_the_path(path: str, make: Callable[[str], None]) -> None:
    make(path)
    with pytest.raises(remote.NoInstance, match=path):
        remote.connect(path)


def test_path_too_long_for_a_socket_is_nobody_there(path: str) -> None:
    with pytest.raises(remote.NoInstance):
        remote.connect(path + "x" * 200)


# -- where -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("uid", "variables", "expected"),
    [
        (0, {"PJREG_SOCKET": "/a/b"}, "/a/b"),
        (0, {"XDG_RUNTIME_DIR": "/run/user/0"}, "/run/pjreg-cli/pjreg.ctl"),
        (7, {"XDG_RUNTIME_DIR": "/run/user/7"}, "/run/user/7/pjreg-cli/pjreg.ctl"),
        (7, {"TMPDIR": "/var/tmp/"}, "/var/tmp/pjreg-cli-7/pjreg.ctl"),
        (7, {}, "/tmp/pjreg-cli-7/pjreg.ctl"),
    ],
)
def test_socket_is_where_it_is_promised(
    monkeypatch: pytest.MonkeyPatch, uid: int, variables: dict[str, str], expected: str
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: uid)
    for name in ("PJREG_SOCKET", "XDG_RUNTIME_DIR", "TMPDIR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert remote.default_socket() == expected


def test_how_it_goes_is_told_on_stderr_in_place(
    path: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(remote, "columns", lambda: 12)
    answer = (
        remote.frame(remote.PROGRESS, b"reloading, 12 s so far")
        + remote.frame(remote.PROGRESS, b"")
        + remote.frame(remote.OUTPUT, b"done\n")
        + remote.frame(remote.LOG, b"\tall: unchanged\n")
        + remote.frame(remote.END, b"0")
    )
    with answering(path, answer):
        assert ask(path, "reload") == (0, b"done\n")
    assert capsys.readouterr().err == "\r\x1b[Kreloading, \r\x1b[Kall: unchanged\n"


def test_ctrl_c_as_soon_as_it_is_read_leaves_nothing_of_how_it_goes(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stderr:
        """Somebody presses Ctrl-C when there is something to read."""

        def __init__(self) -> None:
            self.text = ""

        def write(self, text: str) -> None:
            self.text += text

        def flush(self) -> None:
            if self.text.endswith("so far"):
                raise KeyboardInterrupt

    monkeypatch.setenv("TERM", "xterm")
    stderr = Stderr()
    monkeypatch.setattr(sys, "stderr", stderr)
    monkeypatch.setattr(remote, "columns", lambda: 80)
    with answering(path, remote.frame(remote.PROGRESS, b"1 s so far")):
        assert ask(path, "core reload") == (remote.INTERRUPTED, b"")
    assert stderr.text == "\r\x1b[K1 s so far\r\x1b[K"


def test_a_dumb_terminal_is_told_the_end_alone(
    path: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "dumb")
    answer = remote.frame(remote.PROGRESS, b"reloading") + remote.frame(remote.LOG, b"\tso\n")
    with answering(path, answer + remote.frame(remote.END, b"0")):
        assert ask(path, "reload") == (0, b"")
    assert capsys.readouterr().err == "so\n"
