"""Reading challenges: in every form, remembered or new, and the nonce for the next request."""

from __future__ import annotations

import pytest
from hypothesis import given

from pjreg_cli.sip import challenges
from pjreg_cli.sip.challenges import Challenge, next_nonces, parse_challenges, read_challenges
from pjreg_cli.sip.headers import Headers
from pjreg_cli.sip.message import Response
from tests.unit.sip.strategies import sip_like


def _challenge(realm: str = "r", algorithm: str | None = None, qop: str = "") -> Challenge:
    return Challenge("Authorization", realm, "n", algorithm=algorithm, qop=tuple(qop.split()))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ('Digest realm="r",nonce="n"', [_challenge()]),
        ("DIGEST  REALM = r , Nonce=n", [_challenge()]),
        ('Digest realm="r" nonce="n"', [_challenge()]),
        ('digest ,, realm="r",, nonce="n",', [_challenge()]),
        ('Digest realm="r", nonce="n", qop="auth,auth-int"', [_challenge(qop="auth auth-int")]),
        ('Digest realm="r", nonce="n", qop=AUTH', [_challenge(qop="auth")]),
        ('Digest qop=auth-int,auth, realm="r", nonce="n"', [_challenge(qop="auth-int auth")]),
        ('Digest realm="r", nonce="n", qop=""', [_challenge()]),
        ('Digest realm="r", nonce="n", algorithm="Md5"', [_challenge(algorithm="Md5")]),
        ('Digest realm="r", nonce="n", domain="sip:a, b", x-y=z', [_challenge()]),
        ('Basic realm="x", Digest realm="r", nonce="n"', [_challenge()]),
        ('NTLM, Digest realm="r", nonce="n", Negotiate', [_challenge()]),
        ("Negotiate abc==", []),
        ('Digest realm="r"', []),
        ('Digest nonce="n"', []),
        ('Digest realm="r, nonce="n"', []),
        ("", []),
        (
            'Digest realm="a", nonce="1", algorithm=SHA-256, Digest realm="b", nonce="2"',
            [
                Challenge("Authorization", "a", "1", algorithm="SHA-256"),
                Challenge("Authorization", "b", "2"),
            ],
        ),
        (
            'Digest realm="r", nonce="n==", opaque="o", stale=TRUE',
            [Challenge("Authorization", "r", "n==", opaque="o", stale=True)],
        ),
        (
            'Digest realm="r", nonce=n==, stale="true"',
            [Challenge("Authorization", "r", "n==", stale=True)],
        ),
        ('Digest realm="", nonce="n", opaque=""', [_challenge("")]),
    ],
)  # fmt: skip
def test_challenges_are_read(value: str, expected: list[Challenge]) -> None:
    assert read_challenges(value) == expected


def test_challenges_come_in_the_order_of_the_message() -> None:
    response = Response(
        407,
        "",
        Headers(
            [
                ("Proxy-Authenticate", 'Digest realm="1", nonce="n"'),
                ("WWW-Authenticate", 'Digest realm="2", nonce="n", Digest realm="3", nonce="n"'),
                ("PROXY-AUTHENTICATE", 'Digest realm="4", nonce="n"'),
            ]
        ),
    )
    assert [(c.realm, c.answer) for c in parse_challenges(response)] == [
        ("1", "Proxy-Authorization"),
        ("2", "Authorization"),
        ("3", "Authorization"),
        ("4", "Proxy-Authorization"),
    ]


@given(sip_like)
def test_reading_challenges_never_raises(text: str) -> None:
    read_challenges("Digest realm=r, nonce=n, " + text)
    read_challenges(text)


@pytest.mark.timeout(5)
@pytest.mark.parametrize("piece", [" ", ",", "a ", "a=", '"', "\\", "a,", '="'])
def test_hostile_repetition_costs_no_time(piece: str) -> None:
    read_challenges("Digest realm=r, nonce=n, " + piece * (60000 // len(piece)))


CHALLENGES = [
    'Digest realm="r", nonce="{}"',
    'Digest realm="{}", nonce="{}", qop="auth", algorithm=SHA-256',
    'Digest nonce="{}", realm="r", opaque="{}", stale=true',
    'Digest realm="r", nextnonce="{}", nonce="{}"',
    'Digest realm="r", xnonce="{}"',
    'Digest realm="r", nonce = "{}"',
    'Digest realm="r", nonce="{}", Digest realm="s", nonce="{}"',
    'Basic realm="nonce=\\"{}", Digest realm="r", nonce="{}"',
    'Digest realm="r\\"", nonce="{}"',
    'Digest realm="r", domain="nonce=", nonce="{}"',
]


@pytest.mark.parametrize("form", CHALLENGES)
@pytest.mark.parametrize("nonce", ["n", "r", "", "a==", "auth", "5f2c,x=y", "a\nb"])
def test_a_remembered_challenge_is_read_as_if_it_were_new(form: str, nonce: str) -> None:
    for value in (form.replace("{}", "other"), form.replace("{}", nonce)):
        assert read_challenges(value) == challenges._read(value, "Authorization")


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ([("Authentication-Info", 'nextnonce="n2"')], {"Authorization": ("n2", "n2")}),
        (
            [("authentication-info", 'qop=auth, rspauth="0", cnonce="c", nc=1, NextNonce = n2')],
            {"Authorization": ("n2", "n2")},
        ),
        (
            [("Proxy-Authentication-Info", r'nextnonce="a\"b"')],
            {"Proxy-Authorization": ('a"b', r"a\"b")},
        ),
        ([("Authentication-Info", 'nextnonce=""')], {}),
        ([("Authentication-Info", 'rspauth="nextnonce=x"')], {}),
        ([], {}),
    ],
)
def test_the_next_nonce_is_found(
    fields: list[tuple[str, str]], found: dict[str, tuple[str, str]]
) -> None:
    assert next_nonces(Response(200, "OK", Headers(fields))) == found


@given(sip_like)
def test_reading_the_next_nonce_never_raises(value: str) -> None:
    next_nonces(Response(200, "OK", Headers([("Authentication-Info", value)])))
