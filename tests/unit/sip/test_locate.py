"""RFC 3263 and RFC 2782 by tables and properties."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pjreg_cli.sip.address import is_numeric
from pjreg_cli.sip.locate import (
    Candidate,
    Known,
    Naptr,
    Question,
    Records,
    Srv,
    Target,
    TransportKind,
    TransportKinds,
    by_priority,
    choice,
    impossible,
    objection,
    questions,
)
from pjreg_cli.sip.uri import parse_uri

UDP4, UDP6 = TransportKind("udp", 4), TransportKind("udp", 6)
TCP4, TCP6 = TransportKind("tcp", 4), TransportKind("tcp", 6)
TLS4 = TransportKind("tls", 4)
ALL = TransportKinds(frozenset({UDP4, UDP6, TCP4, TCP6, TLS4}))
UDP = TransportKinds(frozenset({UDP4}))
DOMAIN = "sip:example.com"
ZONE: dict[Question, Records] = {
    Question("one.example.com", "A"): ("192.0.2.1",),
    Question("two.example.com", "A"): ("192.0.2.2", "192.0.2.3"),
    Question("two.example.com", "AAAA"): ("2001:db8::2",),
    Question("example.com", "A"): ("192.0.2.9",),
    Question("_sip._udp.example.com", "SRV"): (
        Srv(1, 0, 5070, "two.example.com"),
        Srv(0, 10, 5080, "one.example.com"),
    ),
    Question("_sip._udp.other.example", "SRV"): (Srv(0, 0, 5090, "one.example.com"),),
}


def located(
    text: str, kinds: TransportKinds, zone: Known, draw: Callable[[], float] = lambda: 0.0
) -> tuple[list[str], list[Question]]:
    """The targets, and everything that was asked on the way."""
    uri = parse_uri(text)
    known: dict[Question, Records] = {}
    asked: list[Question] = []
    while missing := questions(uri, kinds, known):
        assert not set(missing) & set(asked)
        asked += missing
        known.update({question: zone.get(question, ()) for question in missing})
    return [str(target) for target in choice(uri, kinds, known).drawn(draw)], asked


@pytest.mark.parametrize(
    ("uri", "kinds", "expected"),
    [
        ("sip:192.0.2.1", ALL, "udp:192.0.2.1:5060"),
        ("sip:192.0.2.1:5070", ALL, "udp:192.0.2.1:5070"),
        ("sip:192.0.2.1;transport=tcp", ALL, "tcp:192.0.2.1:5060"),
        ("sip:192.0.2.1;transport=TLS", ALL, "tls:192.0.2.1:5061"),
        ("sips:192.0.2.1", ALL, "tls:192.0.2.1:5061"),
        ("sips:192.0.2.1:5070;transport=tcp", ALL, "tls:192.0.2.1:5070"),
        ("sip:[2001:db8::1]", ALL, "udp:[2001:db8::1]:5060"),
        ("sip:192.0.2.1", TransportKinds(frozenset({TCP4}), "tcp"), "tcp:192.0.2.1:5060"),
        ("sip:192.0.2.1", TransportKinds(frozenset({TLS4}), "tls"), "tls:192.0.2.1:5061"),
        ("sip:example.com;maddr=192.0.2.7", ALL, "udp:192.0.2.7:5060"),
    ],
)
def test_an_address_needs_nobody_asked(uri: str, kinds: TransportKinds, expected: str) -> None:
    assert located(uri, kinds, {}) == ([expected], [])
    assert impossible(parse_uri(uri), kinds) == ""


@pytest.mark.parametrize(
    ("uri", "kinds", "word"),
    [
        ("sip:192.0.2.1", TransportKinds(frozenset({UDP6})), "udp over IPv4"),
        ("sip:[::1]", UDP, "udp over IPv6"),
        ("sip:192.0.2.1", TransportKinds(frozenset({TCP4})), "udp over IPv4"),
        ("sip:192.0.2.1;transport=tcp", UDP, "tcp"),
        ("sip:example.com;transport=tcp", UDP, "no transport for tcp"),
        ("sips:example.com", UDP, "no transport for tls"),
        ("sips:example.com;transport=udp", ALL, "sips cannot go over udp"),
        ("sip:example.com;transport=udp", TransportKinds(frozenset({TCP4}), "tcp"), "asks for udp"),
        ("sips:example.com", TransportKinds(frozenset({TCP4}), "tcp"), "asks for tls"),
        ("sip:example.com;transport=sctp", ALL, "sctp is not offered"),
        ("sip:example.com", TransportKinds(frozenset(), "ws"), "ws is not offered"),
    ],
)
def test_what_can_never_work_is_known_beforehand(
    uri: str, kinds: TransportKinds, word: str
) -> None:
    assert word in impossible(parse_uri(uri), kinds)
    assert located(uri, kinds, ZONE)[0] == []


def test_a_domain_goes_to_its_srv_targets_lowest_priority_first() -> None:
    found, asked = located(DOMAIN, UDP, ZONE)
    assert found == ["udp:192.0.2.1:5080", "udp:192.0.2.2:5070", "udp:192.0.2.3:5070"]
    assert {name for name, kind in asked if kind == "SRV"} == {
        "_sip._udp.example.com",
        "_sip._tcp.example.com",
        "_sips._tcp.example.com",
    }


def test_an_explicit_port_asks_for_addresses_only() -> None:
    found, asked = located("sip:example.com:5099", ALL, ZONE)
    assert found == ["udp:192.0.2.9:5099"]
    assert {kind for _, kind in asked} == {"A", "AAAA"}


def test_without_srv_the_name_itself_and_the_default_port() -> None:
    assert located("sip:one.example.com", UDP, ZONE)[0] == ["udp:192.0.2.1:5060"]
    tls = TransportKinds(frozenset({TLS4}), "tls")
    assert located("sip:one.example.com", tls, ZONE)[0] == ["tls:192.0.2.1:5061"]


@pytest.mark.parametrize(
    ("uri", "kinds", "name"),
    [
        ("sip:example.com;transport=tcp", ALL, "_sip._tcp.example.com"),
        ("sip:example.com", TransportKinds(frozenset({TCP4}), "tcp"), "_sip._tcp.example.com"),
        ("sip:example.com", TransportKinds(frozenset({UDP4}), "udp"), "_sip._udp.example.com"),
        ("sips:example.com", ALL, "_sips._tcp.example.com"),
        ("sip:example.com;transport=tls", ALL, "_sips._tcp.example.com"),
    ],
)
def test_a_demanded_protocol_asks_for_its_own_srv_only(
    uri: str, kinds: TransportKinds, name: str
) -> None:
    _, asked = located(uri, kinds, ZONE)
    assert [question.name for question in asked if question.kind == "SRV"] == [name]
    assert not [question for question in asked if question.kind == "NAPTR"]


def test_without_naptr_tls_comes_before_tcp_before_udp_of_those_with_a_transport() -> None:
    more = {
        **ZONE,
        Question("_sip._tcp.example.com", "SRV"): (Srv(5, 0, 1, "one.example.com"),),
        Question("_sips._tcp.example.com", "SRV"): (Srv(9, 0, 2, "one.example.com"),),
    }
    found, _ = located(DOMAIN, ALL, more)
    assert [text.split(":")[0] for text in found[:3]] == ["tls", "tcp", "udp"]
    found, _ = located(DOMAIN, UDP, more)
    assert {text.split(":")[0] for text in found} == {"udp"}


def test_naptr_of_the_lowest_order_that_can_be_used_decides() -> None:
    records = (
        Naptr(20, 1, "s", "SIP+D2T", "_sip._tcp.example.com"),
        Naptr(10, 2, "s", "SIP+D2U", "_sip._udp.example.com"),
        Naptr(10, 1, "S", "sip+d2u", "_sip._udp.other.example"),
        Naptr(5, 1, "s", "SIPS+D2T", "_sips._tcp.example.com"),
        Naptr(1, 1, "u", "E2U+sip", ""),
    )
    kinds = TransportKinds(frozenset({UDP4, TCP4}))
    found, asked = located(DOMAIN, kinds, {**ZONE, Question("example.com", "NAPTR"): records})
    assert found[:2] == ["udp:192.0.2.1:5090", "udp:192.0.2.1:5080"]
    assert all(text.startswith("udp") for text in found)
    assert Question("_sip._udp.other.example", "SRV") in asked


def test_naptr_that_is_not_about_sip_leaves_the_usual_srv() -> None:
    records = (Naptr(1, 1, "u", "E2U+sip", ""),)
    found, _ = located(DOMAIN, UDP, {**ZONE, Question("example.com", "NAPTR"): records})
    assert found[0] == "udp:192.0.2.1:5080"


TLS_ONLY = (Naptr(1, 1, "s", "SIPS+D2T", "_sips._tcp.example.com"),)
TLS_FIRST = (*TLS_ONLY, Naptr(2, 1, "s", "SIP+D2U", "_sip._udp.example.com"))
TLS_SRV = (Srv(9, 0, 5061, "one.example.com"),)
FAILED = TransportKinds(frozenset({UDP4}), failed=((TLS4, "transport secure: no such file"),))


@pytest.mark.parametrize(
    ("kinds", "naptr", "srv", "word"),
    [
        # a NAPTR that names TLS alone
        (UDP, TLS_ONLY, TLS_SRV, "DNS wants TLS, and there is no transport for tls"),
        (UDP, TLS_ONLY, (), "DNS wants TLS"),
        (FAILED, TLS_ONLY, TLS_SRV, "no transport for tls: transport secure: no such file"),
        # one that would be followed, were the transport open
        (FAILED, TLS_FIRST, TLS_SRV, "no such file"),
        (FAILED, (), TLS_SRV, "no such file"),
        # none of them
        (UDP, TLS_FIRST, TLS_SRV, ""),
        (UDP, (), TLS_SRV, ""),
        (FAILED, (), (), ""),
        (FAILED, (), (Srv(0, 0, 0, ""),), ""),
    ],
)
def test_what_dns_wants_over_tls_never_leaves_in_clear(
    kinds: TransportKinds, naptr: Records, srv: Records, word: str
) -> None:
    known = {
        **ZONE,
        Question("example.com", "NAPTR"): naptr,
        Question("_sips._tcp.example.com", "SRV"): srv,
    }
    found, _ = located(DOMAIN, kinds, known)
    why = objection(parse_uri(DOMAIN), kinds, known, {})
    assert (word in why) if word else not why
    assert bool(found) is not bool(word)


def test_naptr_without_srv_leads_to_the_name_itself_by_its_protocol() -> None:
    known = {**ZONE, Question("example.com", "NAPTR"): TLS_ONLY}
    found, _ = located(DOMAIN, TransportKinds(frozenset({UDP4, TLS4})), known)
    assert found == ["tls:192.0.2.9:5061"]
    both = TransportKinds(frozenset({UDP6, TLS4}))
    assert located(DOMAIN, both, known)[0] == ["tls:192.0.2.9:5061"]


SRVS = {kind: Question(f"_sip{kind}.example.com", "SRV") for kind in ("._udp", "._tcp", "s._tcp")}


@pytest.mark.parametrize(
    ("uri", "failed", "records", "word"),
    [
        # nobody knows whether there is a service
        (DOMAIN, ("._udp",), (), "_udp"),
        (DOMAIN, ("._udp", "._tcp", "s._tcp"), (), "s._tcp"),
        ("sip:example.com;transport=tcp", ("._tcp",), (), "._tcp"),
        # there is one, but perhaps a secure one besides
        (DOMAIN, ("s._tcp",), ("._udp",), "s._tcp"),
        # there is one
        (DOMAIN, ("._tcp",), ("._udp",), ""),
        (DOMAIN, ("._udp",), ("s._tcp",), ""),
        # nobody needs to know
        ("sip:example.com:5070", ("._udp",), (), ""),
        ("sip:192.0.2.1", ("._udp",), (), ""),
        ("sip:example.com;transport=udp", ("._tcp",), (), ""),
    ],
)
def test_a_look_up_that_failed_does_not_say_that_there_is_nothing(
    uri: str, failed: tuple[str, ...], records: tuple[str, ...], word: str
) -> None:
    known: dict[Question, Records] = {
        srv: (Srv(0, 0, 5070, "one.example.com"),) if kind in records else ()
        for kind, srv in SRVS.items()
    }
    why = objection(parse_uri(uri), ALL, known, {SRVS[kind]: f"no {kind}" for kind in failed})
    assert (word in why) if word else not why


@pytest.mark.parametrize("root", ["", "."])
def test_the_root_as_only_target_means_nothing_not_the_name_itself(root: str) -> None:
    gone = {**ZONE, Question("_sip._udp.example.com", "SRV"): (Srv(0, 0, 5060, root),)}
    found, asked = located(DOMAIN, UDP, gone)
    assert found == []
    assert not [question for question in asked if question.name in ("", ".")]


def test_srv_targets_without_address_are_left_out() -> None:
    holes = {**ZONE}
    del holes[Question("one.example.com", "A")]
    assert located(DOMAIN, UDP, holes)[0] == ["udp:192.0.2.2:5070", "udp:192.0.2.3:5070"]


def test_both_families_are_candidates_where_both_have_a_transport() -> None:
    found, _ = located("sip:two.example.com", TransportKinds(frozenset({UDP4, UDP6})), ZONE)
    assert found == ["udp:[2001:db8::2]:5060", "udp:192.0.2.2:5060", "udp:192.0.2.3:5060"]
    assert located("sip:two.example.com", TransportKinds(frozenset({UDP6})), ZONE)[0] == found[:1]


def test_every_target_keeps_the_name_that_its_certificate_must_have() -> None:
    secure = {**ZONE, Question("_sips._tcp.example.com", "SRV"): (Srv(0, 0, 1, "one.example.com"),)}
    found = choice(parse_uri("sips:Example.COM."), ALL, secure).drawn(lambda: 0.0)
    assert found == (Target("tls", "192.0.2.1", 1, "example.com"),)


@pytest.mark.parametrize(
    ("host", "numeric"),
    [
        ("192.0.2.1", True), ("::1", True), ("fe80::1%eth0", True), ("1.2.3", False),
        ("example.com", False), ("h264", False), ("1.2.3.4.5", False), ("", False),
    ],
)  # fmt: skip
def test_addresses_are_told_from_names(host: str, numeric: bool) -> None:
    assert is_numeric(host) is numeric


candidates_of_one_priority = st.lists(
    st.builds(Candidate, st.just(0), st.integers(0, 65535), st.just(())), max_size=8
)


@given(candidates_of_one_priority, st.lists(st.floats(0, 1, exclude_max=True), min_size=1))
def test_drawing_loses_and_doubles_nothing(
    candidates: list[Candidate], numbers: Sequence[float]
) -> None:
    draw = itertools.cycle(numbers).__next__
    assert sorted(by_priority(candidates, draw)) == sorted(candidates)


def test_weights_are_chances() -> None:
    light, heavy = Candidate(0, 25, ()), Candidate(0, 75, ())
    steps = 10_000
    first = [by_priority([light, heavy], lambda at=at: at / steps)[0] for at in range(steps)]  # type: ignore[misc]
    assert 0.24 < first.count(light) / steps < 0.27


def test_weight_zero_has_a_small_chance() -> None:
    never, always = Candidate(0, 0, ()), Candidate(0, 100, ())
    assert by_priority([always, never], lambda: 0.0)[0] == never
    assert by_priority([always, never], lambda: 0.02)[0] == always


def test_a_favourite_comes_first_of_its_priority_and_no_further() -> None:
    zone = {
        **ZONE,
        Question("_sip._udp.example.com", "SRV"): (
            Srv(0, 50, 1, "one.example.com"),
            Srv(0, 50, 2, "two.example.com"),
            Srv(1, 50, 3, "one.example.com"),
        ),
    }
    found = choice(parse_uri(DOMAIN), UDP, zone)
    for at in (0.0, 0.99):
        same = found.drawn(lambda at=at: at, Target("udp", "192.0.2.3", 2, "example.com"))  # type: ignore[misc]
        assert [(one.host, one.port) for one in same[:2]] == [("192.0.2.3", 2), ("192.0.2.2", 2)]
    later = found.drawn(lambda: 0.0, Target("udp", "192.0.2.1", 3, "example.com"))
    assert later[-1].port == 3
    assert found.drawn(lambda: 0.0, Target("udp", "192.0.2.99", 1, "example.com"))
