"""The commands Asterisk does not have: why, what if, is it right."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pjreg_cli.api.configuration import Level
from pjreg_cli.commands.command import (
    USAGE,
    Answer,
    Call,
    Choice,
    Command,
    Console,
    Verdict,
    absent,
    usage,
)
from pjreg_cli.commands.pjsip import registration_names, standing
from pjreg_cli.render import evidence, json


def _status(call: Call) -> Answer:
    if len(call.args) > 1:
        return USAGE
    registrations = call.port.registrations
    now_at = call.port.instance.view().now_at
    if not call.args:
        views = registrations.views()
        if call.json:
            return Answer(json.array(json.status(view, now_at) for view in views), json=True)
        return Answer(evidence.status(views))
    view = registrations.view(call.args[0])
    if view is None:
        return absent(f"Unable to find object {call.args[0]}.", "")
    if call.json:
        return Answer(json.document(json.status(view, now_at)), json=True)
    return Answer(evidence.one(view))


async def _plan(call: Call) -> Answer:
    if call.args:
        return USAGE
    steps = await call.port.configuration.plan()
    if call.json:
        return Answer(json.array(map(json.planned, steps)), json=True)
    return Answer(evidence.plan(steps))


async def _check(call: Call) -> Answer:
    strict = [word.casefold() for word in call.args] == ["strict"]
    if call.args and not strict:
        return USAGE
    problems = await call.port.configuration.problems()
    bad = any(strict or problem.level is Level.ERROR for problem in problems)
    verdict = Verdict.NEGATIVE if bad else Verdict.DONE
    if call.json:
        return Answer(json.array(map(json.problem, problems)), verdict, json=True)
    return Answer(evidence.problems(problems), verdict)


def _check_words(_console: Console, args: Sequence[str], _partial: str) -> Iterator[Choice]:
    if not args:
        yield Choice("strict", "warnings count as errors")


ROWS = (
    Command(
        "pjreg status",
        usage(
            "Usage: pjreg status [<registration>]",
            "Tells for every registration, or in full for one, how it stands and why: what the",
            "registrar last answered, from where, which rule of the retry policy decided, and",
            "when the next attempt is due.",
        ),
        "How registrations stand, and why",
        _status,
        registration_names,
        describe=standing,
    ),
    Command(
        "pjreg reload plan",
        usage(
            "Usage: pjreg reload plan",
            "Reads the files as they are now and tells what a reload would do to each",
            "registration, and because of which option.  Nothing is touched.",
        ),
        "What a reload would do",
        _plan,
    ),
    Command(
        "pjreg check",
        usage(
            "Usage: pjreg check [strict]",
            "Reads the files as they are now and lists what is wrong with them, as",
            "file:line: error|warning: message.  With strict, warnings count as errors.",
        ),
        "What is wrong with the configuration",
        _check,
        _check_words,
    ),
)
