"""`config show help`: what modules, sections and options are for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from pjreg_cli.api.configuration import ModuleHelp, OptionHelp, TypeHelp
from pjreg_cli.commands.command import USAGE, Answer, Call, Choice, Command, Console, absent, usage
from pjreg_cli.render import json
from pjreg_cli.render.manager import paragraphs


def _help(call: Call) -> Answer:
    if len(call.args) > 3:
        return USAGE
    modules = call.port.configuration.help()
    if not call.args:
        return _all(call, modules)
    module = _named(modules, call.args[0])
    if module is None:
        name = call.args[0]
        return absent(f"Module {name} not found or has no config XML documentation.")
    if len(call.args) == 1:
        return _module(call, module)
    section = _named(module.types, call.args[1])
    if section is None:
        return absent(f"Unknown configuration type {call.args[1]}")
    if len(call.args) == 2:
        return _type(call, module, section)
    option = _named(section.options, call.args[2])
    if option is None:
        where = f"{module.name}:{section.name}"
        return absent(f"No option {call.args[2]} found for {where}")
    return _option(call, f"{module.name}:{section.name}:{option.name}", option)


_Help = TypeVar("_Help", ModuleHelp, TypeHelp, OptionHelp)


def _named(things: Iterable[_Help], name: str) -> _Help | None:
    wanted = name.casefold()
    return next((thing for thing in things if thing.name.casefold() == wanted), None)


def _all(call: Call, modules: Sequence[ModuleHelp]) -> Answer:
    if call.json:
        return Answer(json.array(map(json.module_help, modules)), json=True)
    names = "".join(f"\t{module.name}\n" for module in modules)
    return Answer(["Modules whose options are explained:\n", names])


def _module(call: Call, module: ModuleHelp) -> Answer:
    if call.json:
        return Answer(json.document(json.module_help(module)), json=True)
    lines = [f"{section.name:<25} -- {section.synopsis}\n" for section in module.types]
    return Answer([f"Sections of {module.name}:\n\n", *lines])


def _type(call: Call, module: ModuleHelp, section: TypeHelp) -> Answer:
    if call.json:
        return Answer(json.document(json.type_help(section)), json=True)
    return Answer(_type_text(f"{module.name}:{section.name}", section))


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


def _option(call: Call, where: str, option: OptionHelp) -> Answer:
    if call.json:
        return Answer(json.document(json.option_help(option)), json=True)
    return Answer(_option_text(where, option))


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
