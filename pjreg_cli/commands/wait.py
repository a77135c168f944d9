"""`pjreg wait`: for scripts that go on once a registration stands as it should."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pjreg_cli.commands.command import (
    USAGE,
    Answer,
    Call,
    Choice,
    Command,
    Console,
    Verdict,
    absent,
    tell,
    usage,
)
from pjreg_cli.commands.options import OptionError, offered, told_apart
from pjreg_cli.commands.pjsip import perhaps, registration_names, standing
from pjreg_cli.render import json

_ALL = "*all"
_FLAGS = {
    "--registered": "until it is Registered (the default)",
    "--unregistered": "until it is not Registered any more",
}
_VALUES = {"--timeout": "seconds, 30 unless told otherwise"}
_TIMEOUT_S = 30.0
_LONGEST_S = 3600.0


async def _wait(call: Call) -> Answer:
    given = told_apart(call.args, _FLAGS, _VALUES)
    if len(given.words) != 1:
        return USAGE
    if len(given.flags) > 1:
        raise OptionError("--registered and --unregistered exclude each other")
    within_s = given.number("--timeout", _TIMEOUT_S, _LONGEST_S)
    name, wanted = given.words[0], "--unregistered" not in given.flags
    known = call.port.registrations
    if name != _ALL and known.row(name) is None:
        return absent(f"Unable to find object {name}.", "", *perhaps(call))

    def others() -> list[str]:
        """Those that do not stand as they should."""
        rows = known.rows() if name == _ALL else filter(None, [known.row(name)])
        return [row.name for row in rows if (row.word == "Registered") is not wanted]

    def reached() -> bool:
        if name != _ALL:
            view = known.view(name)
            # what was asked for a moment ago and is under way still counts as not come true
            return not others() and (view is None or view.under_way is None)
        counted = known.count()
        registered = counted.get("Registered", 0)
        return registered == (sum(counted.values()) if wanted else 0)

    done = await call.port.notices.until(reached, within_s)
    left = [] if done else others()
    verdict = Verdict.NEGATIVE if left else Verdict.DONE
    return tell(
        left,
        lambda those: _told(those, wanted, within_s),
        lambda those: json.document({"reached": not those, "others": those}),
        verdict,
    )


def _told(left: Sequence[str], wanted: bool, within_s: float) -> Iterator[str]:
    state = "not Registered" if wanted else "still Registered"
    if left:
        shown = ", ".join(left[:10]) + (f" and {len(left) - 10:,} more" if left[10:] else "")
        yield f"After {within_s:g} s {state}: {shown}\n"


def _complete(console: Console, args: Sequence[str], partial: str) -> Iterator[Choice]:
    if not any(not word.startswith("-") for word in args):
        yield Choice(_ALL, "every registration")
        yield from registration_names(console, (), partial)
    yield from offered(args, {**_FLAGS, **_VALUES}, {"--timeout": ()})


ROW = Command(
    "pjreg wait",
    usage(
        "Usage: pjreg wait <registration>|*all [--registered|--unregistered] [--timeout <s>]",
        "Waits until a registration, or every one, is Registered (or is no more), for at most",
        "30 seconds or those given.  Exit status 0 when it is so, else 1.",
    ),
    "Wait until registrations stand as they should",
    _wait,
    _complete,
    describe=standing,
)
