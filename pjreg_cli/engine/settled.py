"""What attempts leave behind: their evidence, and their lines in the log."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from pjreg_cli.api.findings import Brief
from pjreg_cli.api.notices import Settled
from pjreg_cli.config.secrets import masked_uri
from pjreg_cli.levels import ERROR, MACHINERY, NOTICE, STEPS, VERBOSE, WARNING, WAYS
from pjreg_cli.registration.state import Cause, Flight, Status
from pjreg_cli.sip.contacts import Seen, seen

if TYPE_CHECKING:
    from pjreg_cli.api.registrations import Evidence
    from pjreg_cli.engine.entry import Attempt, Entry
    from pjreg_cli.registration.state import Event, Outcome, Publish, SendRegister
    from pjreg_cli.sip.locate import Target

_log = logging.getLogger("pjreg_cli.engine")

#: characters of a reason phrase that are kept
_LONGEST_REASON = 200
ANSWERED = Cause.ANSWERED.value
REGISTERED = Status.REGISTERED.word
_REGISTER = Flight.REGISTER.value
_MINUTE_S = 60
_HOUR_S = 3600
_DAY_S = 86_400


class Course(NamedTuple):
    """What an attempt was like, but for its instants and whose credentials it used: the same object
    for all of whom it is true, which nearly always is most of a fleet."""

    method: str
    """These are as in `Evidence`, in the same order."""
    code: int
    reason: str
    cause: str
    rule: str
    target: str
    received: str
    granted_s: int | None
    contact_missing: bool
    steps: tuple[object, ...]
    """Of each request flow, number of sends, whose credentials it carried (True: those of its
    `Record`), what was heard, trouble, and where else the answer came from."""


def course_of(attempt: Attempt, outcome: Outcome, published: Publish) -> Course:
    """What an attempt was like that has just settled."""
    response = attempt.response
    return _course(
        published.flight.value,
        outcome.code,
        as_text(attempt.reason[:_LONGEST_REASON]),
        outcome.cause.value,
        published.rule,
        as_text(attempt.target or ""),
        as_text(seen(response)) if response is not None else "",
        outcome.granted_s,
        outcome.code < 300 and attempt.missing,
        attempt.steps,
    )


_course = lru_cache(maxsize=1024)(Course)


@lru_cache(maxsize=1024)
def as_text(value: str | Target | Seen) -> str:
    """`value` as text, the same object every time: a fleet hears mostly the same."""
    return str(value)


def unexplained(_entry: Entry) -> Brief:
    """What is found where nobody finds out."""
    return Brief("", "")


class Why:
    """Finds out why a registration stands as it does when somebody asks, and only once."""

    __slots__ = ("_ask", "_entry", "_found")

    def __init__(self, ask: Callable[[Entry], Brief], entry: Entry) -> None:
        self._ask, self._entry = ask, entry
        self._found: Brief | None = None

    def __call__(self) -> Brief:
        if self._found is None:
            self._found = self._ask(self._entry)
        return self._found


def notice(
    entry: Entry,
    evidence: Evidence,
    old_word: str,
    next_s: int,
    why: Callable[[], Brief],
    reveal: bool,
) -> Settled:
    """What listeners are told; passwords inside URIs are masked unless `reveal`."""
    settings = entry.settings
    client_uri, server_uri = settings.client_uri, settings.server_uri
    # in the order of the fields: a call by their names takes twice as long
    return Settled(
        entry.name,
        client_uri if entry.open_uris else masked_uri(client_uri, reveal),
        server_uri if entry.open_uris else masked_uri(server_uri, reveal),
        entry.word,
        old_word,
        evidence,
        entry.attempts,
        next_s,
        why,
    )


def log(
    entry: Entry, evidence: Evidence, change: str | None, next_s: int, why: Callable[[], Brief]
) -> None:
    """Log what has just settled: a change of state is a notice, a failure a warning, that nothing
    more is tried an error, and what only goes on as before is for those who want to follow.
    `change` is what `Record.turned` says of another word, None where it is as it was."""
    good = 200 <= evidence.code < 300 and evidence.granted_s != 0
    if good and change is None and not _log.isEnabledFor(VERBOSE):
        return  # what happens all the time
    idle = _is_idle(entry)
    bad = ERROR if idle and evidence.method == _REGISTER else WARNING
    if change is not None:
        level = NOTICE if good and not evidence.contact_missing else bad
        word = f"{entry.word}{change}"
    else:
        level = VERBOSE if good else bad
        word = f"still {entry.word}"
    if not _log.isEnabledFor(level):
        return
    facts = _facts(
        evidence.method,
        evidence.code,
        evidence.reason,
        evidence.cause,
        evidence.rule,
        evidence.target,
        evidence.granted_s,
        evidence.contact_missing,
        None if idle else next_s,
    )
    if good:
        _say(level, "%s: %s: %s", entry.name, word, facts)
    else:
        _say(level, "%s: %s: %s; %s: %s", entry.name, word, facts, *why())


def _say(level: int, text: str, *values: str) -> None:
    """Log a line of a level that is wanted: `Logger.log` would ask once more."""
    _log.handle(_log.makeRecord(_log.name, level, "", 0, text, values, None))


def note_targets(entry: Entry, targets: Sequence[Target]) -> None:
    """Log where an attempt may go."""
    if _log.isEnabledFor(WAYS):
        _log.log(WAYS, "%s: targets: %s", entry.name, ", ".join(map(str, targets)))


def note_request(entry: Entry, effect: SendRegister, target: Target) -> None:
    """Log a request that is about to be sent, and the rule that wants it."""
    if not _log.isEnabledFor(STEPS):
        return
    order = "register" if effect.expires_s else "unregister"
    rule = effect.rule or "begins"
    _log.log(STEPS, "%s: %s to %s, CSeq %d: %s", entry.name, order, target, entry.cseq, rule)


def note(entry: Entry, event: Event) -> None:
    """Log a step of a registration, for those who look for faults."""
    _log.log(MACHINERY, "%s: %s makes it %s", entry.name, event, entry.state)


# most of a fleet has the same to tell
@lru_cache(maxsize=256)
def _facts(
    method: str,
    code: int,
    reason: str,
    cause: str,
    rule: str,
    target: str,
    granted_s: int | None,
    contact_missing: bool,
    next_s: int | None,
) -> str:
    then = "no further attempt" if next_s is None else f"next attempt in {next_s} s"
    if cause == ANSWERED:
        answer = f"{method}: {code} {reason}".rstrip()
    else:  # the code is ours, and nobody has sent it
        answer = f"{method}: {cause} ({code}): {reason}"
    granted = f" for {granted_s} s" if granted_s else ""
    if contact_missing:
        granted += ", with bindings of others only: calls may not arrive"
    told = not target or reason.startswith(target)
    by = "" if told else f" by {target}"
    return f"{answer}{granted}{by}; {then} (rule {rule})"


def _is_idle(entry: Entry) -> bool:
    """Nothing is on its way and nothing is due."""
    return entry.state.wake_at is None and entry.state.in_flight is None


def duration(seconds: float) -> str:
    """A time as people say it: `12 s`, `4 min`, `3 h 5 min`, `2 d 3 h`."""
    whole = max(0, round(seconds))
    if whole < _MINUTE_S:
        return f"{whole} s"
    if whole < _HOUR_S:
        return f"{whole // _MINUTE_S} min"
    if whole < _DAY_S:
        return _pair(whole // _HOUR_S, "h", whole % _HOUR_S // _MINUTE_S, "min")
    return _pair(whole // _DAY_S, "d", whole % _DAY_S // _HOUR_S, "h")


def _pair(number: int, unit: str, rest: int, smaller: str) -> str:
    return f"{number} {unit} {rest} {smaller}" if rest else f"{number} {unit}"
