"""Why: what registrars answer, each by a real one on loopback."""

from __future__ import annotations

from typing import Any

import pytest

from pjreg_cli.api.findings import Finding
from tests.support.explaining import World, explain, found, noted
from tests.support.registrar import Answer, Reply, Seen, fail, grant, protected

Headers = tuple[tuple[str, str], ...]


def answering(
    *answers: Answer, auths: dict[str, dict[str, Any]] | None = None, **options: Any
) -> Finding:
    """What is found where the registrar answers so."""

    def prepare(world: World) -> None:
        world.registrar.script("alice", *answers)
        world.auths = {} if auths is None else auths
        world.options = {"outbound_auth": tuple(world.auths), **options}

    return explain(prepare)


def challenge(value: str, code: int = 401) -> Answer:
    """The same challenge whatever comes."""
    name = "WWW-Authenticate" if code == 401 else "Proxy-Authenticate"
    return fail(code, [(name, value)])


def contacts(*values: str, **more: Any) -> Answer:
    """200 that lists these Contacts."""
    return lambda _seen: Reply(200, tuple(("Contact", value) for value in values), **more)


# -- challenges -------------------------------------------------------------------------------


def test_a_challenge_without_an_account() -> None:
    finding = answering(protected("secret"))
    found(finding, "no-credentials", says='realm "loopback"', fix="outbound_auth", where=":10")
    assert finding.next.action == "nothing"
    assert "auth_rejection_permanent" in finding.next.text


def test_an_auth_section_that_does_not_exist() -> None:
    finding = answering(protected("secret"), outbound_auth=("nowhere",))
    found(finding, "auth-section-missing", says="[nowhere]", fix="outbound_auth", where=":10")


def test_a_wrong_password() -> None:
    finding = answering(protected("other"), auths={"a": {}})
    found(
        finding,
        "wrong-password",
        says='[a], user "alice"',
        evidence="challenged again, a fresh nonce, not stale",
        fix="password of [a]",
        where=":30",
    )
    assert [step.step for step in finding.steps] == [
        "configured",
        "found",
        "sent",
        "sent",
        "answered",
    ]
    assert finding.fix[0].option == "password"


def test_a_realm_that_no_account_is_for() -> None:
    finding = answering(protected("secret"), auths={"a": {"realm": "elsewhere"}})
    found(finding, "realm-unknown", says='[a] is for "elsewhere"', fix="realm", where=":30")
    assert 'realm "loopback"' in finding.finding


def test_an_algorithm_that_is_not_allowed() -> None:
    finding = answering(protected("secret", algorithm="SHA-256"), auths={"a": {}})
    found(
        finding,
        "algorithm-not-allowed",
        says="only SHA-256",
        fix="SHA-256 in supported",
        where=":30",
    )


def test_no_digest_at_all() -> None:
    finding = answering(challenge('Bearer authz_server="https://x"'), auths={"a": {}})
    found(finding, "algorithm-not-allowed", says="none by Digest", fix="a Digest algorithm")


def test_a_protection_that_is_not_offered() -> None:
    finding = answering(challenge('Digest realm="r", nonce="n", qop="auth-int"'), auths={"a": {}})
    found(finding, "qop-unsupported", says="auth-int", fix="qop `auth`")


def test_nonces_that_are_always_stale() -> None:
    finding = answering(protected("secret", stale=1000), auths={"a": {}})
    found(finding, "nonce-loop", says="stale", evidence="stale", fix="401")


# -- refusals ---------------------------------------------------------------------------------


def test_a_403_at_once() -> None:
    warning = (("Warning", '399 x "too many contacts"'), ("Retry-After", "1800"))
    finding = answering(fail(403, warning), auths={"a": {}})
    found(finding, "forbidden-at-once", says="too many contacts", evidence="403", fix="client_uri")
    assert finding.next.action == "retry"
    assert finding.next.in_s is not None
    assert 1700 < finding.next.in_s <= 1800


def test_a_403_after_credentials() -> None:
    finding = answering(protected("secret", fail(403)), auths={"a": {}})
    found(finding, "forbidden-with-credentials", evidence="403", fix="username", where=":30")
    assert "fatal_retry_interval" in finding.next.text or "forbidden" in finding.next.text


@pytest.mark.parametrize(
    ("code", "headers", "cause", "fix"),
    [
        (404, (), "account-unknown", "client_uri"),
        (604, (), "account-unknown", "client_uri"),
        (405, (("Allow", "INVITE, ACK"),), "not-a-registrar", "server_uri"),
        (501, (), "not-a-registrar", "server_uri"),
        (400, (("Warning", '399 x "bad To"'),), "bad-request", "operator"),
        (420, (("Unsupported", "path"),), "extension-required", "operator"),
        (421, (("Require", "path"),), "extension-required", "support_path"),
        (423, (), "too-brief", "expiration"),
        (494, (("Security-Server", "tls"),), "security-agreement", "security_negotiation"),
        (480, (), "busy", "operator"),
        (486, (), "busy", "operator"),
        (600, (), "busy", "operator"),
        (603, (), "busy", "operator"),
        (482, (), "loop", "server_uri"),
        (483, (), "loop", "server_uri"),
        (302, (("Contact", "<sip:192.0.2.7>"),), "moved", "server_uri"),
        (503, (("Retry-After", "300"),), "overloaded", "operator"),
        (502, (), "proxy-failed", "operator"),
        (504, (), "proxy-failed", "operator"),
        (500, (("Server", "Some Proxy 1.0"),), "proxy-failed", "operator"),
        (500, (), "server-error", "operator"),
        (606, (), "server-error", "operator"),
        (416, (), "refused-otherwise", "operator"),
    ],
)
def test_a_refusal(code: int, headers: Headers, cause: str, fix: str) -> None:
    finding = answering(fail(code, headers))
    found(finding, cause, says=str(code), evidence=str(code), fix=fix)
    for _, value in headers:
        if cause not in ("proxy-failed",):
            assert value in " ".join((finding.finding, *finding.evidence))


BEHIND_A_PROXY = {"server_uri": "sip:registrar.example"}


@pytest.mark.parametrize(
    ("code", "agent", "cause", "says"),
    [
        # the proxy answers itself, by its address
        (500, "127.0.0.1:{port}", "proxy-failed", "a proxy on the way"),
        (503, "127.0.0.1", "proxy-failed", "a proxy on the way"),
        # the registrar does, through it
        (500, "Registrar.example", "server-error", "the registrar failed: "),
        (503, "registrar.example:5060", "overloaded", "the registrar is overloaded"),
        # nobody says who it was
        (500, "", "server-error", "the registrar or the proxy before it (127.0.0.1) failed"),
        (503, "nowhere.example", "overloaded", "the registrar or the proxy before it (127.0.0.1)"),
    ],
)
def test_who_has_failed_behind_an_outbound_proxy(
    code: int, agent: str, cause: str, says: str
) -> None:
    def world(one: World) -> None:
        proxy = one.registrar.port
        one.options |= {**BEHIND_A_PROXY, "outbound_proxy": f"sip:127.0.0.1:{proxy};lr"}
        warning = f'399 {agent.format(port=proxy)} "out of order"'
        one.registrar.script("alice", fail(code, (("Warning", warning),) if agent else ()))

    finding = explain(world)
    found(finding, cause, evidence=str(code), fix="operator")
    assert finding.finding.startswith(says)


def test_what_a_registrar_says_is_shown_inert_and_cut() -> None:
    finding = answering(fail(400, [("Warning", "\x1b[31m" + "x" * 3000)]))
    found(finding, "bad-request")
    assert all(len(text) < 300 for text in (finding.finding, *finding.evidence))


# -- what only looks like success -------------------------------------------------------------


def test_a_2xx_that_says_that_it_failed() -> None:
    finding = answering(lambda _seen: Reply(200, reason="Authentication failed"))
    found(finding, "granted-nothing", says="200 Authentication failed", fix="operator")


def test_a_2xx_that_grants_nothing() -> None:
    finding = answering(lambda _seen: Reply(200, (("Expires", "0"),)))
    found(finding, "granted-nothing", says="lifetime 0 s", fix="operator")
    assert finding.next.action == "retry"


def test_bindings_of_others_alone() -> None:
    finding = answering(
        contacts("<sip:bob@192.0.2.1>;expires=600", "<sip:carol@192.0.2.2>;expires=600")
    )
    found(finding, "contact-missing", says="sip:bob@192.0.2.1", fix="operator")


def test_all_is_well() -> None:
    finding = answering(protected("secret"), auths={"a": {}})
    found(finding, "fine", fix=None, ok=True)
    assert finding.next.action == "refresh"
    assert finding.notes == ()


# -- notes ------------------------------------------------------------------------------------


def test_a_contact_that_comes_back_changed() -> None:
    finding = answering(contacts("<sip:s@198.51.100.9:1024>;expires=600"))
    found(finding, "fine", fix=None, ok=True)
    noted(finding, "contact-rewritten", "198.51.100.9:1024")


def test_a_contact_that_may_be_anybodys() -> None:
    finding = answering(contacts("<sip:tablet@192.0.2.2>;expires=600"))
    found(finding, "contact-missing", says="unless something on the way", fix="not bound")
    assert all(note.cause != "contact-rewritten" for note in finding.notes)


def test_an_account_that_others_hold_too() -> None:
    def answer(seen: Seen) -> Reply:
        ours = f"{seen.header('contact')};expires=600"
        return Reply(200, (("Contact", ours), ("Contact", "<sip:tablet@192.0.2.2>;expires=600")))

    finding = answering(answer)
    noted(finding, "other-bindings", "tablet@192.0.2.2")


def test_a_grant_that_is_shorter_than_asked() -> None:
    noted(answering(grant(120)), "shorter-grant", "120 s granted, 3600 s asked")
