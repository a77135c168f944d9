"""Explanations of all options, taken from the models that define them.

Feeds `config show help` and `docs/configuration.md`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from inspect import cleandoc
from typing import Any, Final, NamedTuple

from pydantic import SecretStr

from pjreg_cli.api.configuration import ModuleHelp, OptionHelp, TypeHelp
from pjreg_cli.config.access import Access
from pjreg_cli.config.models import (
    Auth,
    Global,
    HookSettings,
    HttpSettings,
    ManagerAccount,
    ManagerSettings,
    PjregSettings,
    PrometheusSettings,
    Registration,
    Resolver,
    StatsdSettings,
    System,
    Transport,
)
from pjreg_cli.config.other_files import ClusterSettings
from pjreg_cli.config.types import OURS, Explained, Signed, explained


class _Type(NamedTuple):
    """A section type: its name, its model, and whether `type=` names it."""

    name: str
    model: type[Any]
    typed: bool = True


_MODULES: Final[tuple[tuple[str, str, tuple[_Type, ...]], ...]] = (
    (
        "res_pjsip",
        "pjsip.conf",
        (
            _Type("auth", Auth),
            _Type("global", Global),
            _Type("system", System),
            _Type("transport", Transport),
        ),
    ),
    ("res_pjsip_outbound_registration", "pjsip.conf", (_Type("registration", Registration),)),
    ("res_resolver_unbound", "resolver_unbound.conf", (_Type("general", Resolver, False),)),
    ("res_statsd", "statsd.conf", (_Type("general", StatsdSettings, False),)),
    (
        "manager",
        "manager.conf",
        (_Type("account", ManagerAccount, False), _Type("general", ManagerSettings, False)),
    ),
    ("http", "http.conf", (_Type("general", HttpSettings, False),)),
    ("res_prometheus", "prometheus.conf", (_Type("general", PrometheusSettings, False),)),
    (
        "pjreg",
        "pjreg.conf",
        (
            _Type("cluster", ClusterSettings, False),
            _Type("general", PjregSettings, False),
            _Type("hooks", HookSettings, False),
        ),
    ),
)

_SPELT: Final = {"nameservers": "nameserver", "access": "permit, deny, acl"}
_INNER: Final = {"users", "resolv_file"}
_PORTS: Final = (ManagerSettings, StatsdSettings)


@cache
def modules() -> tuple[ModuleHelp, ...]:
    """The explanations of all modules."""
    return tuple(
        ModuleHelp(name, tuple(_type_help(one) for one in types)) for name, _file, types in _MODULES
    )


def _type_help(kind: _Type) -> TypeHelp:
    synopsis, _, description = cleandoc(kind.model.__doc__ or "").partition("\n")
    options = sorted(_options(kind), key=lambda option: option.name)
    return TypeHelp(kind.name, synopsis, " ".join(description.split()), tuple(options))


def _options(kind: _Type) -> Iterator[OptionHelp]:
    if kind.typed:
        yield OptionHelp("type", f"Must be '{kind.name}'", "", "None", "")
    skipped = OURS - {"port"} if kind.model in _PORTS else OURS
    for name, field in explained(kind.model).items():
        if name not in skipped and name not in _INNER:
            yield OptionHelp(
                _SPELT.get(name, name),
                field.synopsis or "Which resolv.conf, `system` or none",
                "Without effect here." if field.inert else field.description,
                _type_name(field),
                _default(field.default),
            )


def _type_name(field: Explained) -> str:
    if field.form is bool:
        return "Boolean"
    if field.form is int:
        return "Integer" if field.hint == Signed else "Unsigned Integer"
    return "String" if field.form in (str, SecretStr) else "List"


def _default(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, SecretStr):
        return ""
    if isinstance(value, Access):
        return ""
    return ",".join(value) if isinstance(value, tuple) else str(value)


def markdown() -> str:
    """`docs/configuration.md`."""
    lines = [
        "# Options",
        "",
        "Generated from the models in `pjreg_cli/config`: change them there, then run",
        "`python -m pjreg_cli.config.help > docs/configuration.md`.",
    ]
    for (_name, file, _types), module in zip(_MODULES, modules(), strict=True):
        for kind in module.types:
            lines += ["", f"## {file}: {kind.name}", "", kind.synopsis]
            if kind.description:
                lines += ["", kind.description]
            lines += ["", "| option | type | default | meaning |", "|---|---|---|---|"]
            lines += [_row(option) for option in kind.options]
    return "\n".join(lines) + "\n"


def _row(option: OptionHelp) -> str:
    meaning = f"{option.synopsis}. {option.description}".replace("|", "\\|").strip()
    default = f"`{option.default}`" if option.default else ""
    return f"| `{option.name}` | {option.type_name} | {default} | {meaning} |"


if __name__ == "__main__":
    print(markdown(), end="")  # noqa: T201 -- this is its purpose
