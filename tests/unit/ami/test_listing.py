"""Registrations and auth sections as events."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from pjreg_cli.ami import codec
from pjreg_cli.ami.listing import Layout, block
from pjreg_cli.api.configuration import ObjectView, Option
from pjreg_cli.dialects import CURRENT, TWELVE
from tests.support.ami_port import auth_view, view
from tests.support.golden import Golden

FIXTURES = Path("fixtures/ami")


def shown(*texts: str) -> str:
    return "".join(texts).replace("\r\n", "\n")


def test_registration_with_everything_set(golden: Golden) -> None:
    layout = Layout(CURRENT, "show-1")
    registration = view(
        "alice",
        "Rejected",
        ("one", "two"),
        contact_user="me",
        outbound_proxy="sip:127.0.0.1:5070;lr",
        line="true",
        security_mechanisms="sdes-srtp;mediasec, dtls-srtp;mediasec",
    )
    digest = auth_view("two", md5_cred="********", auth_type="digest")
    twice = (Option("password_digest", ("MD5:*", "SHA-256:*")),)
    digest = ObjectView(digest.name, digest.columns, digest.options + twice, digest.source)
    golden.check(
        FIXTURES / "list-current.txt",
        shown(
            layout.registration(registration),
            layout.auth(auth_view("one")),
            layout.auth(digest),
            layout.registrations_complete(0, 1),
        ),
    )


def test_list_of_asterisk_12_is_the_documented_one(golden: Golden) -> None:
    layout = Layout(TWELVE, "")
    common = {
        "server_uri": "sip:registrar@example.com",
        "client_uri": "sip:client@example.com",
        "contact_user": "inbound-calls",
    }
    provider = view(
        "my_provider",
        "Rejected",
        ("provider_auth",),
        0,
        auth_rejection_permanent="false",
        retry_interval="30",
        max_retries="20",
        forbidden_retry_interval="300",
        **common,
    )
    outreg = view("outreg", "Rejected", (), 0, **common)
    answer = codec.encode(
        [
            ("Response", "Success"),
            ("EventList", "start"),
            ("Message", "Following are Events for each Outbound registration"),
        ]
    ).decode()
    assert not layout.with_auths
    golden.check(
        FIXTURES / "list-asterisk-12.txt",
        shown(
            answer,
            layout.registration(provider),
            layout.registration(outreg),
            layout.registrations_complete(0, 2),
        ),
    )


def test_registration_without_state_has_neither_status_nor_next_attempt() -> None:
    text = Layout(CURRENT, "").registration(view("a", None))
    assert "Status:" not in text
    assert "NextReg:" not in text
    assert text.endswith("SupportOutbound: no\r\n\r\n")


def test_registration_that_leaves_counts_as_not_registered() -> None:
    assert "Status: Stopped\r\n" in Layout(CURRENT, "").registration(view("a", "Stopped"))


@given(st.lists(st.tuples(st.sampled_from("AB"), st.text(max_size=40)), min_size=1, max_size=5))
def test_values_never_split_a_block(fields: list[tuple[str, str]]) -> None:
    (message,) = codec.parse(codec.to_bytes(block(fields)))
    assert len(message.headers) == len(fields)


@given(st.text("a\r\n\0", max_size=6), st.text("a\r\n\0", max_size=6))
def test_line_ends_that_make_up_for_each_other_are_found(one: str, other: str) -> None:
    text = block([("A", one), ("B", other)])
    assert text.count("\r\n") == text.count("\r") == text.count("\n") == 3


@given(st.text("a\r\n\0:", max_size=6), st.text("a\r\n\0:", max_size=6))
def test_options_and_names_never_split_a_registration(name: str, value: str) -> None:
    layout = Layout(CURRENT, "x\r\n\r\ny")
    sound = layout.registration(view("sound"))
    text = layout.registration(view(name, contact_user=value, user_agent=value))
    assert text.count("\r\n") == text.count("\r") == text.count("\n") == sound.count("\n")
    assert f"\r\nContactUser: {codec.clean(value)}\r\n" in text
    assert f"\r\nObjectName: {codec.clean(name)}\r\n" in text
