from __future__ import annotations

import pytest

from pjreg_cli.api.history import Happened
from pjreg_cli.render.columns import cells
from pjreg_cli.render.registration_history import Share, flaps, page, shares, step

NOW_AT = 1_000_000.0


def became(word: str, ago_s: float) -> Happened:
    return Happened(NOW_AT - ago_s, "transition", word, 200, "", {})


def test_shares_count_from_what_is_known() -> None:
    found = shares([became("Registered", 7200), became("Rejected", 900)], NOW_AT)
    assert found[0] == Share("hour", 0.75)
    assert found[1] == Share("day", 6300 / 7200)
    assert shares([], NOW_AT)[0].part is None


def test_flaps_are_losses_within_a_day() -> None:
    words = ["Registered", "Rejected", "Registered", "Unregistered"]
    events = [became(word, 100 - at) for at, word in enumerate(words)]
    assert flaps(events, NOW_AT) == 2
    assert flaps(events, NOW_AT + 2 * 86_400) == 0


def test_a_reason_cannot_steer_a_terminal() -> None:
    event = Happened(
        NOW_AT, "attempt", "Rejected", 403, "x", {"reason": "\x1b[31m", "target": None}
    )
    assert "\x1b" not in "".join(page("a", [event], [], NOW_AT))


LINES = [
    Happened(NOW_AT, "attempt", "Rejected", 401, "wrong-password", FACTS)
    for FACTS in (
        {"reason": "Unauthorized by the long arm of the registrar", "target": "udp:192.0.2.1:5060"},
        {"reason": "语" * 30, "target": "tls:[2001:db8:0:1:2:3:4:5]:5061 (registrar.example.com)"},
    )
] + [Happened(NOW_AT, "transition", "Unregistered", 408, "forbidden-with-credentials", {})]


@pytest.mark.parametrize("width", [70, 80, 99, 100, 110, 132])
def test_lines_keep_to_the_width_of_the_terminal(width: int) -> None:
    lines = "".join(page("trunk", LINES, LINES, NOW_AT, width)).splitlines()
    assert max(map(cells, lines)) <= width
    rows = lines[lines.index("") + 1 :]
    assert [line[:19] for line in rows[1:]] == ["1970-01-12 13:46:40"] * 3
    assert ("Target" in rows[0]) == (width >= 100)


def test_where_there_is_no_terminal_nothing_is_cut() -> None:
    text = "".join(page("trunk", LINES, LINES, NOW_AT))
    assert "2001:db8:0:1:2:3:4:5" in text
    assert "1970-01-12 13:46:40 UTC  attempt" in text
    assert "…" not in text


def test_one_loss_is_told_as_one() -> None:
    words = [became("Registered", 100), became("Rejected", 50)]
    assert "; lost once within the last day" in "".join(page("a", words, words, NOW_AT))


def test_a_past_shorter_than_a_week_is_said_to_be() -> None:
    young, old = [became("Registered", 7_200)], [became("Registered", 8 * 86_400)]
    assert "last week, as far as it is known (2 h);" in "".join(page("a", [], young, NOW_AT))
    assert "last week;" in "".join(page("a", [], old, NOW_AT))


def test_a_code_that_nobody_has_sent_stands_in_brackets() -> None:
    facts = {
        "outcome": "send-failed",
        "reason": "tcp:192.0.2.1:5060: Connection refused",
        "target": "tcp:192.0.2.1:5060",
    }
    failed = Happened(NOW_AT, "attempt", "Rejected", 503, "refused", facts)
    sent = failed._replace(facts={**facts, "outcome": "answered", "reason": "Gone"})
    *_, one, other = "".join(page("a", [failed, sent], [failed], NOW_AT)).splitlines()
    assert one.endswith("  (503)  refused  Connection refused  tcp:192.0.2.1:5060")
    assert " 503 " in other
    assert "(503)" in step(failed).text
