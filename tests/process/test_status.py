"""What `pjreg status` says while a registrar keeps silent."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.instance import Instance
from tests.support.ports import free_port
from tests.support.waiting import until

CONFIGURATION = """\
[udp]
type = transport
protocol = udp
bind = 127.0.0.1:{port}

[silent]
type = registration
server_uri = sip:127.0.0.1:{registrar}
client_uri = sip:me@127.0.0.1
max_random_initial_delay = 0
"""


@pytest.fixture
def waiting(home: Path) -> Iterator[tuple[Instance, int]]:
    """An instance whose registrar takes everything and answers nothing, and that one's port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as registrar:
        registrar.bind(("127.0.0.1", 0))
        port = registrar.getsockname()[1]
        one = Instance(home, CONFIGURATION.format(port=free_port(), registrar=port))
        one.start()
        yield one, port
        one.stop()


def test_request_without_an_answer_is_shown(waiting: tuple[Instance, int]) -> None:
    instance, port = waiting
    # a busy machine may look past the second
    shown = re.compile(rf"\b([2-9]|1\d) resends, udp:127\.0\.0\.1:{port} ")
    until(lambda: bool(shown.search(instance.told("pjreg status").out)), shown.pattern)
    assert "REGISTER sent " in instance.ask("pjreg status silent").out
    (row,) = json.loads(instance.ask("pjreg status", "--json").out)
    assert row["under_way"]["target"] == f"udp:127.0.0.1:{port}"
    assert row["under_way"]["resends"] >= 2
    assert row["next_attempt_in_s"] is None
