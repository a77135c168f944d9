"""Digest: the published vectors, the choice of section, and the fields of the answer."""

from __future__ import annotations

import hashlib
import re
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pjreg_cli.sip import digest
from pjreg_cli.sip.digest import (
    Account,
    Challenge,
    next_nonces,
    parse_challenges,
    read_challenges,
    select,
    with_nonce,
)
from pjreg_cli.sip.headers import Headers
from pjreg_cli.sip.message import Response
from tests.support.digests import authorize
from tests.unit.sip.strategies import sip_like


def _account(
    realm: str = "",
    *algorithms: str,
    username: str = "u",
    password: str | None = "p",
    name: str = "a",
    **digests: str,
) -> Account:
    return Account(
        name,
        realm,
        username,
        algorithms or ("MD5",),
        None if password is None else lambda: password,
        {key.replace("_", "-"): partial(str, value) for key, value in digests.items()},
    )


def _challenge(realm: str = "r", algorithm: str | None = None, qop: str = "") -> Challenge:
    return Challenge("Authorization", realm, "n", algorithm=algorithm, qop=tuple(qop.split()))


def _fields(value: str) -> dict[str, str]:
    found = re.findall(
        r'(\w+)=(?:"((?:[^"\\]|\\.)*)"|([^",]+))(?:, |$)', value.removeprefix("Digest ")
    )
    return {name: quoted or bare for name, quoted, bare in found}


# -- published vectors ------------------------------------------------------------------------


def test_rfc_2617_section_3_5() -> None:
    (challenge,) = read_challenges(
        'Digest realm="testrealm@host.com", qop="auth,auth-int",'
        ' nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41"'
    )
    account = _account(username="Mufasa", password="Circle Of Life")
    ((header, value),) = authorize([(challenge, account)], "GET", "/dir/index.html", "0a4f113b")
    assert header == "Authorization"
    assert _fields(value)["response"] == "6629fae49393a05397450978507c4ef1"


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_rfc_7616_section_3_9_1(algorithm: str, response: str) -> None:
    (challenge,) = read_challenges(
        f'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm={algorithm},'
        ' nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",'
        ' opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
    )
    account = _account("", algorithm, username="Mufasa", password="Circle of Life")
    cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
    ((_, value),) = authorize([(challenge, account)], "GET", "/dir/index.html", cnonce)
    assert _fields(value)["response"] == response


def test_sha_512_256_is_the_truncated_one_of_fips_180_4() -> None:
    # FIPS 180-4 example of "abc"; the RFC's own example of this algorithm has a known erratum
    assert (
        hashlib.new("sha512_256", b"abc").hexdigest().startswith("53048e2681941ef99b2e29b76b4c7dab")
    )
    account = _account("", "SHA-512-256")
    ha1 = hashlib.new("sha512_256", b"u:r:p").hexdigest()
    assert account.ha1("SHA-512-256", "r") == ha1


def test_without_qop_the_old_formula_holds() -> None:
    ((_, value),) = authorize([(_challenge(), _account())], "REGISTER", "sip:h", "c")
    ha1 = hashlib.md5(b"u:r:p").hexdigest()
    ha2 = hashlib.md5(b"REGISTER:sip:h").hexdigest()
    expected = hashlib.md5(f"{ha1}:n:{ha2}".encode()).hexdigest()
    assert _fields(value) == {
        "username": "u", "realm": "r", "nonce": "n", "uri": "sip:h", "response": expected,
    }  # fmt: skip


# -- reading challenges -----------------------------------------------------------------------


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
    for challenge in read_challenges("Digest realm=r, nonce=n, " + text) + read_challenges(text):
        authorize([(challenge, _account())], "REGISTER", "sip:h", "c")


@pytest.mark.timeout(5)
@pytest.mark.parametrize("piece", [" ", ",", "a ", "a=", '"', "\\", "a,", '="'])
def test_hostile_repetition_costs_no_time(piece: str) -> None:
    read_challenges("Digest realm=r, nonce=n, " + piece * (60000 // len(piece)))


# -- the choice -------------------------------------------------------------------------------


def _chosen(challenges: list[Challenge], *accounts: Account) -> list[tuple[str, str | None, str]]:
    return [(c.realm, c.algorithm, a.name) for c, a in select(challenges, accounts)]


def test_an_exact_realm_goes_before_a_wildcard_wherever_it_stands() -> None:
    wildcard, other, exact = (
        _account("*", name="w"),
        _account("x", name="x"),
        _account("R", name="e"),
    )
    assert _chosen([_challenge("r")], wildcard, other, exact) == [("r", None, "e")]
    assert _chosen([_challenge("r")], other, wildcard, _account("", name="w2")) == [
        ("r", None, "w")
    ]
    assert _chosen([_challenge("r")], other) == []


def test_of_several_equal_ones_the_first_is_meant() -> None:
    assert _chosen([_challenge()], _account("r", name="1"), _account("r", name="2")) == [
        ("r", None, "1")
    ]


def test_each_realm_gets_one_answer() -> None:
    challenges = [_challenge("one"), _challenge("two"), _challenge("none"), _challenge("one")]
    assert _chosen(challenges, _account("one", name="1"), _account("two", name="2")) == [
        ("one", None, "1"),
        ("two", None, "2"),
    ]


@pytest.mark.parametrize(
    ("offered", "allowed", "answered"),
    [
        (["SHA-256", "MD5"], ["MD5"], ["MD5"]),
        (["MD5", "SHA-256"], ["MD5"], ["MD5"]),
        (["SHA-256", "MD5"], ["MD5", "SHA-256"], ["SHA-256"]),
        (["MD5", "SHA-256"], ["SHA-256", "MD5"], ["MD5"]),
        (["SHA-256"], ["MD5"], []),
        (["MD5-sess", "foo", "md5"], ["MD5"], ["md5"]),
        (["sha-512-256"], ["sha-512-256"], ["sha-512-256"]),
        ([None], ["MD5"], [None]),
        ([None], ["SHA-256"], []),
    ],
)
def test_the_first_algorithm_allowed_is_answered(
    offered: list[str | None], allowed: list[str], answered: list[str | None]
) -> None:
    challenges = [_challenge(algorithm=algorithm) for algorithm in offered]
    chosen = _chosen(challenges, _account("r", *allowed))
    assert [algorithm for _, algorithm, _ in chosen] == answered


def test_a_section_without_a_fitting_secret_is_passed_over() -> None:
    digest_only = _account("r", "MD5", "SHA-256", password=None, name="d", SHA_256="00")
    wildcard = _account("*", name="w")
    assert _chosen([_challenge()], digest_only, wildcard) == [("r", None, "w")]
    assert _chosen([_challenge(algorithm="SHA-256")], digest_only) == [("r", "SHA-256", "d")]


def test_auth_int_alone_cannot_be_answered() -> None:
    challenges = [_challenge(qop="auth-int"), _challenge(algorithm="md5", qop="auth-int auth")]
    assert _chosen(challenges[:1], _account()) == []
    assert _chosen(challenges, _account()) == [("r", "md5", "a")]


# -- the answer -------------------------------------------------------------------------------


def test_the_answer_has_what_the_challenge_asks_for_and_no_more() -> None:
    (challenge,) = read_challenges('Digest realm="r",nonce="n",opaque="o",algorithm=mD5,qop="auth"')
    ((_, value),) = authorize([(challenge, _account())], "REGISTER", "sip:h", "c", nc=17)
    assert value.endswith(', algorithm=mD5, opaque="o", qop=auth, nc=00000011, cnonce="c"')
    assert value.startswith('Digest username="u", realm="r", nonce="n", uri="sip:h", response="')


def test_407_is_answered_by_another_header() -> None:
    (challenge,) = read_challenges('Digest realm="r",nonce="n"', "Proxy-Authorization")
    assert authorize([(challenge, _account())], "A", "b", "c")[0][0] == "Proxy-Authorization"


def test_names_are_quoted_on_the_wire_and_plain_in_the_hash() -> None:
    account = _account(username='DOM\\u"x"', password="pä")
    ((_, value),) = authorize([(_challenge(), account)], "A", "b", "c")
    assert 'username="DOM\\\\u\\"x\\""' in value
    assert account.ha1("MD5", "r") == hashlib.md5('DOM\\u"x":r:pä'.encode()).hexdigest()


@pytest.mark.parametrize(
    ("written", "meant"), [(r"a\"b\\c", r"a\"b\\c"), (r"DOMAIN\pbx", r"DOMAIN\pbx")]
)
def test_escapes_of_the_registrar_are_echoed_as_they_came(written: str, meant: str) -> None:
    (challenge,) = read_challenges(
        f'Digest realm="{written}", nonce="{written}", opaque="{written}"'
    )
    ((_, value),) = authorize([(challenge, _account())], "A", "b", "c")
    for name in ("realm", "nonce", "opaque"):
        assert f'{name}="{meant}"' in value


def test_a_realm_means_what_its_escapes_say() -> None:
    (challenge,) = read_challenges(r'Digest realm="a\"b\\c\d", nonce="n"')
    assert challenge.realm == 'a"b\\c\\d'


def test_digests_stand_for_password_and_realm() -> None:
    ha1 = hashlib.sha256(b"u:other:p").hexdigest()
    account = _account("", "SHA-256", password="unused", sha_256=ha1.upper())
    assert account.ha1("SHA-256", "r") == ha1


def test_ha1_is_computed_once_and_never_shown() -> None:
    asked: list[str] = []

    def secret() -> str:
        asked.append("once")
        return "hunter2"

    account = Account("a", "", "u", ("MD5",), secret)
    ha1 = account.ha1("MD5", "r")
    assert account.ha1("MD5", "r") == ha1
    assert asked == ["once"]
    assert ha1 not in repr(account)
    assert "hunter2" not in repr(account)
    assert account.ha1("MD5", "other") != ha1


def test_a_registrar_that_invents_realms_does_not_fill_memory() -> None:
    account = _account()
    for number in range(1000):
        account.ha1("MD5", str(number))
    assert len(account._kept) <= 16


def test_without_a_secret_there_is_no_ha1() -> None:
    with pytest.raises(KeyError):
        _account(password=None).ha1("MD5", "r")


@given(st.text(max_size=20), st.text(max_size=20), st.text(max_size=10))
def test_no_name_breaks_out_of_its_quotes(username: str, realm: str, nonce: str) -> None:
    challenge = Challenge("Authorization", realm, nonce, opaque="o", qop=("auth",))
    ((_, value),) = authorize([(challenge, _account(username=username))], "A", "sip:b", "c")
    assert "\n" not in value
    assert "\r" not in value
    (again,) = read_challenges(value)
    clean = realm.replace("\r", " ").replace("\n", " ")
    assert again.realm == clean


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
        assert digest.read_challenges(value) == digest._read(value, "Authorization")


@pytest.mark.parametrize(
    ("username", "written"),
    [
        (r"DOMAIN\pbx", r"DOMAIN\pbx"),
        ("a\\b\\c", "a\\b\\c"),
        ('with"quote', 'with\\"quote'),
        ("ends\\", "ends\\\\"),
    ],
)
def test_a_backslash_in_a_user_name_goes_out_as_it_is(username: str, written: str) -> None:
    account = _account(username=username)
    ((_, value),) = authorize([(_challenge(), account)], "REGISTER", "sip:h", "c")
    assert f'username="{written}", realm=' in value


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


def test_a_challenge_goes_on_with_the_next_nonce() -> None:
    (challenge,) = read_challenges(r'Digest realm="r\"s", nonce="n\"1", opaque="o", qop="auth"')
    follows = with_nonce(challenge, 'n"2', r"n\"2")
    ((_, value),) = authorize([(follows, _account())], "REGISTER", "sip:h", "c")
    assert r'realm="r\"s", nonce="n\"2"' in value
    plain = with_nonce(challenge, "n3", "n3")
    ((_, value),) = authorize([(plain, _account())], "REGISTER", "sip:h", "c")
    assert r'realm="r\"s", nonce="n3"' in value
