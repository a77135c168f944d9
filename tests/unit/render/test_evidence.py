"""Why a registration stands as it does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pytest

from pjreg_cli.api.registrations import Evidence, RegistrationView, UnderWay
from pjreg_cli.render import status as tables
from pjreg_cli.render.evidence import answer, one
from tests.support.fake_port import registration


def status(views: Iterable[RegistrationView]) -> Iterator[str]:
    """The table of `pjreg status` as a pipe gets it."""
    return tables.table(views, tables.DEFAULT, 0)


FACTS = Evidence(
    at=0.0,
    method="register",
    code=403,
    reason="No \x1b[31mway",
    cause="answered",
    rule="permanent",
    target="udp:192.0.2.1:5060",
    received="",
    granted_s=None,
)


def test_reason_phrases_cannot_steer_a_terminal() -> None:
    view = registration("a", "Rejected", -1, evidence=FACTS)
    for text in ("".join(status([view])), "".join(one(view))):
        assert "\x1b" not in text
        assert "403 No \\x1b[31mway" in text


def test_missing_answer_is_named_by_its_cause() -> None:
    assert answer(None) == "-"
    assert answer(FACTS._replace(cause="unresolved", code=503)) == "unresolved (503)"
    assert answer(FACTS._replace(reason="")) == "403"


def test_status_streams() -> None:
    asked = 0

    def views() -> Iterator[RegistrationView]:
        nonlocal asked
        while True:
            asked += 1
            yield registration(f"r{asked}", "Registered", 1)

    lines = status(views())
    assert next(lines).startswith("Registration ")
    assert next(lines).startswith("r1 ")
    assert asked == 1


@pytest.mark.parametrize(
    ("sent", "text"),
    [
        (
            UnderWay("register", 12.9, 4, "udp:192.0.2.1:5060"),
            "REGISTER sent 12 s ago, 4 resends, udp:192.0.2.1:5060",
        ),
        (
            UnderWay("unregister", 0.6, 1, "udp:192.0.2.1:5060"),
            "unregister sent 0 s ago, 1 resend, udp:192.0.2.1:5060",
        ),
        (UnderWay("register", None, 0, ""), "REGISTER: looking up"),
        (
            UnderWay("register", None, 0, "tcp:192.0.2.1:5060"),
            "REGISTER waits its turn for tcp:192.0.2.1:5060",
        ),
    ],
)
def test_request_under_way_is_shown(sent: UnderWay, text: str) -> None:
    view = registration("a", "Registered", 9, next_attempt_s=3)._replace(under_way=sent)
    assert text in "".join(status([view]))
    assert f"Next attempt:  {text}\n" in "".join(one(view))
