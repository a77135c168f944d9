"""What `config show help` tells of modules, sections and options."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pjreg_cli.api.configuration import ModuleHelp, OptionHelp, TypeHelp
from pjreg_cli.render import json
from pjreg_cli.render.manager import paragraphs


def modules(modules: Sequence[ModuleHelp]) -> list[str]:
    """All modules, a line each."""
    names = "".join(f"\t{module.name}\n" for module in modules)
    return ["Modules whose options are explained:\n", names]


def module(module: ModuleHelp) -> list[str]:
    """The sections of a module."""
    lines = [f"{section.name:<25} -- {section.synopsis}\n" for section in module.types]
    return [f"Sections of {module.name}:\n\n", *lines]


def section(where: str, section: TypeHelp) -> Iterator[str]:
    """One section type: what it is for, and its options."""
    options = [f"{option.name:<25} -- {option.synopsis}" for option in section.options]
    yield _title("Type", where)
    yield from paragraphs(
        ("Synopsis", section.synopsis),
        ("Since", ""),
        ("Description", section.description),
        ("Config Options", "\n".join(options)),
        ("See Also", ""),
    )


def option(where: str, option: OptionHelp) -> Iterator[str]:
    """One option."""
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


def option_shape(option: OptionHelp) -> json.Shape:
    """The explanation of one option."""
    return {
        "name": option.name,
        "synopsis": option.synopsis,
        "description": option.description,
        "type": option.type_name,
        "default": option.default,
    }


def type_shape(section: TypeHelp) -> json.Shape:
    """The explanation of one section type."""
    return {
        "name": section.name,
        "synopsis": section.synopsis,
        "description": section.description,
        "options": [option_shape(option) for option in section.options],
    }


def module_shape(module: ModuleHelp) -> json.Shape:
    """The explanation of one module."""
    return {"name": module.name, "types": [type_shape(section) for section in module.types]}
