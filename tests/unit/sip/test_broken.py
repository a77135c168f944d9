"""Of a request that cannot be read, enough to say so."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pjreg_cli.sip.broken import salvage

_FIELDS = b"Via: SIP/2.0/UDP a;branch=z9hG4bK1\r\nTo: <sip:a@b>\r\n"


@pytest.mark.parametrize(
    ("line", "method", "code"),
    [
        (b"INVITE sip:a@b; lr SIP/2.0", "INVITE", 400),
        (b"OPTIONS sip:a SIP/7.0", "OPTIONS", 505),
        (b"OPTIONS\tsip:a\tsip/2.0  ", "OPTIONS", 400),
        (b"OPTIONS SIP/2.0", "OPTIONS", 400),
    ],
)
def test_a_request_that_was_meant_is_found(line: bytes, method: str, code: int) -> None:
    found = salvage(line + b"\r\n" + _FIELDS + b"\r\n")
    assert found is not None
    request, said = found
    assert (request.method, said) == (method, code)
    assert request.branch == "z9hG4bK1"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\r\n\r\n",
        b"SIP/2.0 200 OK\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"(x) sip:a SIP/2.0\r\n\r\n",
        b"OPTIONS sip:a SIP/99999999999.0\r\n\r\n",
        b"OPTIONS sip:" + b"a" * 9000 + b" SIP/2.0\r\n\r\n",
        b"OPTIONS sip:a SIP/2.0\r\n" + b"a:\r\n" * 600 + b"\r\n",
        b"OPTIONS sip:a SIP/2.0\r\n\r\n" + b"x" * 70_000,
    ],
)
def test_what_was_none_is_left_alone(data: bytes) -> None:
    assert salvage(data) is None


@given(st.binary(max_size=300) | st.binary(max_size=80).map(lambda b: b"A " + b + b" SIP/2.0\r\n"))
def test_nothing_that_comes_makes_it_raise(data: bytes) -> None:
    salvage(data)
