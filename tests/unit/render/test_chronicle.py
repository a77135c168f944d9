from __future__ import annotations

from pjreg_cli.api.history import Happened
from pjreg_cli.render.chronicle import Share, chronicle, flaps, shares

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
    assert "\x1b" not in "".join(chronicle("a", [event], [], NOW_AT))
