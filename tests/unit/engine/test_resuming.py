"""What a registration makes of the state that was left to it."""

from __future__ import annotations

import pytest

from pjreg_cli.cluster.resume import Resumable
from pjreg_cli.engine.resuming import granted_by, resumption
from pjreg_cli.registration.state import Resumed, Status
from pjreg_cli.sip.locate import Target
from tests.support.registrations import registration

LEFT = Resumable("alice", "i", "c", 7, "registered", granted_s=60, expires_in_s=50.0)


@pytest.mark.parametrize(
    ("left", "expected"),
    [
        (LEFT._replace(refresh_in_s=40.0), Resumed(Status.REGISTERED, 40.0)),
        (LEFT._replace(refresh_in_s=-3.0), Resumed(Status.REGISTERED, 0.0)),
        (LEFT, Resumed(Status.REGISTERED, 0.0)),
        (LEFT._replace(expires_in_s=-1.0), None),
        (
            LEFT._replace(status="rejected temporarily", refresh_in_s=30.0, retries=4),
            Resumed(Status.REJECTED_TEMPORARY, 30.0, 4),
        ),
        (LEFT._replace(status="rejected permanently"), None),
        (LEFT._replace(status="unregistered"), None),
        (LEFT._replace(status="nonsense"), None),
    ],
)
def test_resumption(left: Resumable, expected: Resumed | None) -> None:
    assert resumption(registration(), left) == expected


def test_a_target_is_read_back() -> None:
    settings = registration(server_uri="sip:example.net;transport=tls")
    assert granted_by(settings, "tls:[2001:db8::1]:5061") == Target(
        "tls", "2001:db8::1", 5061, "example.net"
    )
    for text in ("", "udp", "udp:1.2.3.4:x", "udp::5060"):
        assert granted_by(settings, text) is None
