"""The files beside pjsip.conf: sections to settings.

They are read forgivingly: an option that is unknown or cannot be understood is a problem, and its
default counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from pjreg_cli.api.configuration import Level, Problem
from pjreg_cli.config.build import LOWER, nearest
from pjreg_cli.config.companions import (
    ConsoleSettings,
    ManagerAccount,
    ManagerSettings,
    PjregSettings,
    Resolver,
    StatsdSettings,
)
from pjreg_cli.config.reader import Document, Entry, Section
from pjreg_cli.config.types import TRUE, network
from pjreg_cli.errors import excerpt
from pjreg_cli.sip.address import split_host_port

T = TypeVar("T", ManagerAccount, ManagerSettings, PjregSettings, Resolver, StatsdSettings)
Problems = list[Problem]

# what Asterisk knows besides and has no meaning here
_PASSED_OVER: Mapping[str, frozenset[str]] = {
    "manager.conf": frozenset(
        {
            "httptimeout", "channelvars", "brokeneventsaction", "allowmultiplelogin", "debug",
            "block-sockets", "tlscipher", "tlsdisablev1", "tlsdisablev11", "tlsdisablev12",
            "eventfilter", "broken_events_action", "webmanager", "preferred_codec_only",
        }
    ),
    "resolver_unbound.conf": frozenset({"debug", "ta_file"}),
}  # fmt: skip
_META = frozenset({"name", "source", "users", "acl", "resolv_file"})


def manager(document: Document) -> tuple[ManagerSettings, Problems]:
    """manager.conf: `[general]`, and an account for each other section."""
    problems: Problems = []
    general = _merged(document, "general")
    values = _values(general)
    if "bindaddr" in values:
        values["bindaddr"] = values["bindaddr"].strip("[]")
    settings = _settings(ManagerSettings, general, values, problems, "manager.conf")
    names: dict[str, str] = {}
    for section in document.sections:
        if not section.template and section.name.lower() != "general":
            names.setdefault(section.name.lower(), section.name)
    users = tuple(_account(_merged(document, name), settings, problems) for name in names.values())
    return _with(ManagerSettings, settings, users=users), problems


def _account(section: Section, general: ManagerSettings, problems: Problems) -> ManagerAccount:
    values = _values(section)
    values["name"] = section.name
    values.setdefault("displayconnects", general.displayconnects)
    values.setdefault("allowmultiplelogin", general.allowmultiplelogin)
    if "setvar" in values:
        values["setvar"] = tuple(entry[1] for entry in section.all("setvar"))
    values["eventfilter"] = _filters(section, values)
    rules = []
    for entry in section.entries:
        sense = LOWER[entry[0]]
        if sense in ("permit", "deny"):
            values.pop(sense, None)
            rules += _rules(entry, sense == "permit", problems)
    values["acl"] = tuple(rules)
    return _settings(ManagerAccount, section, values, problems, "manager.conf")


def _filters(section: Section, values: dict[str, Any]) -> tuple[str, ...]:
    """Each eventfilter; one with criteria in its name, `eventfilter(name(X))`, as a whole line."""
    filters = []
    for name, text, *_ in section.entries:
        key = LOWER[name]
        if key == "eventfilter":
            filters.append(text)
        elif key.startswith("eventfilter("):
            filters.append(f"{name} = {text}")
            values.pop(key, None)
    return tuple(filters)


def _rules(entry: Entry, permit: bool, problems: Problems) -> list[tuple[bool, Any]]:
    """The networks of a `permit` or `deny` line; `!` before one turns it round."""
    rules = []
    for part in entry[1].split(","):
        text = part.strip()
        try:
            rules.append((permit is not text.startswith("!"), network(text.removeprefix("!"))))
        except ValueError as error:
            problems.append(Problem(entry[3], entry[2], Level.ERROR, f"{entry[0]}: {error}"))
    return rules


def statsd(document: Document) -> tuple[StatsdSettings, Problems]:
    """statsd.conf: `server` may carry the port."""
    problems: Problems = []
    general = _merged(document, "general")
    values = _values(general)
    server = values.get("server", "")
    if server:
        values["server"], port = split_host_port(server) or (server, "")
        if port:
            values["port"] = port
    return _settings(StatsdSettings, general, values, problems, "statsd.conf"), problems


def resolver(document: Document) -> tuple[Resolver, Problems]:
    """resolver_unbound.conf: `nameserver` several times, `resolv` and `hosts` a path or system."""
    problems: Problems = []
    general = _merged(document, "general")
    values = _values(general)
    if "nameserver" in values:
        values.pop("nameserver")
        values["nameservers"] = [entry[1] for entry in general.all("nameserver")]
    if "resolv" in values:
        path = values["resolv"]
        values["resolv"] = bool(path)
        if path not in ("", "system"):
            values["resolv_file"] = path
    made = _settings(Resolver, general, values, problems, "resolver_unbound.conf")
    return made, problems


def pjreg(document: Document) -> tuple[PjregSettings, Problems]:
    """pjreg.conf: one section, `[general]`."""
    problems: Problems = []
    general = _merged(document, "general")
    return _settings(PjregSettings, general, _values(general), problems, "pjreg.conf"), problems


def console(
    old: ConsoleSettings, aliases: Document | None, start: Document | None
) -> ConsoleSettings:
    """cli_aliases.conf and the startup commands of cli.conf; None: that file has not changed."""
    return ConsoleSettings(
        aliases=old.aliases if aliases is None else _aliases(aliases),
        startup_commands=old.startup_commands if start is None else _commands(start),
    )


def _aliases(document: Document) -> Mapping[str, str]:
    """The aliases of all templates in use; the first of one name counts."""
    found: dict[str, str] = {}
    seen: set[str] = set()
    for template in _merged(document, "general").all("template"):
        for key, value, _line, _path in _merged(document, template[1]).entries:
            alias = " ".join(key.split())
            if alias.lower() not in seen:
                seen.add(alias.lower())
                found[alias] = value
    return MappingProxyType(found)


def _commands(document: Document) -> tuple[str, ...]:
    return tuple(
        key
        for key, value, _line, _path in _merged(document, "startup_commands").entries
        if value.lower() in TRUE
    )


# -- common -----------------------------------------------------------------------------------


def _merged(document: Document, name: str) -> Section:
    """All sections of one name as one, letter case ignored; an empty one without any."""
    same = [s for s in document.sections if not s.template and s.name.lower() == name.lower()]
    if not same:
        return Section(name, "", 0)
    entries = [entry for section in same for entry in section.entries]
    return Section(same[0].name, same[0].path, same[0].line, entries=entries)


def _values(section: Section) -> dict[str, Any]:
    return {LOWER[entry[0]]: entry[1] for entry in section.entries}


def _settings(
    model: type[T], section: Section, values: dict[str, Any], problems: Problems, file: str
) -> T:
    """Make settings; what is wrong is left out and said."""
    validate = TypeAdapter(model).validator.validate_python
    for known in _PASSED_OVER.get(file, frozenset()) - _options(model):
        values.pop(known, None)
    values["source"] = f"{section.path}:{section.line}" if section.path else ""
    try:
        made: T = validate(values)
    except ValidationError as error:
        for option in dict.fromkeys(str(one["loc"][0]) for one in error.errors()):
            values.pop(option, None)
            problems.append(_problem(section, option, model))
        made = validate(values)
    return made


def _options(model: type[Any]) -> frozenset[str]:
    return frozenset(model.__dataclass_fields__)


def _problem(section: Section, option: str, model: type[Any]) -> Problem:
    entry = section.last({"nameservers": "nameserver"}.get(option, option))
    line, path = (entry[2], entry[3]) if entry else (section.line, section.path)
    if option in _options(model) - _META:
        what = f"{option} cannot be understood and its default counts"
    else:
        near = nearest(option, _options(model) - _META)
        what = f"unknown option '{excerpt(option)}'" + (f", did you mean '{near}'?" if near else "")
    return Problem(path, line, Level.WARNING, f"[{excerpt(section.name)}] {what}")


def _with(model: type[T], settings: T, **changes: Any) -> T:
    """The same settings with some fields changed; `dataclasses.replace` would validate texts."""
    values = {name: getattr(settings, name) for name in _options(model)}
    return model(**(values | changes))
