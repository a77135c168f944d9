from __future__ import annotations

from pjreg_cli.api.registrations import Evidence
from pjreg_cli.counters import Tally
from pjreg_cli.engine.entry import Attempt
from pjreg_cli.engine.exchange import Exchange, Exchanges
from pjreg_cli.engine.record import SOON_S, Record, answered, failed, heard
from pjreg_cli.engine.settled import course_of
from pjreg_cli.engine.timers import Timers
from pjreg_cli.registration.state import Cause, Flight, Outcome, Publish
from pjreg_cli.sip.challenges import parse_challenges
from pjreg_cli.sip.digest import Account
from pjreg_cli.sip.headers import Headers
from pjreg_cli.sip.message import Response
from tests.support.manual_loop import ManualLoop
from tests.support.registrations import RecordingFlow, entry

OURS = "sip:s@192.0.2.1:5060"
FLOW = RecordingFlow()


def timers() -> Timers:
    return Timers(ManualLoop().as_loop())


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


def account(name: str) -> Account:
    return Account(name, "", name, ("MD5",), password=lambda: "secret")


def attempted(record: Record, at: float, *codes: tuple[int, Account | None]) -> Evidence:
    """An attempt with one request for each code, signed so, each of which took a second."""
    one, attempt, exchanges = entry(), Attempt(), Exchanges(timers(), lambda *_: None, Tally())
    for number, (code, signed) in enumerate(codes):
        exchange = Exchange(one, FLOW, "b", 1, "tag", b"", lambda _e, _n: None)
        exchange.sent_at = at + 2 * number
        attempt.signed = signed
        if code == 408:
            failed(exchange, attempt, Cause.SEND_FAILED, exchange.sent_at + 1)
        else:
            attempt.response = response(code)
            answered(exchange, attempt, attempt.response, exchange.sent_at + 1, None, exchanges)
    cause = Cause.ANSWERED if code != 408 else Cause.SEND_FAILED
    published = Publish("granted" if code == 200 else "temporary", Flight.REGISTER)
    course = course_of(attempt, Outcome(code, cause), published)
    return record.settled(attempt, course, published, at + 1e9, at + 2 * len(codes))


def test_a_record_gives_back_the_requests_of_an_attempt() -> None:
    record, ours, another = Record(), account("a"), account("b")
    left = attempted(
        record, 5.0, (401, None), (401, ours), (401, another), (401, ours), (408, None)
    )
    sent = list(record.sent())
    assert [(one.sent_at, one.ended_at) for one in sent] == [(n, n + 1) for n in (5, 7, 9, 11, 13)]
    assert [one.signed for one in sent] == [None, ours, another, ours, None]
    assert [one.heard.code if one.heard else 0 for one in sent] == [401, 401, 401, 401, 0]
    assert all(one.flow is FLOW and one.sends == 1 for one in sent)
    assert record.evidence() == left
    assert (left.at, left.code, left.took_s, record.took_s()) == (1e9 + 5, 408, None, None)


def test_how_long_the_last_answer_took_is_told() -> None:
    record = Record()
    assert record.evidence() is None
    assert record.took_s() is None
    left = attempted(record, 5.0, (401, None), (200, account("a")))
    assert left.took_s == record.took_s() == 1.0


def test_attempts_that_were_the_same_but_for_when_and_who_are_one() -> None:
    records, accounts = [Record(), Record()], [account("a"), account("b")]
    for number, record in enumerate(records):
        attempted(record, float(number), (401, None), (200, accounts[number]))
    assert records[0].course is records[1].course
    assert [[one.signed for one in record.sent()] for record in records] == [
        [None, accounts[0]],
        [None, accounts[1]],
    ]


def test_changes_of_the_last_hour_are_counted_and_the_last_one_is_known() -> None:
    record = Record()
    words = ["Rejected", "Registered"] * 20
    assert record.changes(0.0) == 0
    for number, word in enumerate(words):
        record.turned(words[number - 1], word, number, 60.0 * number)
    assert record.changed_at == 60.0 * 39
    assert record.changes(60.0 * 39) == 20, "no more than anybody wants to know"
    assert record.changes(60.0 * 39 + 3599) == 1
    record.turned("Registered", "Rejected", 41, 1e6)
    assert (record.changed_at, record.changes(1e6)) == (1e6, 1)


def test_connections_lost_soon_after_a_grant_count_in_a_row() -> None:
    record = Record()
    record.granted_at = 0.0
    record.lost(1.0)
    record.lost(2.0)
    assert record.past.losses == 2
    record.lost(SOON_S + 1)
    assert record.past.losses == 0
