"""The filter language of `pjsip show history where ...`.

    expression := conjunction { or conjunction }
    conjunction := negation { and negation }
    negation := not negation | comparison
    comparison := "(" expression ")" | value operator value
    operator := = | == | != | < | <= | > | >= | like

A value is a field, a number, or text; text in double quotes is never a field.  `&&`, `||` and `!`
mean `and`, `or` and `not`; letter case does not matter in words of the language.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from pjreg_cli.api.tracing import HistoryEntry
from pjreg_cli.config.pattern import PatternError, compile_pattern
from pjreg_cli.errors import PjregError, excerpt

Test = Callable[[HistoryEntry], bool]
_Value = str | float
_Getter = Callable[[HistoryEntry], _Value]

#: deeper parentheses are nobody's intention
_DEEPEST = 50

FIELDS: Mapping[str, _Getter] = {
    "number": lambda entry: entry.number,
    "timestamp": lambda entry: entry.at,
    "addr": lambda entry: entry.address,
    "sip.msg.request.method": lambda entry: entry.method,
    "sip.msg.call-id": lambda entry: entry.call_id,
}
_COMPARISONS: Mapping[str, Callable[[_Value, _Value], bool]] = {
    "=": operator.eq,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_SYNONYMS = {"&&": "and", "||": "or", "!": "not"}
_KEYWORDS = frozenset(("and", "or", "not", "like"))
_TOKEN = re.compile(
    r"""\s*(?:
        (?P<sign>[<>!=]=|[<>=!()]|&&|\|\|)
      | "(?P<quoted>(?:[^"\\]|\\.)*)(?:"|$)
      | (?P<word>[^\s()<>=!"]+)
    )""",
    re.VERBOSE | re.DOTALL,
)


class FilterError(PjregError):
    """A filter that cannot be understood."""


class _Token(NamedTuple):
    text: str
    kind: str
    """`sign`, `quoted` or `word`."""


def parse(text: str) -> Test:
    """What tells whether an entry passes; raises FilterError."""
    parser = _Parser(_tokens(text))
    test = parser.expression(0)
    parser.end()
    return test


def _tokens(text: str) -> list[_Token]:
    tokens = []
    at, end = 0, len(text.rstrip())
    while at < end:
        found = _TOKEN.match(text, at)
        if not found or not found.lastgroup:
            raise FilterError(f"The filter makes no sense at '{excerpt(text[at:])}'")
        raw = found[found.lastgroup]
        if found.lastgroup == "quoted":
            raw = re.sub(r"\\(.)", r"\1", raw, flags=re.DOTALL)
        tokens.append(_Token(raw, found.lastgroup))
        at = found.end()
    return tokens


class _Parser:
    """Recursive descent, one method for each rule of the grammar."""

    def __init__(self, tokens: list[_Token]) -> None:
        self.tokens = tokens
        self.at = 0

    def expression(self, depth: int) -> Test:
        tests = [self._conjunction(depth)]
        while self._accept("or"):
            tests.append(self._conjunction(depth))
        return tests[0] if len(tests) == 1 else lambda entry: any(test(entry) for test in tests)

    def _conjunction(self, depth: int) -> Test:
        tests = [self._negation(depth)]
        while self._accept("and"):
            tests.append(self._negation(depth))
        return tests[0] if len(tests) == 1 else lambda entry: all(test(entry) for test in tests)

    def _negation(self, depth: int) -> Test:
        if depth > _DEEPEST:
            raise FilterError("The filter is nested too deeply")
        if not self._accept("not"):
            return self._comparison(depth)
        test = self._negation(depth + 1)
        return lambda entry: not test(entry)

    def _comparison(self, depth: int) -> Test:
        if self._accept("("):
            test = self.expression(depth + 1)
            if not self._accept(")"):
                raise FilterError("The filter lacks a closing parenthesis")
            return test
        left = self._value()
        sign = self._next("an operator")
        word = sign.text.casefold()
        if sign.kind == "word" and word == "like":
            return _like(left, self._next("a pattern"))
        if sign.kind != "sign" or word not in _COMPARISONS:
            raise FilterError(f"'{excerpt(sign.text)}' is no operator")
        return _compare(left, _COMPARISONS[word], self._value())

    def _value(self) -> _Getter:
        token = self._next("a field or a value")
        name = token.text.casefold()
        if token.kind == "sign" or (token.kind == "word" and name in _KEYWORDS):
            raise FilterError(f"The filter has '{token.text}' where a field or a value belongs")
        if token.kind == "word" and name in FIELDS:
            return FIELDS[name]
        return _constant(token.text)

    def end(self) -> None:
        """Nothing may follow."""
        if self.at < len(self.tokens):
            raise FilterError(f"'{excerpt(self.tokens[self.at].text)}' is too much in the filter")

    def _accept(self, word: str) -> bool:
        """Step over this word or sign if it comes next."""
        if self.at == len(self.tokens):
            return False
        token = self.tokens[self.at]
        text = token.text.casefold()
        if token.kind == "quoted" or _SYNONYMS.get(text, text) != word:
            return False
        self.at += 1
        return True

    def _next(self, wanted: str) -> _Token:
        if self.at == len(self.tokens):
            raise FilterError(f"The filter ends where {wanted} belongs")
        self.at += 1
        return self.tokens[self.at - 1]


def _constant(text: str) -> _Getter:
    return lambda _entry: text


def _compare(left: _Getter, compare: Callable[[_Value, _Value], bool], right: _Getter) -> Test:
    """Numbers are compared as numbers where both sides are some, otherwise as text."""

    def test(entry: HistoryEntry) -> bool:
        one, other = left(entry), right(entry)
        first, second = _number(one), _number(other)
        if first is not None and second is not None:
            return compare(first, second)
        return compare(_text(one), _text(other))

    return test


def _number(value: _Value) -> float | None:
    """The value as a number; instants count in whole seconds, as they are shown."""
    try:
        return float(int(value)) if isinstance(value, float) else float(value)
    except ValueError:
        return None


def _text(value: _Value) -> str:
    return value if isinstance(value, str) else str(int(value))


def _like(left: _Getter, pattern: _Token) -> Test:
    try:
        search = compile_pattern(pattern.text).search
    except PatternError as error:
        text = excerpt(pattern.text)
        raise FilterError(f"'{text}' is no regular expression: {error}") from error
    return lambda entry: search(_text(left(entry)))
