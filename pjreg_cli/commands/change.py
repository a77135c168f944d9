"""`pjreg add`, `pjreg set`, `pjreg remove`: one registration at run time, kept over a restart."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from pjreg_cli.api.asker import asker
from pjreg_cli.commands.command import (
    USAGE,
    Answer,
    Call,
    Choice,
    Command,
    Console,
    Handler,
    say,
    usage,
)
from pjreg_cli.commands.options import OptionError
from pjreg_cli.commands.pjsip import registration_names, standing
from pjreg_cli.errors import excerpt

#: options of the auth section that comes with a registration
_OF_AUTH = ("username", "password", "realm")


def _pairs(words: Sequence[str]) -> dict[str, str]:
    options = {}
    for word in words:
        key, sign, value = word.partition("=")
        if not sign:
            raise OptionError(f"'{excerpt(word)}' is no key=value")
        options[key.strip().casefold()] = value.strip()
    return options


def _changes(verb: str, done: str, fits: Callable[[int], bool]) -> Handler:
    async def run(call: Call) -> Answer:
        if not call.args or not fits(len(call.args)):
            return USAGE
        name = call.args[0]
        options = _pairs(call.args[1:])
        await call.port.instance.change(verb, name, options, asker())
        return say(f"{name} is {done}.")

    return run


def _option_names(console: Console) -> Iterator[Choice]:
    for module in console.port.configuration.help():
        for section in module.types:
            if section.name == "registration":
                for option in section.options:
                    yield Choice(f"{option.name}=", option.synopsis)
    for name in _OF_AUTH:
        yield Choice(f"{name}=", "makes an auth section beside it")


def _complete(console: Console, args: Sequence[str], partial: str) -> Iterator[Choice]:
    if not args:
        yield from registration_names(console, args, partial)
    else:
        yield from _option_names(console)


def _complete_new(console: Console, args: Sequence[str], _partial: str) -> Iterator[Choice]:
    if args:
        yield from _option_names(console)


_KEPT = (
    "It is kept in pjreg.d/registrations.conf beside pjsip.conf, so that a restart has it, and is",
    "checked as that file is: what is wrong is told, and then nothing is changed.",
)
ROWS = (
    Command(
        "pjreg add",
        usage(
            "Usage: pjreg add <registration> <key>=<value> ...",
            "Adds a registration with these options, and registers it.  With username and",
            "password it gets an auth section of its own.",
            *_KEPT,
        ),
        "Add a registration",
        _changes("add", "added", lambda count: count > 1),
        _complete_new,
    ),
    Command(
        "pjreg set",
        usage(
            "Usage: pjreg set <registration> <key>=<value> ...",
            "Changes options of a registration that was added by pjreg add.",
            *_KEPT,
        ),
        "Change a registration that was added",
        _changes("set", "changed", lambda count: count > 1),
        _complete,
        describe=standing,
    ),
    Command(
        "pjreg remove",
        usage(
            "Usage: pjreg remove <registration>",
            "Unregisters a registration that was added by pjreg add, and forgets it.",
        ),
        "Remove a registration that was added",
        _changes("remove", "removed", lambda count: count == 1),
        registration_names,
        describe=standing,
    ),
)
