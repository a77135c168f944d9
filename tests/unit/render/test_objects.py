"""What all tables of objects have in common."""

from __future__ import annotations

from pjreg_cli.api.configuration import Option
from pjreg_cli.dialects import CURRENT, TWELVE
from pjreg_cli.render import objects
from tests.support.fake_port import auth, transport


def test_options_are_padded_to_the_longest_name_and_ruled_to_the_longest_value() -> None:
    text = objects.options([Option("a", ("1",)), Option("longer_than_the_head", ("x" * 20,))])
    assert text.splitlines() == [
        " ParameterName        : ParameterValue",
        " " + "=" * (20 + 3 + 20),
        " a                    : 1",
        " longer_than_the_head : " + "x" * 20,
    ]


def test_rule_of_short_options_is_as_long_as_the_head() -> None:
    assert objects.options([Option("a", ("1",))]).splitlines()[1] == " " + "=" * (13 + 3 + 14)


def test_several_values_have_a_line_each_and_none_an_empty_one() -> None:
    text = objects.options([Option("net", ("a", "b")), Option("none", ())])
    assert text.splitlines()[2:] == [
        " net           : a",
        " net           : b",
        " none          : ",
    ]


def test_rows_of_auth_sections_and_transports() -> None:
    shown = "".join(objects.auths([auth("one", username="u")], CURRENT))
    assert "\n     Auth:  one/u\n\nObjects found: 1\n\n" in shown
    row = "".join(objects.transports([transport("udp", bind="127.0.0.1:5060")], CURRENT))
    assert "\nTransport:  udp                       udp      0      0  127.0.0.1:5060\n" in row


def test_frame_of_asterisk_12_has_no_count() -> None:
    shown = "".join(objects.auths([auth("one", username="u")], TWELVE))
    assert shown.endswith("     Auth:  one/u\n\n")
    assert f"\n {'=' * 89}\n" in shown


def test_many_rows_come_in_chunks() -> None:
    views = (auth(f"a{n:04d}", username="u") for n in range(3 * objects.CHUNK + 1))
    chunks = list(objects.auths(views, CURRENT))
    assert len(chunks) == 5
    assert "".join(chunks).count("\n     Auth:  ") == 3 * objects.CHUNK + 1
