"""A stream cut into messages: chunks never matter, and nothing grows without bound."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pjreg_cli.errors import SipParseError
from pjreg_cli.sip.framing import StreamFramer

_HEAD = b"SIP/2.0 200 OK\r\nVia: SIP/2.0/TCP a\r\n"
_PLAIN = _HEAD + b"Content-Length: 0\r\n\r\n"
_LONG = _HEAD + b"l : 7\r\n\r\na\r\n\r\nbc"
_BARE = b"OPTIONS sip:a SIP/2.0\r\nTo: b\r\n\r\n"


def test_messages_come_out_whole_and_in_order() -> None:
    framer = StreamFramer()
    assert framer.feed(_PLAIN + _LONG + _BARE + _PLAIN[:9]) == [_PLAIN, _LONG, _BARE]
    assert framer.feed(_PLAIN[9:]) == [_PLAIN]


def test_a_body_may_look_like_an_end() -> None:
    framer = StreamFramer()
    assert framer.feed(_LONG[:-1]) == []
    assert framer.feed(_LONG[-1:]) == [_LONG]


def test_a_folded_content_length_counts() -> None:
    message = _HEAD + b"Content-Length:\r\n 3\r\n\r\nabc"
    assert StreamFramer().feed(message + _PLAIN) == [message, _PLAIN]


def test_an_empty_content_length_is_none() -> None:
    message = _HEAD + b"Content-Length: \r\n\r\n"
    assert StreamFramer().feed(message + _PLAIN) == [message, _PLAIN]


@pytest.mark.parametrize(
    ("stream", "pings", "pongs"),
    [
        (b"\r\n", 0, 1),
        (b"\r\n\r\n", 1, 0),
        (b"\r\n\r\n\r\n", 1, 1),
        (b"\r\n" + _PLAIN + b"\r\n", 0, 2),
        (b"\r\n\r\n" + _PLAIN + b"\r\n\r\n" + _PLAIN + b"\r\n", 2, 1),
        (b"\n\r\r\n", 0, 1),
        (_PLAIN, 0, 0),
    ],
)
def test_line_ends_between_messages_are_counted(stream: bytes, pings: int, pongs: int) -> None:
    framer = StreamFramer()
    framer.feed(stream)
    assert (framer.pings, framer.pongs) == (pings, pongs)


@pytest.mark.parametrize(
    "stream",
    [
        b"GET / HTTP/1.1\r\n",
        b"\x16\x03\x01\x02\x00\x01\n",
        _HEAD + b"Content-Length: x\r\n\r\n",
        _HEAD + b"Content-Length: -1\r\n\r\n",
        _HEAD + b"Content-Length: 1\r\nl: 2\r\n\r\n",
        _HEAD + b"Content-Length: 999999\r\n\r\n",
        _HEAD + b"X: " + b"y" * 40000,
        b"x" * 40000,
    ],
)
def test_hopeless_input_is_refused_for_good(stream: bytes) -> None:
    framer = StreamFramer()
    with pytest.raises(SipParseError):
        framer.feed(stream)
    with pytest.raises(SipParseError):
        framer.feed(_PLAIN)


def test_messages_before_the_break_are_still_delivered() -> None:
    framer = StreamFramer()
    assert framer.feed(_PLAIN + b"nonsense\r\n") == [_PLAIN]
    assert framer.broken is not None
    with pytest.raises(SipParseError):
        framer.feed(b"")


def test_limits_are_exact() -> None:
    head = len(_PLAIN) - 4
    assert StreamFramer(max_head=head).feed(_PLAIN) == [_PLAIN]
    with pytest.raises(SipParseError):
        StreamFramer(max_head=head - 1).feed(_PLAIN)
    assert StreamFramer(max_body=7).feed(_LONG) == [_LONG]
    with pytest.raises(SipParseError):
        StreamFramer(max_body=6).feed(_LONG)


_Outcome = tuple[list[bytes], int, int, bool]


def _run(chunks: list[bytes]) -> _Outcome:
    framer = StreamFramer(max_head=120, max_body=20)
    messages: list[bytes] = []
    for chunk in chunks:
        try:
            messages += framer.feed(chunk)
        except SipParseError:
            break
    return messages, framer.pings, framer.pongs, framer.broken is not None


_pieces = st.sampled_from(
    [
        _PLAIN,
        _LONG,
        _BARE,
        b"\r\n",
        b"\r\n\r\n",
        b"\r",
        b"\n",
        b"x",
        _HEAD,
        b"l: 30\r\n\r\n",
        b"y" * 99,
    ]
)


@given(st.lists(_pieces, max_size=6).map(b"".join), st.lists(st.integers(0, 300), max_size=8))
def test_chunking_never_changes_the_result(stream: bytes, cuts: list[int]) -> None:
    places = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    chunks = [stream[a:b] for a, b in pairwise(places)]
    assert _run(chunks) == _run([stream])


@given(st.lists(_pieces, max_size=5).map(b"".join))
def test_single_bytes_give_the_same_as_one_piece(stream: bytes) -> None:
    assert _run([stream[i : i + 1] for i in range(len(stream))]) == _run([stream])


@given(st.lists(st.binary(max_size=20), max_size=8))
def test_arbitrary_bytes_raise_nothing_else(chunks: list[bytes]) -> None:
    messages, *_ = _run(chunks)
    assert b"".join(messages) in b"".join(chunks)


@pytest.mark.exhaustive
@pytest.mark.timeout(20)
def test_many_small_messages_in_one_piece_cost_no_more_than_their_sum() -> None:
    stream = b"A b SIP/2.0\r\n\r\n" * 300_000
    assert len(StreamFramer().feed(stream)) == 300_000


def test_messages_may_be_taken_one_at_a_time() -> None:
    framer = StreamFramer()
    framer.add(_PLAIN + _LONG + b"nonsense\r\n")
    assert [framer.take(), framer.take()] == [_PLAIN, _LONG]
    assert framer.broken is None, "what has not been asked for has not been looked at"
    assert framer.take() is None
    assert framer.broken is not None
