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
from pjreg_cli.render import json
from pjreg_cli.render.manager import paragraphs


def _help(call: Call) -> Answer:
    if len(call.args) > 3:
        return USAGE
    modules = call.port.configuration.help()
    if not call.args:
        return tell(modules, _all_text, json.each(json.module_help))
    module = _named(modules, call.args[0])
    if module is None:
        name = call.args[0]
        return absent(f"Module {name} not found or has no config XML documentation.")
    if len(call.args) == 1:
        return tell(module, _module_text, json.whole(json.module_help))
    section = _named(module.types, call.args[1])
    if section is None:
        return absent(f"Unknown configuration type {call.args[1]}")
    if len(call.args) == 2:
        name = f"{module.name}:{section.name}"
        return tell(section, lambda told: _type_text(name, told), json.whole(json.type_help))
    option = _named(section.options, call.args[2])
    if option is None:
        where = f"{module.name}:{section.name}"
        return absent(f"No option {call.args[2]} found for {where}")
    name = f"{module.name}:{section.name}:{option.name}"
    return tell(option, lambda told: _option_text(name, told), json.whole(json.option_help))


_Help = TypeVar("_Help", ModuleHelp, TypeHelp, OptionHelp)


def _named(things: Iterable[_Help], name: str) -> _Help | None:
    wanted = name.casefold()
    return next((thing for thing in things if thing.name.casefold() == wanted), None)


def _all_text(modules: Sequence[ModuleHelp]) -> list[str]:
    names = "".join(f"\t{module.name}\n" for module in modules)
    return ["Modules whose options are explained:\n", names]


def _module_text(module: ModuleHelp) -> list[str]:
    lines = [f"{section.name:<25} -- {section.synopsis}\n" for section in module.types]
    return [f"Sections of {module.name}:\n\n", *lines]


def _type_text(where: str, section: TypeHelp) -> Iterator[str]:
    options = [f"{option.name:<25} -- {option.synopsis}" for option in section.options]
    yield _title("Type", where)
    yield from paragraphs(
        ("Synopsis", section.synopsis),
        ("Since", ""),
        ("Description", section.description),
        ("Config Options", "\n".join(options)),
        ("See Also", ""),
    )


def _option_text(where: str, option: OptionHelp) -> Iterator[str]:
    default = option.default or "n/a"
    syntax = f"{option.name} = [{option.type_name}] (Default: {default}) (Regex: false)"
    yield _title("Option", where)
    yield from paragraphs(
        ("Synopsis", option.synopsis),
        ("Since", ""),
        ("Description", option.description),
        ("Syntax", syntax),
        ("See Also", ""),
    )


def _title(what: str, where: str) -> str:
    # origin: in colour even where nobody sees it; here a pipe gets plain text
    return f"\n  -= Info about Config {what} '{where}' =-\n\n"


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
