"""The commands of `core`: levels, facts, the end of the instance."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from pjreg_cli.api.instance import Stop
from pjreg_cli.commands.command import (
    USAGE,
    Answer,
    Call,
    Choice,
    Command,
    Console,
    Handler,
    failed,
    say,
    tell,
    usage,
)
from pjreg_cli.commands.program import reloaded
from pjreg_cli.render import facts, json

#: a number at the start of a word, as C's scanf finds it
_NUMBER = re.compile(r"[+-]?\d+")
_NOT_RUNNING = "No instance is running."
#: levels beyond are all the same
_HIGHEST = 2**31 - 1


def level_word(level: int) -> str:
    """A level as the answers name it."""
    return str(level) if level else "OFF"


def _number(word: str) -> int | None:
    found = _NUMBER.match(word)
    return max(-_HIGHEST, min(_HIGHEST, int(found[0]))) if found else None


def _level(args: Sequence[str]) -> tuple[int | None, bool, Sequence[str]]:
    """The level asked for (None: no number), whether `atleast`, and the words behind it."""
    atleast = bool(args) and args[0].casefold() == "atleast"
    rest = args[1:] if atleast else args
    if not rest:
        return None, atleast, ()
    if not atleast and len(rest) == 1 and rest[0].casefold() == "off":
        return 0, atleast, ()
    return _number(rest[0]), atleast, rest[1:]


def _changed(what: str, old: int, new: int) -> Answer:
    if new == old:
        return say(f"{what} is still {level_word(old)}.")
    return say(f"{what} was {level_word(old)} and is now {level_word(new)}.")


def _set_verbose(call: Call) -> Answer:
    level, atleast, rest = _level(call.args)
    silent = [word.casefold() for word in rest] == ["silent"]
    if level is None or (rest and not silent):
        return USAGE
    old = call.console.verbose
    new = max(old, level) if atleast else level
    call.console.verbose = new
    return Answer() if silent else _changed("Console verbose", old, new)


def _set_debug(call: Call) -> Answer:
    level, atleast, rest = _level(call.args)
    if level is None or len(rest) > 1:
        return USAGE
    instance = call.port.instance
    if rest:
        module = rest[0]
        old = instance.module_debug(module)
        if atleast and level < old:
            return say(f"Core debug is still {old} for '{module}'.")
        instance.set_module_debug(module, level)
        return say(f"Core debug was {old} and has been set to {level} for '{module}'.")
    old = instance.view().debug
    new = max(old, level) if atleast else level
    instance.set_debug(new)
    return _changed("Core debug", old, new)


# -- facts ------------------------------------------------------------------------------------


def _show_version(call: Call) -> Answer:
    if call.args:
        return USAGE
    view = call.port.instance.view()
    return tell(view, facts.version, json.whole(facts.version_shape))


def _show_uptime(call: Call) -> Answer:
    words = [word.casefold() for word in call.args]
    if words not in ([], ["seconds"]):
        return USAGE
    view = call.port.instance.view()
    if not view.live:
        return failed(_NOT_RUNNING)
    return tell(
        view,
        lambda shown: facts.uptime(shown, seconds_only=bool(words)),
        json.whole(facts.uptime_shape),
    )


def _show_settings(call: Call) -> Answer:
    view = call.port.instance.view()
    verbose = call.console.verbose
    return tell(
        view,
        lambda shown: facts.settings(shown, verbose),
        json.whole(lambda shown: facts.settings_shape(shown, verbose)),
    )


# -- reload and stop --------------------------------------------------------------------------


async def _reload(call: Call) -> Answer:
    if call.args:
        return USAGE
    return await reloaded(call, (), named=False)


def _wait_booted(call: Call) -> Answer:
    # Whoever can ask a running instance finds it started: its socket opens last.
    if not call.port.instance.view().live:
        return failed(_NOT_RUNNING)
    return say("Asterisk has fully booted.")


def _abort(call: Call) -> Answer:
    if call.args:
        return USAGE
    call.port.instance.abort_stop()
    return Answer()


def _ending(how: Stop, restart: bool) -> Callable[[Call], Answer]:
    def run(call: Call) -> Answer:
        if call.args:
            return USAGE
        call.port.instance.stop(how, restart)
        if how is Stop.WHEN_CONVENIENT:
            return say(f"Waiting for inactivity to perform {'restart' if restart else 'halt'}")
        return Answer()

    return run


_HOW = {
    Stop.NOW: "at once; nothing is sent, so bindings live on at the registrars",
    Stop.GRACEFULLY: "once what is registered has been unregistered",
    Stop.WHEN_CONVENIENT: "as gracefully does; there are no calls to wait for",
}


def _endings(verb: str, what: str, restart: bool) -> Iterator[Command]:
    for how, explanation in _HOW.items():
        words = f"core {verb} {how.value}"
        yield Command(
            words,
            usage(f"Usage: {words}", f"{what} {explanation}."),
            f"{what} {explanation}".split(";")[0],
            _ending(how, restart),
        )


# -- completion -------------------------------------------------------------------------------


def _levels(_console: Console, args: Sequence[str], _partial: str) -> Iterator[Choice]:
    if not args:
        yield Choice("atleast", "only ever raise it")
        yield Choice("off", "say nothing")


def _uptime_words(_console: Console, args: Sequence[str], _partial: str) -> Iterator[Choice]:
    if not args:
        yield Choice("seconds", "as bare numbers")


def _row(words: str, arguments: str, summary: str, run: Handler, *lines: str) -> Command:
    return Command(words, usage(f"Usage: {words}{arguments}", *lines), summary, run)


ROWS = (
    Command(
        "core set verbose",
        usage(
            "Usage: core set verbose [atleast] <level> [silent]",
            "core set verbose off",
            "",
            "How much this console tells of what happens besides changes and troubles: 1",
            "refreshes and sessions, 2 also every request, 3 also look-ups and connections; 0 or",
            "off nothing.",
            "With atleast a higher level stays.  With silent nothing is answered.",
        ),
        "How much this console tells",
        _set_verbose,
        _levels,
    ),
    Command(
        "core set debug",
        usage(
            "Usage: core set debug [atleast] <level> [module]",
            "core set debug off",
            "",
            "How much is logged for those who look for errors: 1 what is odd, 2 also every",
            "message, 3 also every step and question; 0 or off nothing.  With a module only there:",
            "one of module show, or a part of the program: engine, net, ami, instance, metrics.",
            "With atleast a higher level stays.",
        ),
        "How much is logged for debugging",
        _set_debug,
        _levels,
    ),
    _row(
        "core show version",
        "",
        "Which program this is",
        _show_version,
        "Prints the name and the version of the program.",
    ),
    Command(
        "core show uptime",
        usage(
            "Usage: core show uptime [seconds]",
            "Tells for how long the instance has run, and how long ago it was last reloaded;",
            "with seconds as bare numbers.",
        ),
        "How long the instance has run",
        _show_uptime,
        _uptime_words,
    ),
    _row(
        "core show settings",
        "",
        "How the instance was started",
        _show_settings,
        "Prints versions, levels, times and paths of the instance.",
    ),
    _row(
        "core reload",
        "",
        "Reload everything",
        _reload,
        "Reads all configuration files again.  What did not change is left alone.",
    ),
    _row(
        "core waitfullybooted",
        "",
        "Wait until the instance has started",
        _wait_booted,
        "Answers as soon as the instance is ready for commands.",
    ),
    _row(
        "core abort shutdown",
        "",
        "Take back a stop or restart",
        _abort,
        "Takes back a stop or restart that is still waiting for something.",
    ),
    *_endings("stop", "End the instance", restart=False),
    *_endings("restart", "End the instance and start it anew", restart=True),
)
