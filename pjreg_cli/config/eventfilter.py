"""Which events an account wants: `eventfilter` of manager.conf; pure.

Two forms, as in the origin.  An expression, `!` before it to exclude, is searched in the whole
event.  Or criteria stand in the option's name and say where and how to look:
`eventfilter(action(exclude),name(Registry),header(Status),method(exact)) = Registered`.

Without a filter every event passes; with filters that include only what one of them matches;
what a filter excludes never passes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, NamedTuple

from pjreg_cli.errors import AmiError, excerpt

if TYPE_CHECKING:
    from pjreg_cli.config.pattern import Pattern

#: the events that are sent only to those whose filters name them
DETAIL = "RegistryDetail"
OWNERSHIP = "PjregOwnership"
QUIET = (DETAIL, OWNERSHIP)

_CRITERION = re.compile(r"\s*(\w+)\(([^()]*)\)\s*(?:,|$)")
_ADVANCED = re.compile(
    r"(?i:eventfilter)\((?P<criteria>.*?\))\s*\)\s*=>?\s*(?P<text>.*)", re.DOTALL
)
_KINDS = frozenset({"action", "name", "header", "method"})

_METHODS: dict[str, Callable[[str, str], bool]] = {
    "exact": str.__eq__,
    "starts_with": str.startswith,
    "ends_with": str.endswith,
    "contains": str.__contains__,
    "none": lambda _text, _wanted: True,
}


class Filter(NamedTuple):
    """One filter: which events it looks at, where in them, and what must be there."""

    include: bool
    names: tuple[str, ...]
    """Those of `QUIET` that it speaks of by name."""
    matches: Callable[[str, str], bool]
    """Whether it matches an event: its name, its whole text."""


class Filters(NamedTuple):
    """All filters of an account."""

    include: tuple[Filter, ...] = ()
    exclude: tuple[Filter, ...] = ()

    def wants(self, quiet: str) -> bool:
        """Whether one that includes names this one of `QUIET`: then it is sent, else it is not."""
        return any(quiet in each.names for each in self.include)

    def passes(self, name: str, text: str) -> bool:
        """Whether an event of this name and text is sent."""
        if self.include and not any(each.matches(name, text) for each in self.include):
            return False
        return not any(each.matches(name, text) for each in self.exclude)


#: the filters of an account that has none
EVERYTHING = Filters()


def compiled(texts: Iterable[str]) -> tuple[Filters, tuple[str, ...]]:
    """The filters, and a complaint for each text that is none: that one lets nothing through."""
    found: list[Filter] = []
    complaints: list[str] = []
    for text in texts:
        try:
            found.append(_filter(text.strip()))
        except AmiError as error:
            complaints.append(str(error))
            found.append(_shut(text.strip()))
    include = tuple(each for each in found if each.include)
    return Filters(include, tuple(each for each in found if not each.include)), tuple(complaints)


def _shut(text: str) -> Filter:
    """What stands for a filter that cannot be read: nothing passes what was to let events in, and
    everything is what was to be kept out."""
    excludes = text.startswith("!") or "exclude" in text.partition("=")[0].lower()
    return Filter(not excludes, (), lambda _name, _event: excludes)


def _filter(text: str) -> Filter:
    if advanced := _ADVANCED.fullmatch(text):
        return _advanced(advanced["criteria"], advanced["text"].strip())
    include = not text.startswith("!")
    expression = _expression(text.removeprefix("!").strip())
    names = tuple(one for one in QUIET if one in text)
    return Filter(include, names, lambda _name, event: expression.search(event))


def _advanced(criteria: str, wanted: str) -> Filter:
    given = _criteria(criteria)
    action = given.get("action", "include")
    method = given.get("method", "regex" if wanted else "none").lower()
    if action not in {"include", "exclude"}:
        raise AmiError(f"eventfilter: action must be include or exclude, not {excerpt(action)}")
    name, header = given.get("name", ""), given.get("header", "")
    test = _test(method, wanted)

    def matches(event: str, text: str) -> bool:
        if name and name != event:
            return False
        return any(test(piece) for piece in (_values(text, header) if header else (text,)))

    return Filter(action == "include", tuple(q for q in QUIET if q in (name, wanted)), matches)


def _criteria(text: str) -> dict[str, str]:
    given: dict[str, str] = {}
    at = 0
    while at < len(text):
        found = _CRITERION.match(text, at)
        if found is None or found[1] not in _KINDS or found[1] in given:
            raise AmiError(f"eventfilter: {excerpt(text[at:])} is no criterion")
        given[found[1]] = found[2].strip()
        at = found.end()
    return given


def _test(method: str, wanted: str) -> Callable[[str], bool]:
    if method == "regex":
        expression = _expression(wanted)
        return lambda text: expression.search(text)
    compare = _METHODS.get(method)
    if compare is None:
        raise AmiError(f"eventfilter: there is no method {excerpt(method)}")
    return lambda text: compare(text, wanted)


def _values(text: str, header: str) -> list[str]:
    """The values of a header of an event."""
    start = f"{header}: "
    return [line[len(start) :] for line in text.split("\r\n") if line.startswith(start)]


def _expression(text: str) -> Pattern:
    """A POSIX extended regular expression, which is searched in the text as a whole."""
    from pjreg_cli.config.pattern import PatternError, compile_pattern

    try:
        return compile_pattern(text)
    except PatternError as error:
        raise AmiError(f"eventfilter: {excerpt(text)} cannot be read: {error}") from error
