"""The commands Asterisk does not have: explanations, plans, checks, history, waiting."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from pjreg_cli.api.configuration import Level, Problem
from pjreg_cli.commands import change, status, wait
from pjreg_cli.commands.command import (
    USAGE,
    Answer,
    Call,
    Choice,
    Command,
    Console,
    Verdict,
    failed,
    tell,
    usage,
)
from pjreg_cli.commands.program import module_names
from pjreg_cli.render import evidence, facts, json


def is_bad(problem: Problem, strict: bool) -> bool:
    """Whether a problem makes `check` fail: errors, with `strict` also warnings, never notes."""
    return problem.level is Level.ERROR or (strict and problem.level is Level.WARNING)


async def _plan(call: Call) -> Answer:
    if call.args:
        return USAGE
    steps = await call.port.configuration.plan()
    text = partial(evidence.plan, terminal=call.console.width)
    return tell(steps, text, json.each(evidence.planned_shape))


async def _reload(call: Call) -> Answer:
    reports = await call.port.instance.reload(call.args)
    refused = any(step.action == "refused" for one in reports for step in one.steps)
    good = all(one.ok for one in reports) and not refused
    verdict = Verdict.DONE if good else Verdict.NEGATIVE
    text = partial(evidence.reloaded, terminal=call.console.width)
    return tell(reports, text, json.whole(evidence.reloaded_shape), verdict)


async def _check(call: Call) -> Answer:
    strict = [word.casefold() for word in call.args] == ["strict"]
    if call.args and not strict:
        return USAGE
    problems = await call.port.configuration.problems()
    bad = any(is_bad(problem, strict) for problem in problems)
    verdict = Verdict.NEGATIVE if bad else Verdict.DONE
    return tell(problems, evidence.problems, json.each(evidence.problem_shape), verdict)


def _counters(call: Call) -> Answer:
    if call.args:
        return USAGE
    counts = call.port.instance.counters()
    text = partial(facts.counters, terminal=call.console.width)
    return tell(counts, text, json.each(facts.count_shape))


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
    *change.ROWS,
    wait.ROW,
    Command(
        "pjreg reload plan",
        usage(
            "Usage: pjreg reload plan",
            "Reads the files as they are now and tells what a reload would do to each",
            "registration, transport and file, and because of which option.  Nothing is touched.",
        ),
        "What a reload would do",
        _plan,
    ),
    Command(
        "pjreg reload",
        usage(
            "Usage: pjreg reload [module ...]",
            "Reads the files of the modules named again, or everything if none is named, and tells",
            "what that did and what of it failed.",
        ),
        "Reload, and say what that did",
        _reload,
        module_names,
    ),
    Command(
        "pjreg show counters",
        usage(
            "Usage: pjreg show counters",
            "Lists what the instance has counted since its start: faults that were contained,",
            "lines and messages that were lost, and more.  All is well where nothing is lost",
            "and nothing has failed.",
        ),
        "What was counted: faults, losses, and more",
        _counters,
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
