"""Reading and writing manager messages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pjreg_cli.ami import codec
from pjreg_cli.ami.codec import Decoder, Malformed, Message, Verbatim
from pjreg_cli.errors import AmiError

_TOKENS = st.sampled_from(
    [b"\r", b"\n", b"\r\n", b"\r\n\r\n", b":", b" ", b"Action: Ping", b"ActionID:", b"\xff", b"\0"]
)
_STREAMS = st.lists(_TOKENS | st.binary(max_size=40), max_size=60).map(b"".join)
_LONG = st.sampled_from(
    [b"x" * 3000, b"y" * codec.LINE_LIMIT, b"a:b\n" * 70, b"\n", b"\r\n", b"k: v"]
)


def whole(data: bytes) -> list[Message | Malformed]:
    return Decoder().feed(data)


def in_pieces(data: bytes, cuts: list[int]) -> list[Message | Malformed]:
    decoder, found, start = Decoder(), [], 0
    for cut in [*sorted(cut % (len(data) + 1) for cut in cuts), len(data)]:
        found += decoder.feed(data[start:cut])
        start = cut
    return found


def test_key_and_value_are_parted_at_the_first_colon() -> None:
    (message,) = whole(b"A: b:c\r\nD:e\r\nF:   g  \r\nH:\r\n\r\n")
    assert message == Message((("A", "b:c"), ("D", "e"), ("F", "g  "), ("H", "")))


def test_letter_case_of_keys_does_not_matter_and_the_first_one_counts() -> None:
    message = Message((("ACTION", ""), ("Action", "Ping"), ("action", "Logoff")))
    assert message.get("aCTION") == ""
    assert message.filled("action") == "Ping"
    assert message.get("ActionID") == message.filled("ActionID") == ""


def test_line_ends_may_be_mixed() -> None:
    assert whole(b"A: 1\nB: 2\r\n\nC: 3\r\n\r\n") == [
        Message((("A", "1"), ("B", "2"))),
        Message((("C", "3"),)),
    ]


def test_line_without_a_colon_is_nothing_that_can_be_asked_for() -> None:
    (message,) = whole(b"Action\r\n\r\n")
    assert isinstance(message, Message)
    assert message.get("Action") == ""


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"A: " + b"x" * codec.LINE_LIMIT + b"\r\n\r\n", codec.LINE_TOO_LONG),
        (b"A: " + b"x" * 1_000_000 + b"\r\n\r\n", codec.LINE_TOO_LONG),
        (b"A: b\r\n" * (codec.HEADER_LIMIT + 1) + b"\r\n", codec.TOO_MANY_LINES),
        ((b"A: " + b"x" * 8000 + b"\r\n") * 9 + b"\r\n", codec.TOO_MANY_LINES),
    ],
)
def test_message_beyond_a_limit_is_told_and_passed_over(data: bytes, reason: str) -> None:
    found = whole(b"ActionID: 1\r\n" + data + b"Action: Ping\r\n\r\n")
    assert isinstance(found[0], Malformed)
    assert found[0].reason == reason
    assert found[0].message.get("ActionID") == "1"
    assert found[1:] == [Message((("Action", "Ping"),))]


def test_limits_themselves_are_within() -> None:
    data = (
        b"A" * (codec.LINE_LIMIT - 1) + b":\r\n" + b"A: b\r\n" * (codec.HEADER_LIMIT - 1) + b"\r\n"
    )
    (message,) = whole(data)
    assert isinstance(message, Message)
    assert len(message.headers) == codec.HEADER_LIMIT


def test_endless_line_takes_no_memory() -> None:
    decoder = Decoder()
    for _ in range(100):
        assert decoder.feed(b"x" * 10_000) == []
    assert decoder.waiting
    assert len(decoder.__getstate__()[1]["_rest"]) == 0  # type: ignore[index]


@given(_STREAMS, st.lists(st.integers(0, 4000), max_size=12))
def test_cutting_never_changes_what_is_read(data: bytes, cuts: list[int]) -> None:
    assert in_pieces(data, cuts) == whole(data)


@given(st.lists(_LONG, max_size=30).map(b"".join), st.lists(st.integers(0, 100_000), max_size=6))
def test_cutting_changes_nothing_at_the_limits_either(data: bytes, cuts: list[int]) -> None:
    assert in_pieces(data, cuts) == whole(data)


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_arbitrary_bytes_in_arbitrary_pieces_never_raise(pieces: list[bytes]) -> None:
    decoder = Decoder()
    for piece in pieces:
        decoder.feed(piece)
    # whatever came before, an end leads back to a state in which messages are read
    decoder.feed(b"\n\n")
    assert decoder.feed(b"Action: Ping\r\n\r\n")[-1] == Message((("Action", "Ping"),))


@given(_STREAMS)
def test_parse_raises_nothing_but_its_own(data: bytes) -> None:
    complete = data == b"" or data.endswith((b"\n\n", b"\n\r\n"))
    try:
        codec.parse(data)
    except AmiError:
        return
    assert complete or data in (b"\n", b"\r\n")


@given(st.lists(st.tuples(st.sampled_from(["A", "ActionID"]), st.text(max_size=50)), min_size=1))
def test_values_never_split_a_message(fields: list[tuple[str, str]]) -> None:
    (message,) = codec.parse(codec.encode(fields))
    assert len(message.headers) == len(fields)


@given(
    st.lists(
        st.tuples(
            st.text("abcXYZ-", min_size=1, max_size=9),
            st.text(st.characters(min_codepoint=33, exclude_categories=["Cs"]), max_size=30),
        ),
        min_size=1,
        max_size=20,
    )
)
def test_writing_and_reading_is_stable(fields: list[tuple[str, str]]) -> None:
    assert codec.parse(codec.encode(fields)) == (Message(tuple(fields)),)


@given(
    st.binary(max_size=60).filter(lambda data: not set(data) & set(b"\r\n\0") and data[:1] > b" ")
)
def test_bytes_of_a_value_come_back_as_they_were(data: bytes) -> None:
    (message,) = codec.parse(b"ActionID: " + data + b"\r\n\r\n")
    assert (
        codec.encode([("ActionID", message.get("ActionID"))]) == b"ActionID: " + data + b"\r\n\r\n"
    )


def test_text_that_is_no_unicode_is_sent_all_the_same() -> None:
    assert codec.encode([("A", "x\ud800y")]) == b"A: x?y\r\n\r\n"


def test_only_our_own_words_may_hold_line_ends() -> None:
    assert codec.encode([("A", Verbatim("b\n")), ("C", "d\r\n\r\nE: f")]) == (
        b"A: b\n\r\nC: dE: f\r\n\r\n"
    )


@pytest.mark.parametrize(
    ("chunks", "lines"),
    [
        ([], [""]),
        ([""], [""]),
        (["\n"], [""]),
        (["a\n"], ["a"]),
        (["a"], ["a"]),
        (["\na\n\n"], ["", "a", ""]),
        (["a", "b\nc", "", "d\n"], ["ab", "cd"]),
    ],
)
def test_output_of_a_command_becomes_lines(chunks: list[str], lines: list[str]) -> None:
    assert list(codec.output_lines(chunks)) == lines
