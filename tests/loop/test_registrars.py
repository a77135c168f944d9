"""What registrars are seen to say, and what an engine makes of it: real sockets, virtual time."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import pytest

from pjreg_cli.config.load import Settings
from pjreg_cli.config.models import PjregSettings
from tests.loop.test_engine import HOUR, Scene, play
from tests.support.registrar import Answer, Registrar, Reply, Seen, fail, grant, protected, silence

AUTH = {"outbound_auth": ("a",)}


def script(*answers: Answer, user: str = "alice") -> Callable[[Registrar], None]:
    return lambda registrar: registrar.script(user, *answers)


def kept(settings: Settings) -> Settings:
    """Nonces are kept."""
    return replace(settings, pjreg=PjregSettings(keep_nonce=True))


def field(credentials: str, name: str) -> str:
    """A field of Authorization, without its quotes."""
    found = re.search(rf'[ ,]{name}=("?)([^",]*)\1', credentials)
    return found[2] if found else ""


# -- credentials ------------------------------------------------------------------------------


def behind_a_proxy(seen: Seen) -> Reply:
    """A proxy wants credentials, and the registrar behind it, too."""
    if not seen.header("proxy-authorization"):
        return Reply(407, (("Proxy-Authenticate", 'Digest realm="p", nonce="p1", qop="auth"'),))
    if not seen.header("authorization"):
        return Reply(401, (("WWW-Authenticate", 'Digest realm="r", nonce="r1", qop="auth"'),))
    return Reply(200, (("Contact", f"{seen.header('contact')};expires=60"),))


def test_proxy_and_registrar_get_both_credentials_in_one_request() -> None:
    async def act(scene: Scene) -> None:
        first, second, third = (await scene.registrar.received(3, "alice"))[:3]
        assert first.credentials == ""
        assert second.header("authorization") == ""
        proxy, registrar = third.header("proxy-authorization"), third.header("authorization")
        assert (field(proxy, "realm"), field(registrar, "realm")) == ("p", "r")
        # the proxy sees its nonce the second time (RFC 7616 section 3.4)
        assert (field(proxy, "nc"), field(registrar, "nc")) == ("00000002", "00000001")
        await scene.until(lambda: scene.words() == {"alice": "Registered"})
        assert scene.settled() == [("alice", "Registered")], "one attempt"

    play({"alice": AUTH}, act, prepare=script(behind_a_proxy))


def test_two_proxies_get_both_credentials() -> None:
    def proxies(seen: Seen) -> Reply:
        given = [value for name, value in seen.request.headers if name == "Proxy-Authorization"]
        for realm in ("one", "two"):
            if not any(f'realm="{realm}"' in value for value in given):
                challenge = f'Digest realm="{realm}", nonce="n-{realm}"'
                return Reply(407, (("Proxy-Authenticate", challenge),))
        return Reply(200)

    async def act(scene: Scene) -> None:
        await scene.until(lambda: scene.words() == {"alice": "Registered"})
        assert len(scene.registrar.seen) == 3

    play({"alice": AUTH}, act, prepare=script(proxies))


@pytest.mark.parametrize(("stale", "word"), [(3, "Registered"), (4, "Rejected")])
def test_a_stale_nonce_is_replaced_three_times(stale: int, word: str) -> None:
    async def act(scene: Scene) -> None:
        await scene.until(lambda: scene.words() == {"alice": word})
        assert len(scene.registrar.seen) == 5
        await asyncio.sleep(HOUR / 2)
        assert len(scene.registrar.seen) == 5

    play({"alice": AUTH}, act, prepare=script(protected("secret", stale=stale)))


def test_a_stale_nonce_of_an_unregister_is_replaced_too() -> None:
    async def act(scene: Scene) -> None:
        await scene.until(lambda: scene.words() == {"alice": "Registered"})
        scene.registrar.script("alice", protected("secret", stale=1))
        scene.engine.registrations.unregister("alice")
        await scene.until(lambda: scene.words() == {"alice": "Unregistered"})

    play({"alice": AUTH}, act, prepare=script(protected("secret")))


def one_time() -> Answer:
    """A registrar whose nonces serve once; each answer names the next."""
    valid: set[str] = set()

    def answer(seen: Seen) -> Reply:
        nonce = field(seen.credentials, "nonce")
        if nonce not in valid:
            valid.add(f"first-{seen.cseq}")
            challenge = f'Digest realm="r", nonce="first-{seen.cseq}", qop="auth"'
            return Reply(401, (("WWW-Authenticate", challenge),))
        valid.discard(nonce)
        assert field(seen.credentials, "nc") == "00000001"
        valid.add(f"next-{seen.cseq}")
        following = f'qop=auth, nextnonce="next-{seen.cseq}"'
        contact = f"{seen.header('contact')};expires=60"
        return Reply(200, (("Authentication-Info", following), ("Contact", contact)))

    return answer


def test_a_kept_nonce_gives_way_to_the_next_that_the_registrar_names() -> None:
    async def act(scene: Scene) -> None:
        requests = await scene.registrar.received(6, "alice")
        assert [one.code for one in requests[:6]] == [401, 200, 200, 200, 200, 200]

    play({"alice": AUTH}, act, prepare=script(one_time()), change=kept)


def test_without_keeping_nonces_the_next_one_is_nobodys_business() -> None:
    async def act(scene: Scene) -> None:
        requests = await scene.registrar.received(4, "alice")
        assert [one.code for one in requests[:4]] == [401, 200, 401, 200]

    play({"alice": AUTH}, act, prepare=script(one_time()))


MEDIASEC = {
    **AUTH,
    "security_negotiation": "mediasec",
    "security_mechanisms": ("sdes-srtp;mediasec",),
    "expiration": 60,
}
SERVERS = ("msrp-tls;mediasec", "sdes-srtp;mediasec", "dtls-srtp;mediasec")


def wants_mediasec(seen: Seen) -> Reply:
    if not seen.credentials:
        challenge = ("WWW-Authenticate", 'Digest realm="r", nonce="n", qop="auth"')
        return Reply(401, (challenge, *(("Security-Server", one) for one in SERVERS)))
    return Reply(200, (("Contact", f"{seen.header('contact')};expires=60"),))


@pytest.mark.parametrize("keep", [False, True])
def test_security_mechanisms_never_pile_up_and_are_kept_with_the_nonce(keep: bool) -> None:
    async def act(scene: Scene) -> None:
        requests = await scene.registrar.received(6, "alice")
        scene.engine.registrations.unregister("alice")
        await scene.until(lambda: scene.words() == {"alice": "Unregistered"})
        for one in (*requests, scene.registrar.seen[-1]):
            headers = one.request.headers
            assert headers.all("security-client") == ("sdes-srtp;mediasec",)
            verified = SERVERS if one.credentials else ()
            assert headers.all("security-verify") == verified
        bare = [one for one in requests if not one.credentials]
        assert len(bare) == (1 if keep else 3)

    change = kept if keep else (lambda settings: settings)
    play({"alice": MEDIASEC}, act, prepare=script(wants_mediasec), change=change)


# -- storms -----------------------------------------------------------------------------------


def never_long_enough(seen: Seen) -> Reply:
    if not seen.expires_s:
        return Reply(200)
    return Reply(423, (("Min-Expires", str(seen.expires_s + 1)),))


def test_a_registrar_that_always_wants_more_is_given_up() -> None:
    async def act(scene: Scene) -> None:
        await scene.until(lambda: scene.words() == {"alice": "Rejected"})
        assert [one.expires_s for one in scene.registrar.seen] == [3600, 3601, 3602, 3603]
        await asyncio.sleep(HOUR)
        assert len(scene.registrar.seen) == 4
        scene.engine.registrations.unregister("alice")
        await scene.until(lambda: scene.words() == {"alice": "Unregistered"})

    play({"alice": {}}, act, prepare=script(never_long_enough))


def test_a_retry_after_of_ages_counts_as_a_day_and_is_said() -> None:
    async def act(scene: Scene) -> None:
        await scene.until(lambda: scene.words() == {"alice": "Rejected"})
        view = scene.engine.registrations.view("alice")
        assert view is not None
        assert view.evidence is not None
        assert (view.evidence.rule, view.next_attempt_s) == ("day at most", 86400)

    play({"alice": {}}, act, prepare=script(fail(503, [("Retry-After", "4294967295")])))


@pytest.mark.parametrize("told", ["0000000000005", "5;duration=60", "5 (maintenance)"])
def test_leading_zeros_and_what_follows_the_number_do_not_count(told: str) -> None:
    async def act(scene: Scene) -> None:
        first, second = (await scene.registrar.received(2, "alice"))[:2]
        assert round(second.at - first.at) == 5

    play({"alice": {}}, act, prepare=script(fail(503, [("Retry-After", told)]), grant()))


# -- lifetimes --------------------------------------------------------------------------------


def test_a_200_that_grants_nothing_is_no_registration_and_tried_again() -> None:
    async def act(scene: Scene) -> None:
        requests = await scene.registrar.received(3, "alice")
        assert [round(b.at - a.at) for a, b in pairwise(requests)] == [60, 60]
        await asyncio.sleep(HOUR)
        assert scene.words() == {"alice": "Unregistered"}
        assert len(scene.registrar.seen) == 3, "max_retries counts"

    nothing = fail(200, [("Expires", "0")])
    play({"alice": {"max_retries": 2}}, act, prepare=script(nothing))


def test_forever_never_gives_up_and_may_wait_longer_each_time() -> None:
    async def act(scene: Scene) -> None:
        requests = await scene.registrar.received(12, "alice")
        waits = [round(b.at - a.at) for a, b in pairwise(requests)]
        assert waits == [60, 120, 240, 480, 960, 1920, 3600, 3600, 3600, 3600, 3600]

    def change(settings: Settings) -> Settings:
        return replace(settings, pjreg=PjregSettings(retry_backoff=True))

    forever = 2**32
    options = {"max_retries": forever}
    play({"alice": options}, act, prepare=script(fail(403)), change=change)


# -- what is shown ----------------------------------------------------------------------------


def test_silence_after_a_challenge_does_not_borrow_its_words() -> None:
    def prepare(registrar: Registrar) -> None:
        def answer(seen: Seen) -> Reply | None:
            if seen.credentials:
                return None
            return Reply(401, (("WWW-Authenticate", 'Digest realm="r", nonce="n"'),))

        registrar.script("alice", answer)

    async def act(scene: Scene) -> None:
        await scene.until(lambda: scene.words() == {"alice": "Rejected"})
        view = scene.engine.registrations.view("alice")
        assert view is not None
        assert view.evidence is not None
        facts = view.evidence
        assert (facts.code, facts.cause, facts.reason) == (408, "timed-out", "no answer")
        assert facts.received == "", "nobody said so in this request's answer"

    play({"alice": AUTH}, act, prepare=prepare)


def lists(contact: str) -> Answer:
    """A 200 that has this Contact alone."""
    return fail(200, [("Contact", contact)])


@pytest.mark.parametrize(
    ("contact", "missing"),
    [
        ("<sip:other@192.0.2.9>;expires=60", True),
        ("<sip:s@203.0.113.9:1024>;expires=60", False),
    ],
)
def test_a_200_that_lists_only_others_is_told_apart(
    contact: str, missing: bool, caplog: pytest.LogCaptureFixture
) -> None:
    async def act(scene: Scene) -> None:
        await scene.until(lambda: scene.words() == {"alice": "Registered"})
        view = scene.engine.registrations.view("alice")
        assert view is not None
        assert view.evidence is not None
        assert view.evidence.contact_missing is missing
        assert any("others only" in one.getMessage() for one in caplog.records) is missing

    caplog.set_level("INFO")
    play({"alice": {}}, act, prepare=script(lists(contact)))


def test_a_silent_registrar_still_takes_32_s() -> None:
    async def act(scene: Scene) -> None:
        await scene.engine.settled(60)
        assert scene.words() == {"alice": "Rejected"}
        assert [one.copies for one in scene.registrar.seen] == [11]

    play({"alice": {}}, act, prepare=script(silence()))
