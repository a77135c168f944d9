from __future__ import annotations

import errno
import os
import ssl

import pytest

from pjreg_cli.api.findings import Trouble
from pjreg_cli.errors import TransportError
from pjreg_cli.net.trouble import of_connection, of_end, of_system


def system(number: int) -> OSError:
    return OSError(number, os.strerror(number))


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ECONNREFUSED, "refused"),
        (errno.EHOSTUNREACH, "unreachable"),
        (errno.ENETUNREACH, "unreachable"),
        (errno.ETIMEDOUT, "connect-timeout"),
        (errno.ECONNRESET, "reset"),
        (errno.EIO, "send-failed"),
    ],
)
def test_what_a_socket_says(number: int, kind: str) -> None:
    assert of_system(system(number), 1.0) == Trouble(kind, os.strerror(number), 1.0)


def test_how_far_a_connection_came_tells_a_timeout_from_another() -> None:
    assert of_connection(TimeoutError(), 1.0, "connect").kind == "connect-timeout"
    assert of_connection(TimeoutError(), 1.0, "handshake").kind == "handshake-timeout"


def test_an_end_during_the_handshake_is_one_of_tls() -> None:
    assert of_connection(system(errno.ECONNRESET), 1.0, "handshake").kind == "tls"
    assert of_connection(system(errno.ECONNREFUSED), 1.0, "connect").kind == "refused"
    assert of_connection(ssl.SSLError(1, "what"), 1.0, "handshake").kind == "tls"


def test_what_an_error_carries_counts() -> None:
    error = TransportError("no", Trouble("certificate", "wildcard"))
    assert of_connection(error, 2.0, "handshake") == Trouble("certificate", "wildcard", 2.0)


def test_how_a_connection_ended() -> None:
    assert of_end(None, 1.0).kind == "lost"
    assert of_end(system(errno.ECONNRESET), 1.0).kind == "reset"
    assert of_end(system(errno.EIO), 1.0).kind == "lost"
    assert of_end(ssl.SSLError(1, "alert"), 1.0).kind == "tls"


def test_the_words_of_asyncio_are_not_told() -> None:
    error = ConnectionRefusedError(errno.ECONNREFUSED, "Connect call failed ('192.0.2.1', 5060)")
    assert of_system(error, 1.0).text == "Connection refused"
