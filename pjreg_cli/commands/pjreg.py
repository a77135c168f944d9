"""The commands Asterisk does not have: why, what if, is it right."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pjreg_cli.api.configuration import Level
from pjreg_cli.commands import status
from pjreg_cli.commands.command import (
    USAGE,
    Answer,
    Call,
    Choice,
    Command,
    Console,
    Verdict,
    failed,
    usage,
)
from pjreg_cli.render import evidence, json


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


def _timing(_call: Call) -> Answer:
    """Consoles do it themselves."""
    return failed("Only a console can tell how long a command took.")


ROWS = (
    Command(
        "pjreg timing {on|off}",
        usage(
            "Usage: pjreg timing {on|off}",
            "Has this console tell behind every command how long it took.",
        ),
        "Tell how long each command took",
        _timing,
        interactive=True,
        client=True,
    ),
    status.ROW,
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
