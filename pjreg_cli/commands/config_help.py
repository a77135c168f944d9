"""`config show help`: what modules, sections and options are for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from pjreg_cli.api.configuration import ModuleHelp, OptionHelp, TypeHelp
from pjreg_cli.commands.command import (
    USAGE,
    Answer,
    Call,
    Choice,
    Command,
    Console,
    absent,
    tell,
    usage,
)
from pjreg_cli.render import config_help, json


def _help(call: Call) -> Answer:
    if len(call.args) > 3:
        return USAGE
    modules = call.port.configuration.help()
    if not call.args:
        return tell(modules, config_help.modules, json.each(config_help.module_shape))
    module = _named(modules, call.args[0])
    if module is None:
        name = call.args[0]
        return absent(f"Module {name} not found or has no config XML documentation.")
    if len(call.args) == 1:
        return tell(module, config_help.module, json.whole(config_help.module_shape))
    section = _named(module.types, call.args[1])
    if section is None:
        return absent(f"Unknown configuration type {call.args[1]}")
    if len(call.args) == 2:
        name = f"{module.name}:{section.name}"
        return tell(
            section,
            lambda told: config_help.section(name, told),
            json.whole(config_help.type_shape),
        )
    option = _named(section.options, call.args[2])
    if option is None:
        where = f"{module.name}:{section.name}"
        return absent(f"No option {call.args[2]} found for {where}")
    name = f"{module.name}:{section.name}:{option.name}"
    return tell(
        option, lambda told: config_help.option(name, told), json.whole(config_help.option_shape)
    )


_Help = TypeVar("_Help", ModuleHelp, TypeHelp, OptionHelp)


def _named(things: Iterable[_Help], name: str) -> _Help | None:
    wanted = name.casefold()
    return next((thing for thing in things if thing.name.casefold() == wanted), None)


def _complete(console: Console, args: Sequence[str], _partial: str) -> Iterator[Choice]:
    """Modules, then sections of one, then options of one."""
    things: Sequence[ModuleHelp | TypeHelp | OptionHelp] = console.port.configuration.help()
    for word in args:
        found = next((thing for thing in things if thing.name == word), None)
        match found:
            case ModuleHelp():
                things = found.types
            case TypeHelp():
                things = found.options
            case _:
                return
    for thing in things:
        yield Choice(thing.name, "" if isinstance(thing, ModuleHelp) else thing.synopsis)


ROWS = (
    Command(
        "config show help",
        usage(
            "Usage: config show help [<module> [<type> [<option>]]]",
            "Explains what a module can be told in its configuration file: its sections,",
            "the options of one, or a single option with its default.",
        ),
        "Explain sections and options of configuration files",
        _help,
        _complete,
    ),
)
