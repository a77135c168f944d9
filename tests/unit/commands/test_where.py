"""The filter language of the history."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pjreg_cli.api.tracing import HistoryEntry
from pjreg_cli.commands.where import FilterError, parse


def entry(number: int, address: str = "10.0.0.1:5060", method: str = "REGISTER") -> HistoryEntry:
    text = f"{method} sip:a@b SIP/2.0\r\n\r\n"
    return HistoryEntry(number, 1000.5 + number, True, address, method, f"call-{number}@x", text)


ENTRIES = [
    entry(0),
    entry(5, "10.0.0.2:5060", "OPTIONS"),
    entry(10, "[2001:db8::1]:5061"),
    entry(11, "10.0.0.2:5062"),
]


@pytest.mark.parametrize(
    ("expression", "numbers"),
    [
        ("number = 5", [5]),
        ("number == 5", [5]),
        ("number != 5", [0, 10, 11]),
        ("number < 10", [0, 5]),
        ("number <= 10", [0, 5, 10]),
        ("number > 5", [10, 11]),
        ("number >= 10", [10, 11]),
        ("9 < number", [10, 11]),
        ("number>5", [10, 11]),
        ("timestamp = 1005", [5]),
        ("timestamp > 1005", [10, 11]),
        ('addr = "10.0.0.2:5060"', [5]),
        ("addr = 10.0.0.2:5060", [5]),
        ("addr like ^10[.]0", [0, 5, 11]),
        ('addr like "db8"', [10]),
        ("number like ^1", [10, 11]),
        ("sip.msg.request.method = OPTIONS", [5]),
        ("SIP.MSG.REQUEST.METHOD = REGISTER", [0, 10, 11]),
        ('sip.msg.call-id = "call-10@x"', [10]),
        ("sip.msg.call-id like 1@x$", [11]),
        ("not number = 5", [0, 10, 11]),
        ("! number = 5", [0, 10, 11]),
        ("number = 0 or number = 5 and addr like 5062", [0]),
        ("(number = 0 or number = 5) and addr like 0[.]2", [5]),
        ("number = 0 || number = 11 && addr like 5062", [0, 11]),
        ("not (number = 0 or number = 5)", [10, 11]),
        ("NUMBER = 0 OR NUMBER = 5", [0, 5]),
        ("not not number = 5", [5]),
        ('"number" = number', []),
        ('"a\\"b" = "a\\"b"', [0, 5, 10, 11]),
    ],
)
def test_filter_lets_pass_what_it_says(expression: str, numbers: list[int]) -> None:
    assert [found.number for found in filter(parse(expression), ENTRIES)] == numbers


@pytest.mark.parametrize(
    ("expression", "complaint"),
    [
        ("", "ends where a field or a value belongs"),
        ("number", "ends where an operator belongs"),
        ("number =", "ends where a field or a value belongs"),
        ("number 5", "'5' is no operator"),
        ("number = 5 6", "'6' is too much"),
        ("(number = 5", "closing parenthesis"),
        ("number = 5)", "')' is too much"),
        ("number = and", "'and' where a field or a value belongs"),
        ("addr like [", "'[' is no regular expression"),
        ("addr like", "ends where a pattern belongs"),
        ("(" * 60 + "number = 1" + ")" * 60, "nested too deeply"),
    ],
)
def test_bad_filter_is_explained(expression: str, complaint: str) -> None:
    with pytest.raises(FilterError) as caught:
        parse(expression)
    assert complaint in str(caught.value)


@given(st.text(alphabet=st.sampled_from(list('()=!<>&|"\\ naddrumbelik01.')), max_size=40))
def test_any_text_is_a_filter_or_refused(text: str) -> None:
    try:
        test = parse(text)
    except FilterError:
        return
    assert test(ENTRIES[0]) in (True, False)
