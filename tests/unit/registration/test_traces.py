"""Whole lives of registrations: `fixtures/traces/*.events` beside what came of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pjreg_cli.registration.machine import react
from pjreg_cli.registration.state import (
    AuthReloaded,
    Drop,
    Effect,
    Event,
    Outcome,
    Policy,
    Publish,
    Remove,
    SendRegister,
    Start,
    State,
    TransportClosed,
    Unregister,
    Wake,
)
from tests.support.golden import FIXTURES, Golden

TRACES = FIXTURES / "traces"


def number(text: str) -> float:
    return float(text) if "." in text else int(text)


def options(words: list[str]) -> dict[str, float | bool]:
    """`retry_after_s=5 stale` as keyword arguments."""
    pairs = (word.partition("=") for word in words)
    return {name: number(value) if equals else True for name, equals, value in pairs}


def event(words: list[str]) -> Event:
    """`503 target_left`, `wake`, `start 3` ... as an event."""
    name, *rest = words
    match name:
        case "start":
            return Start(float(rest[0]))
        case "wake":
            return Wake()
        case "unregister":
            return Unregister()
        case "closed":
            return TransportClosed(float(rest[0]) if rest else 0.0)
        case "auth-reloaded":
            return AuthReloaded(float(rest[0]))
        case "remove":
            return Remove()
    known = set(Outcome._fields)
    given = options(rest)
    assert given.keys() <= known, words
    return Outcome(int(name), **given)  # type: ignore[arg-type]  # options of the named fields


def instant(at: float | None) -> str:
    return "-" if at is None else f"{at:g}"


def shown(effect: Effect) -> str:
    match effect:
        case Publish():
            return f"settled by '{effect.rule}'"
        case Drop():
            return "dropped"
        case SendRegister():
            why = f"'{effect.rule}': " if effect.rule else ""
            kind = f"REGISTER {effect.expires_s}" if effect.expires_s else "unregister"
            extra = " with credentials" * effect.credentials + " with agreement" * effect.agreement
            return f"{why}{kind} to {effect.hop.value} target{extra}"


def summary(state: State) -> str:
    flags = [name for name in ("leaving", "register_due", "unregister_due") if getattr(state, name)]
    flight = [f"{state.in_flight.value} in flight"] if state.in_flight else []
    return ", ".join(
        [
            state.status.value,
            f"retries {state.retries}",
            f"wake {instant(state.wake_at)}",
            f"next attempt {instant(state.next_attempt_at)}",
            *flight,
            *flags,
        ]
    )


def trace(lines: list[str]) -> Iterator[str]:
    """What becomes of the events: each line, its effects, the state after it."""
    policy, state = Policy(), State()
    for line in lines:
        yield line
        words = line.partition("#")[0].split()
        if not words:
            continue
        if words[0] == "policy":
            policy = Policy(**options(words[1:]))  # type: ignore[arg-type]
            continue
        state, effects = react(state, event(words[1:]), policy, number(words[0]))
        yield from (f"        {shown(effect)}" for effect in effects)
        yield f"        = {summary(state)}"


@pytest.mark.parametrize("path", sorted(TRACES.glob("*.events")), ids=lambda path: path.stem)
def test_life_goes_as_written(path: Path, golden: Golden) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    golden.check(path.with_suffix(".trace"), "\n".join(trace(lines)) + "\n")


def test_there_are_traces() -> None:
    assert len(list(TRACES.glob("*.events"))) >= 8
