"""Settings to text and back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from pjreg_cli.config import build
from pjreg_cli.config.models import Auth, Global, Registration, System, Transport
from pjreg_cli.config.reader import read
from pjreg_cli.config.rules import Inspector, OpenTransports
from pjreg_cli.config.types import validator
from tests.support.pjsip_conf import write


class One:
    """A single file."""

    def __init__(self, text: str) -> None:
        self._text = text

    def lines(self, path: str) -> Iterable[str]:
        yield from self._text.splitlines(keepends=True) if "\r" not in self._text else ()

    def find(self, pattern: str) -> Sequence[str]:
        return ()


def sections(text: str, kind: str) -> list[Any]:
    found = read("f", One(text)).sections
    return [section for section in found if build.kind_of(section) == kind]


# what a line of a file can hold as a value: no controls, no line ends, no blanks at its ends
_characters = st.characters(
    min_codepoint=33, max_codepoint=0x2FF, exclude_categories=["Cc", "Z", "C"]
)
words = st.text(_characters, max_size=12)
filled = st.text(_characters, min_size=1, max_size=12)
name = st.text(_characters.filter(lambda c: c not in "[]"), min_size=1, max_size=12)
numbers = st.integers(0, 4294967295)
items = st.lists(filled.filter(lambda word: "," not in word), max_size=3).map(tuple)

registration = st.builds(
    Registration,
    name=name,
    source=st.just("f:1"),
    server_uri=st.sampled_from(["sip:r", "sips:[::1]:5061", "sip:a@r;x=y", "<sip:r>"]),
    client_uri=st.sampled_from(["sip:a@r", "sip:a%20b@r;c"]),
    auth_rejection_permanent=st.booleans(),
    contact_header_params=words,
    contact_user=st.sampled_from(["", "me", "+49"]),
    expiration=st.integers(1, 4294967295),
    max_retries=numbers,
    retry_interval=numbers,
    outbound_auth=items,
    outbound_proxy=st.sampled_from(["", "sip:p;lr", "<sip:p;lr>;x=y"]),
    security_mechanisms=items,
    support_path=st.booleans(),
    user_agent=words,
    transport=st.just("udp"),
)
auth = st.builds(
    Auth,
    name=name,
    source=st.just("f:1"),
    username=filled,
    password=filled.map(SecretStr),
    realm=words,
    nonce_lifetime=numbers,
    password_digest=st.sampled_from([(), (("MD5", SecretStr("a" * 32)),)]),
    supported_algorithms_uac=st.sampled_from([("MD5",), ("SHA-256", "MD5"), ()]),
)


@given(st.lists(registration, unique_by=lambda one: one.name, max_size=4))
def test_registrations_read_back_are_the_same(registrations: list[Registration]) -> None:
    udp = Transport(name="udp", source="f:1", host="::", port=5060)
    found = sections(write(registrations), "registration")
    built = build.registrations(found, Inspector(OpenTransports.of([udp])), {})
    assert built.problems == []
    assert list(built.objects.values()) == registrations


@given(st.lists(auth, unique_by=lambda one: one.name, max_size=4))
def test_auth_sections_read_back_are_the_same(auths: list[Auth]) -> None:
    built = build.auths(sections(write(auths=auths), "auth"), Global(), {})
    assert built.problems == []
    assert list(built.objects.values()) == auths


def test_transports_and_settings_read_back_are_the_same() -> None:
    texts: dict[str, Any] = {
        "bind": "[::1]:5070", "host": "::1", "port": 5070, "protocol": "tls", "tos": "cs3",
        "local_net": ["10.0.0.0/8", "fc00::/7"], "cipher": "A,B", "password": "x;y",
        "verify_server": True,
    }  # fmt: skip
    made = validator(Transport)({"name": "t", "source": "f:1", **texts})
    text = write(transports=[made], global_=Global(user_agent="a;b"), system=System(timer_t1=200))
    built = build.transports(sections(text, "transport"), lambda _: True, {})
    assert list(built.objects.values()) == [made]
    assert build.globals_(sections(text, "global"), {}).objects["global"] == Global(
        user_agent="a;b"
    )
    assert build.systems(sections(text, "system"), {}).objects["system"] == System(timer_t1=200)
