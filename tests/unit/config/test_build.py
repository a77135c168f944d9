"""Sections to objects."""

from __future__ import annotations

import pytest

from pjreg_cli.config import build
from pjreg_cli.config.models import Global, Registration, Transport
from pjreg_cli.config.rules import Inspector, OpenTransports
from pjreg_cli.config.section import Section

UDP = Transport(name="udp", source="f:1", host="127.0.0.1", port=5060)
GOOD = ("server_uri=sip:10.0.0.1", "client_uri=sip:a@b")


def section(name: str, *lines: str) -> Section:
    made = Section(name, "f", 1)
    for number, line in enumerate(lines, 2):
        key, _, value = line.partition("=")
        made.entries.append((key, value, number, "f"))
    return made


def registrations(*sections: Section) -> build.Built[Registration]:
    return build.registrations(sections, Inspector(OpenTransports.of([UDP])), {})


def test_kind_is_the_last_type_in_any_letter_case_of_the_option() -> None:
    assert build.kind_of(section("a", "type=auth", "x=y", "Type=registration")) == "registration"
    assert build.kind_of(section("a", "x=y")) == ""


def test_last_value_counts_and_names_have_no_letter_case() -> None:
    lines = (*GOOD, "EXPIRATION=7", "outbound_auth=a", "outbound_auth=b", "expiration=8")
    made = registrations(section("a", *lines)).objects["a"]
    assert (made.expiration, made.outbound_auth, made.source) == (8, ("b",), "f:1")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("colour=red", "unknown option 'colour'"),
        ("retry_intervall=1", "did you mean 'retry_interval'?"),
        ("retry-interval=1", "did you mean 'retry_interval'?"),
        ("context=x", "'context' is an option of calls (type=endpoint)"),
        ("expiration=1h", "expiration: '1h' is not a number"),
        ("name=x", "unknown option 'name'"),
        ("source=x", "unknown option 'source'"),
        ("wizard=x", "unknown option 'wizard'"),
    ],
)
def test_wrong_option_refuses_the_section_at_its_line(line: str, words: str) -> None:
    built = registrations(section("a", *GOOD, line), section("b", *GOOD))
    assert list(built.objects) == ["b"]
    (problem,) = built.problems
    assert (problem.path, problem.line) == ("f", 4)
    assert words in problem.message
    assert words in built.refused["a"][0]


def test_all_wrong_options_of_a_section_are_told() -> None:
    built = registrations(section("a", *GOOD, "x=1", "expiration=?", "y=2"))
    assert sorted(problem.line for problem in built.problems) == [4, 5, 6]


def test_notes_of_other_programs_are_passed_over() -> None:
    assert registrations(section("a", *GOOD, "@note=x")).objects
    assert len(registrations(section("a", *GOOD, "@note=x", "z=1")).problems) == 1


def test_missing_option_is_blamed_on_the_header() -> None:
    (problem,) = registrations(section("a", GOOD[0])).problems
    assert (problem.line, "client_uri is missing" in problem.message) == (1, True)


def test_every_duplicate_is_told_and_the_first_object_stays() -> None:
    built = registrations(*(section("a", *GOOD, f"expiration={n}") for n in (1, 2, 3)))
    assert built.objects["a"].expiration == 1
    assert built.duplicate is not None
    assert len(built.problems) == 2


def test_multiple_options_of_auth_and_transport_add_up() -> None:
    digests = [
        f"password_digest={name}:{'a' * size}" for name, size in (("MD5", 32), ("SHA-256", 64))
    ]
    auths = build.auths([section("a", "username=u", *digests)], Global(), {})
    assert [name for name, _ in auths.objects["a"].password_digest] == ["MD5", "SHA-256"]
    nets = section("t", "bind=::1", "local_net=10.0.0.0/8", "local_net=fc00::/7")
    transports = build.transports([nets], lambda _: True, {})
    assert len(transports.objects["t"].local_net) == 2


@pytest.mark.parametrize(
    ("bind", "protocol", "host", "port"),
    [
        ("127.0.0.1", "udp", "127.0.0.1", 5060),
        ("127.0.0.1:5070", "udp", "127.0.0.1", 5070),
        ("0.0.0.0", "TLS", "0.0.0.0", 5061),
        ("[::1]:5070", "tcp", "::1", 5070),
        ("::1", "tcp", "::1", 5060),
        ("[::]", "tls", "::", 5061),
        ("localhost", "udp", "127.0.0.1", 5060),
    ],
)
def test_bind_is_taken_apart(bind: str, protocol: str, host: str, port: int) -> None:
    lines = (f"bind={bind}", f"protocol={protocol}")
    made = build.transports([section("t", *lines)], lambda _: True, {}).objects["t"]
    assert (made.host, made.port, made.protocol) == (host, port, protocol.lower())


@pytest.mark.parametrize("line", ["bind=example.com", "bind=", "bind=1.2.3.4:x", "bind=[::1", "x="])
def test_transport_without_a_usable_address_is_refused(line: str) -> None:
    assert not build.transports([section("t", line)], lambda _: True, {}).objects


def test_two_global_sections_count_as_duplicates_whatever_they_are_called() -> None:
    built = build.globals_([section("a"), section("b")], {})
    assert built.duplicate is not None
