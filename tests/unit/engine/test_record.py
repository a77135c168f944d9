from __future__ import annotations

from pjreg_cli.engine.record import SOON_S, WIDTH, Record, heard, requests
from pjreg_cli.sip.challenges import parse_challenges
from pjreg_cli.sip.headers import Headers
from pjreg_cli.sip.message import Response

OURS = "sip:s@192.0.2.1:5060"


def response(code: int, *headers: tuple[str, str]) -> Response:
    return Response(code, "Said", Headers(headers))


def test_who_heard_the_same_shares_it() -> None:
    def refusal() -> Response:
        return response(403, ("Warning", '399 x "blocked"'), ("Via", "SIP/2.0/UDP x"))

    first, second = heard(refusal(), (), OURS), heard(refusal(), (), OURS)
    assert first is second
    assert first.headers == (("warning", '399 x "blocked"'),)
    assert first.header("warning") == '399 x "blocked"'


def test_a_challenge_is_kept_without_its_nonce() -> None:
    offered = response(401, ("WWW-Authenticate", 'Digest realm="r", nonce="secret", qop="auth"'))
    found = heard(offered, parse_challenges(offered), OURS)
    assert "secret" not in repr(found)
    (offer,) = found.offers
    assert (offer.realm, offer.algorithm, offer.qop, offer.stale) == ("r", "MD5", ("auth",), False)


def test_our_contact_alone_is_nothing_to_remark() -> None:
    ours = response(200, ("Contact", f"<{OURS}>;expires=60"))
    assert heard(ours, (), OURS).contacts == ()
    other = response(200, ("Contact", "<sip:s@198.51.100.1>;expires=60"))
    assert heard(other, (), OURS).contacts == ("<sip:s@198.51.100.1>;expires=60",)


def test_long_values_and_many_of_them_are_cut() -> None:
    found = heard(response(403, *[("X-Some-Error", "x" * 1000)] * 50), (), OURS)
    assert len(found.headers) == 12
    assert {len(value) for _, value in found.headers} == {200}


def test_a_flat_record_gives_its_requests_back() -> None:
    steps = tuple(range(2 * WIDTH))
    assert [tuple(sent) for sent in requests(steps)] == [steps[:WIDTH], steps[WIDTH:]]


def test_connections_lost_soon_after_a_grant_count_in_a_row() -> None:
    record = Record()
    record.granted_at = 0.0
    record.lost(1.0)
    record.lost(2.0)
    assert record.losses == 2
    record.lost(SOON_S + 1)
    assert record.losses == 0
