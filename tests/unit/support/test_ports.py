"""Ports that tests are given."""

from __future__ import annotations

import socket

import pytest

from tests.support import ports
from tests.support.ports import LOOPBACK, free_port


def test_nobody_is_given_what_another_was_just_given(monkeypatch: pytest.MonkeyPatch) -> None:
    first = free_port()
    # by another process as well: the claim is the system's, not ours
    monkeypatch.setattr(ports, "_PORTS", [first])
    with pytest.raises(RuntimeError, match="no port of"):
        free_port()


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
def test_what_is_in_use_is_given_to_nobody(
    monkeypatch: pytest.MonkeyPatch, kind: socket.SocketKind
) -> None:
    with socket.socket(socket.AF_INET, kind) as used:
        used.bind((LOOPBACK, 0))
        monkeypatch.setattr(ports, "_PORTS", [used.getsockname()[1]])
        with pytest.raises(RuntimeError, match="no port of"):
            free_port()


def test_many_are_to_be_had() -> None:
    count = 3 * ports._KEPT
    assert len({free_port() for _ in range(count)}) > count // 2
