"""Digest: the published vectors, the choice of section, and the fields of the answer."""

from __future__ import annotations

import hashlib
import re
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pjreg_cli.sip.challenges import (
    Challenge,
    read_challenges,
    with_nonce,
)
from pjreg_cli.sip.digest import Account, select
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


@given(sip_like)
def test_answering_whatever_was_read_never_raises(text: str) -> None:
    for challenge in read_challenges("Digest realm=r, nonce=n, " + text) + read_challenges(text):
        authorize([(challenge, _account())], "REGISTER", "sip:h", "c")


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


def test_a_challenge_goes_on_with_the_next_nonce() -> None:
    (challenge,) = read_challenges(r'Digest realm="r\"s", nonce="n\"1", opaque="o", qop="auth"')
    follows = with_nonce(challenge, 'n"2', r"n\"2")
    ((_, value),) = authorize([(follows, _account())], "REGISTER", "sip:h", "c")
    assert r'realm="r\"s", nonce="n\"2"' in value
    plain = with_nonce(challenge, "n3", "n3")
    ((_, value),) = authorize([(plain, _account())], "REGISTER", "sip:h", "c")
    assert r'realm="r\"s", nonce="n3"' in value
