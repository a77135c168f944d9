"""The non-INVITE client transaction: the table against the RFC's text and the origin's timing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pjreg_cli.sip.transaction import (
    RULES,
    Effect,
    Event,
    Phase,
    Transaction,
    begin,
    heard,
    react,
)


def _play(
    transaction: Transaction, events: dict[float, Event], until: float = 100.0
) -> tuple[Transaction, list[tuple[float, Effect]]]:
    """Wake it whenever it asks, feed it the events, and note what it wants done when."""
    due = sorted(events.items())
    done: list[tuple[float, Effect]] = []
    while True:
        wake_at = transaction.wake_at
        if due and (wake_at is None or due[0][0] <= wake_at):
            now, event = due.pop(0)
        elif wake_at is not None and wake_at <= until:
            now, event = wake_at, Event.WAKE
        else:
            return transaction, done
        transaction, effects = react(transaction, event, now)
        done += [(round(now, 3), effect) for effect in effects]


def _resends(done: list[tuple[float, Effect]]) -> list[float]:
    return [at for at, effect in done if effect is Effect.RESEND]


def test_without_answer_resends_double_to_four_seconds_and_end_at_32() -> None:
    transaction, done = _play(begin(0.0, reliable=False), {})
    assert _resends(done) == [0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
    assert done[-1] == (32.0, Effect.TIME_OUT)
    assert transaction.over
    assert transaction.wake_at is None


def test_after_a_provisional_resends_come_every_four_seconds() -> None:
    _, done = _play(begin(0.0, reliable=False), {0.0: Event.PROVISIONAL, 1.0: Event.PROVISIONAL})
    assert _resends(done) == [4, 8, 12, 16, 20, 24, 28]
    assert done[-1] == (32.0, Effect.TIME_OUT)


def test_timers_follow_t1_and_the_configured_end() -> None:
    _, done = _play(begin(10.0, reliable=False, t1_s=0.1, timeout_s=3.0), {})
    assert _resends(done) == [10.1, 10.3, 10.7, 11.5]
    assert done[-1] == (13.0, Effect.TIME_OUT)
    assert begin(0.0, reliable=False, t1_s=0.1).ends_at == pytest.approx(6.4)


def test_no_resend_waits_longer_than_four_seconds_even_with_a_long_t1() -> None:
    _, done = _play(begin(0.0, reliable=False, t1_s=6.0, timeout_s=13.0), {})
    assert _resends(done) == [4, 8, 12]


def test_a_reliable_transport_needs_no_resends() -> None:
    _, done = _play(begin(0.0, reliable=True), {5.0: Event.PROVISIONAL})
    assert done == [(32.0, Effect.TIME_OUT)]


def test_a_final_response_is_delivered_once_and_copies_are_absorbed() -> None:
    transaction, done = _play(
        begin(0.0, reliable=False), {0.2: Event.FINAL, 0.3: Event.FINAL, 5.1: Event.FINAL}
    )
    assert done == [(0.2, Effect.DELIVER)]
    assert (transaction.phase, transaction.rule) == (Phase.TERMINATED, "timer K")


def test_timer_k_is_five_seconds_on_udp_and_none_on_streams() -> None:
    waiting, effects = react(begin(0.0, reliable=False), Event.FINAL, 1.0)
    assert (waiting.phase, waiting.wake_at, effects) == (Phase.COMPLETED, 6.0, (Effect.DELIVER,))
    ended, effects = react(begin(0.0, reliable=True), Event.FINAL, 1.0)
    assert (ended.over, ended.wake_at, effects) == (True, None, (Effect.DELIVER,))


@pytest.mark.parametrize("reliable", [True, False])
@pytest.mark.parametrize("provisional", [True, False])
def test_a_send_failure_ends_it(reliable: bool, provisional: bool) -> None:
    transaction = begin(0.0, reliable)
    if provisional:
        transaction, _ = react(transaction, Event.PROVISIONAL, 0.0)
    transaction, effects = react(transaction, Event.SEND_FAILED, 0.1)
    assert (transaction.over, effects, transaction.rule) == (True, (Effect.FAIL,), "send failed")


def test_a_failure_after_the_answer_is_ignored() -> None:
    transaction, _ = react(begin(0.0, reliable=False), Event.FINAL, 0.1)
    after, effects = react(transaction, Event.SEND_FAILED, 0.2)
    assert (after.phase, effects, after.rule) == (Phase.COMPLETED, (), "ignored")


def test_a_wake_that_comes_early_changes_nothing() -> None:
    transaction = begin(0.0, reliable=False)
    early, effects = react(transaction, Event.WAKE, 0.4)
    assert effects == ()
    assert early == transaction._replace(rule="early")


def test_a_wake_that_comes_very_late_sends_once() -> None:
    transaction, effects = react(begin(0.0, reliable=False), Event.WAKE, 20.0)
    assert effects == (Effect.RESEND,)
    assert transaction.wake_at == 21.0


def test_the_end_goes_before_a_resend_due_at_the_same_moment() -> None:
    _, effects = react(begin(0.0, reliable=False), Event.WAKE, 32.0)
    assert effects == (Effect.TIME_OUT,)


@pytest.mark.parametrize(
    ("code", "event"),
    [
        (100, Event.PROVISIONAL),
        (199, Event.PROVISIONAL),
        (200, Event.FINAL),
        (699, Event.FINAL),
    ],
)
def test_codes_below_200_are_provisional(code: int, event: Event) -> None:
    assert heard(code) is event


_steps = st.lists(st.tuples(st.sampled_from(Event), st.floats(0, 10)), max_size=30)


@given(st.booleans(), _steps)
def test_it_never_hangs_and_tells_its_user_once(
    reliable: bool, steps: list[tuple[Event, float]]
) -> None:
    transaction, now, told = begin(0.0, reliable), 0.0, 0
    for event, pause in steps:
        now += pause
        transaction, effects = react(transaction, event, now)
        told += sum(effect is not Effect.RESEND for effect in effects)
        assert transaction.over == (transaction.wake_at is None)
        assert transaction.over or transaction.phase is Phase.COMPLETED or told == 0
        assert transaction.wake_at is None or transaction.wake_at <= max(now + 5.0, 32.0)
        assert not (reliable and Effect.RESEND in effects)
    assert told <= 1


@given(st.booleans(), _steps)
def test_woken_as_it_asks_it_always_ends(reliable: bool, steps: list[tuple[Event, float]]) -> None:
    transaction, now = begin(0.0, reliable), 0.0
    for event, pause in steps:
        now += pause
        transaction, _ = react(transaction, event, now)
    for _ in range(40):
        if transaction.wake_at is None:
            break
        transaction, _ = react(transaction, Event.WAKE, max(now, transaction.wake_at))
    assert transaction.over


def test_every_rule_is_reached() -> None:
    reached = set()
    for reliable in (True, False):
        for first in Event:
            for second in Event:
                transaction = begin(0.0, reliable)
                for event, now in ((Event.PROVISIONAL, 0.0), (first, 4.0), (second, 40.0)):
                    transaction, _ = react(transaction, event, now)
                    reached.add(transaction.rule)
                    other, _ = react(begin(0.0, reliable), event, now)
                    reached.add(other.rule)
    early, _ = react(begin(0.0, reliable=False), Event.WAKE, 0.0)
    assert reached | {early.rule} == {rule.name for rule in RULES} | {"ignored"}
