"""Which events pass."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pjreg_cli.config.eventfilter import DETAIL, compiled

REGISTRY = (
    "Event: Registry\r\nPrivilege: system,all\r\nUsername: sip:a@b\r\nStatus: Rejected\r\n\r\n"
)
RELOAD = "Event: Reload\r\nPrivilege: system,all\r\nModule: All\r\nStatus: 0\r\n\r\n"


def passing(*texts: str) -> tuple[bool, bool]:
    """Whether a Registry and a Reload event pass these filters."""
    filters, complaints = compiled(texts)
    assert complaints == ()
    return filters.passes("Registry", REGISTRY), filters.passes("Reload", RELOAD)


@pytest.mark.parametrize(
    ("texts", "verdict"),
    [
        ((), (True, True)),
        (("Event: Registry",), (True, False)),
        (("!Event: Registry",), (False, True)),
        (("Event: Re", "!Status: Rejected"), (False, True)),
        (("Event: Registry", "Event: Reload"), (True, True)),
        (("Status: [[:digit:]]",), (False, True)),
        (("Status: [^][:digit:][]",), (True, False)),
        ((r"Privilege: [\s]",), (True, True)),
        ((r"Module: []A[\&&--]",), (False, True)),
        (("Username.*Rejected",), (True, False)),
        (("Status: (Rejected|Registered)",), (True, False)),
        (("^Privilege",), (False, False)),
        (("eventfilter(name(Registry)) =",), (True, False)),
        (("eventfilter(name(Reg)) =",), (False, False)),
        (("EventFilter(action(exclude),name(Reload))=",), (True, False)),
        (("eventfilter(name(Registry),header(Status),method(exact)) = Rejected",), (True, False)),
        (("eventfilter(name(Registry),header(Status),method(exact)) = Reject",), (False, False)),
        (("eventfilter(header(Status),method(starts_with)) = Rej",), (True, False)),
        (("eventfilter(header(Status),method(ends_with)) = 0",), (False, True)),
        (("eventfilter(header(Username)) = ^sip:",), (True, False)),
        (("eventfilter(header(Username),method(none)) = x",), (True, False)),
        (("eventfilter(method(contains)) = Module: A",), (False, True)),
    ],
)
def test_filters_include_and_exclude(texts: tuple[str, ...], verdict: tuple[bool, bool]) -> None:
    assert passing(*texts) == verdict


@pytest.mark.parametrize(
    "text",
    [
        "(",
        "![a",
        "[[",
        "[[:vowel:]]",
        "eventfilter(action(maybe)) = x",
        "eventfilter(method(guess)) = x",
        "eventfilter(colour(red)) = x",
        "eventfilter(name(a),name(b)) = x",
        "eventfilter(header(A)) = (",
    ],
)
def test_filter_that_cannot_be_read_is_told_and_lets_nothing_through(text: str) -> None:
    filters, complaints = compiled([text])
    assert not filters.passes("Registry", REGISTRY)
    assert not filters.passes("Reload", RELOAD)
    assert len(complaints) == 1
    assert complaints[0].startswith("eventfilter: ")


def test_detail_is_wanted_only_by_name() -> None:
    for text, wanted in (
        ("Event: Registry", False),
        ("Event: RegistryDetail", True),
        ("!Event: RegistryDetail", False),
        ("eventfilter(name(RegistryDetail)) =", True),
        (".*", False),
    ):
        assert compiled([text])[0].wants(DETAIL) is wanted


@given(
    st.lists(st.text(max_size=30) | st.text("eventfilr()[]!*+?{}\\,= ", max_size=30), max_size=3)
)
def test_arbitrary_texts_never_raise(texts: list[str]) -> None:
    filters, complaints = compiled(texts)
    assert len(filters.include) + len(filters.exclude) == len(texts) >= len(complaints)
