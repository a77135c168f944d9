"""Everything that is wrong or probably not meant with a configuration, at once.

To the problems that reading tells (`load`), this adds what Asterisk takes without a word.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Set
from functools import cache
from pathlib import Path
from typing import Any, Final

from pjreg_cli.api.configuration import Level, Problem
from pjreg_cli.config import wizard
from pjreg_cli.config.build import kind_of
from pjreg_cli.config.call_options import TYPES
from pjreg_cli.config.load import examine
from pjreg_cli.config.models import (
    Auth,
    Global,
    HttpSettings,
    ManagerSettings,
    PjregSettings,
    PrometheusSettings,
    Registration,
    Resolver,
    StatsdSettings,
    System,
    Transport,
)
from pjreg_cli.config.problems import in_file_order
from pjreg_cli.config.reader import Document
from pjreg_cli.config.realtime import OpenRows, no_database
from pjreg_cli.config.remarks import file_of, registrations, remarks
from pjreg_cli.config.rules import bare, uri_problem
from pjreg_cli.config.secrets import SECRETS
from pjreg_cli.config.section import Entry, Section
from pjreg_cli.config.settings import Settings
from pjreg_cli.config.types import FALSE, TRUE, explained, option_names
from pjreg_cli.config.words import LOWER, meant, nearest
from pjreg_cli.errors import ConfigError, SipParseError, excerpt
from pjreg_cli.sip.uri import parse_uri

_MODELS: Final[Mapping[str, Any]] = {
    "registration": Registration,
    "auth": Auth,
    "transport": Transport,
    "global": Global,
    "system": System,
}
_BESIDE: Final[Mapping[str, Any]] = {
    "manager.conf": ManagerSettings,
    "statsd.conf": StatsdSettings,
    "resolver_unbound.conf": Resolver,
    "pjreg.conf": PjregSettings,
    "http.conf": HttpSettings,
    "prometheus.conf": PrometheusSettings,
}
_SWITCHES: Final = frozenset(
    {
        "sends_auth", "accepts_auth", "sends_registrations", "accepts_registrations",
        "sends_line_with_registrations", "has_phoneprov", "has_hint",
    }
)  # fmt: skip
_URIS: Final = frozenset(
    {
        "server_uri", "client_uri", "outbound_proxy", "contact_header_params",
        "security_mechanisms", "server_uri_pattern", "client_uri_pattern", "redirect",
    }
)  # fmt: skip
#: where a semicolon in the middle of a word is more likely meant than a comment
_WORDS: Final = frozenset({"username", "realm", "contact_user", "user_agent"})
_SEVERAL: Final = frozenset({"local_net", "password_digest", "set_var", "match", "contact"})


def check(path: Path, open_rows: OpenRows = no_database) -> list[Problem]:
    """Every problem of a configuration, in file order, tables read by `open_rows`.

    Never raises for what is in the files or for files that are not there.
    """
    try:
        settings, documents = examine(path, open_rows)
    except ConfigError as error:
        return [Problem(error.path, error.line, Level.ERROR, error.message)]
    found = list(settings.problems)
    for where, document in documents.items():
        file = file_of(where, settings.path)
        for lint in _LINTS.get(file, ()):
            found += lint(document, settings)
        found += _spellings(document, file)
        found += _cuts(document)
        found += remarks(document, file, settings)
    found += registrations(settings)
    found += _same_account(settings)
    stamps = [part.fingerprint.stamps for part in settings.parts.values()]
    return in_file_order(found, (path for read in stamps for path in read))


# -- single options ---------------------------------------------------------------------------


def _spellings(document: Document, file: str) -> Iterator[Problem]:
    """Booleans that silently mean no, numbers that silently are octal."""
    seen: set[tuple[str, int, str]] = set()
    for section in document.sections:
        model = _MODELS.get(kind_of(section)) if file == "pjsip.conf" else _BESIDE.get(file)
        for entry in section.entries:
            form = _form(model, LOWER[entry[0]], file)
            if form is None:
                continue
            # what a template says is said once, not once for each section that uses it
            if (place := (entry[3], entry[2], entry[0])) in seen:
                continue
            seen.add(place)
            if form is bool and entry[1].lower() not in TRUE | FALSE:
                yield _at(entry, f"{entry[0]}: '{excerpt(entry[1])}' is no boolean and means no")
            elif form is int and _is_octal(entry[1]):
                value = int(entry[1], 8)
                yield _at(entry, f"{entry[0]}: '{entry[1]}' is octal and means {value}")


def _form(model: Any, option: str, file: str) -> type | None:
    """Whether an option is a boolean or a number; `model` may be None."""
    if file == "pjsip_wizard.conf":
        if option in _SWITCHES:
            return bool
        prefix, _, option = option.rpartition("/")
        model = {"registration": Registration, "outbound_auth": Auth}.get(prefix)
    return _forms(model).get(option) if model is not None else None


@cache
def _forms(model: Any) -> Mapping[str, type]:
    """Which options of a model are booleans and which are numbers."""
    return {
        name: field.form for name, field in explained(model).items() if field.form in (bool, int)
    }


def _is_octal(text: str) -> bool:
    return len(text) > 1 and text[0] == "0" and set(text) <= set("01234567") and int(text, 8) > 7


def _cuts(document: Document) -> Iterator[Problem]:
    """Semicolons that begin a comment where a parameter was probably meant."""
    lines = {
        (entry[3], entry[2]): entry[0]
        for section in document.sections
        for entry in section.entries
        if LOWER[entry[0]].rpartition("/")[2] in _URIS | SECRETS | _WORDS
    }
    for path, line, text in document.cuts:
        option = lines.get((path, line))
        if option is not None and LOWER[option].rpartition("/")[2] in SECRETS:
            message = f"{option} ends at a ';' that begins a comment; '\\;' was meant?"
            yield Problem(path, line, Level.WARNING, message)
        elif option is not None and text:
            message = f"{option}: ';{excerpt(text)}' is a comment; '\\;{excerpt(text)}' was meant?"
            yield Problem(path, line, Level.WARNING, message)


# -- pjsip.conf -------------------------------------------------------------------------------


def _types(document: Document, settings: Settings) -> Iterator[Problem]:
    """Sections that nobody takes up."""
    for section in document.sections:
        if section.template:
            continue
        kind = kind_of(section)
        if kind in _MODELS or kind in TYPES:
            continue
        entry = section.last("type")
        if entry is None:
            known = any(LOWER[one[0]] in option_names(Registration) for one in section.entries)
            hint = "; a template needs '(!)' behind its name" if known else ""
            message = f"[{excerpt(section.name)}] has no type and is ignored{hint}"
            yield Problem(section.path, section.line, Level.WARNING, message)
        else:
            hint = meant(kind, {*_MODELS, *TYPES})
            message = f"[{excerpt(section.name)}] has the unknown type '{excerpt(kind)}'{hint}"
            yield _at(entry, f"{message} It is ignored" if hint else f"{message} and is ignored")


def _repeated(document: Document, settings: Settings) -> Iterator[Problem]:
    """An option that a later line of the same section overrides."""
    for section in document.sections:
        if kind_of(section) not in _MODELS:
            continue
        own: dict[str, Entry] = {}
        for entry in section.entries:
            key = LOWER[entry[0]]
            former = own.get(key)
            here = entry[3] == section.path and entry[2] > section.line
            if former is not None and here and key not in _SEVERAL:
                yield _at(former, f"{entry[0]} counts as line {entry[2]} says it, not this one")
            if here:
                own[key] = entry


def _references(document: Document, settings: Settings) -> Iterator[Problem]:
    """Auth sections and transports that a registration names in vain."""
    sections: dict[str, Section] = {}
    auths: set[str] = set()
    for section in document.sections:
        if section.template:
            continue
        kind = kind_of(section)
        if kind == "registration":
            sections.setdefault(section.name, section)
        elif kind == "auth":
            auths.add(section.name)
    for registration in settings.registrations.values():
        found = sections.get(registration.name)
        if found is None or registration.wizard:
            continue
        section = found
        yield from _auths(registration, section, auths, settings)
        name = registration.transport
        if name and name not in settings.transports:
            near = nearest(name, settings.transports)
            hint = f" (is '{near}' meant?)" if near else ""
            message = f"there is no transport '{excerpt(name)}'{hint}; the option is ignored"
            yield _blame(section, "transport", message, Level.WARNING)
        if registration.security_negotiation == "mediasec" and not registration.security_mechanisms:
            message = "mediasec without security_mechanisms has nothing to offer"
            yield _blame(section, "security_negotiation", message, Level.WARNING)


def _auths(
    registration: Registration, section: Section, present: Set[str], settings: Settings
) -> Iterator[Problem]:
    """Auth sections that cannot answer; `present` are the names of all, refused ones too."""
    for name in registration.outbound_auth:
        if name in settings.auths:
            continue
        if name in present:
            message = f"auth section '{excerpt(name)}' is refused, so it answers no challenge"
        else:
            near = nearest(name, settings.auths)
            hint = f" (is '{near}' meant?)" if near else ""
            message = f"there is no auth section '{excerpt(name)}'{hint}"
        yield _blame(section, "outbound_auth", message, Level.ERROR)


def _same_account(settings: Settings) -> Iterator[Problem]:
    """Registrations that would replace each other's binding."""
    claimed: dict[tuple[str, ...], Registration] = {}
    for registration in settings.registrations.values():
        try:
            server = parse_uri(bare(registration.server_uri))
            client = parse_uri(bare(registration.client_uri))
        except SipParseError:
            continue
        key = (
            server.host.lower(),
            str(server.port or 5060),
            client.user or "",
            client.host.lower(),
            registration.contact_user,
            registration.transport,
            str(registration.line and registration.name),
        )
        first = claimed.setdefault(key, registration)
        if first is not registration:
            path, _, line = registration.source.rpartition(":")
            message = (
                f"[{excerpt(registration.name)}] claims the same account at the same registrar as"
                f" [{excerpt(first.name)}] ({first.source})"
            )
            yield Problem(path, int(line), Level.WARNING, message)


# -- the files beside -------------------------------------------------------------------------


def _wizards(document: Document, settings: Settings) -> Iterator[Problem]:
    """Wizard sections without their type, and options no wizard has."""
    for section in document.sections:
        if section.template:
            continue
        if kind_of(section) != "wizard":
            message = f"[{excerpt(section.name)}] has no type=wizard and is ignored"
            yield Problem(section.path, section.line, Level.WARNING, message)
            continue
        for entry in section.entries:
            prefix, slash, _option = entry[0].lower().partition("/")
            if prefix not in (wizard.PREFIXES if slash else wizard.OPTIONS):
                known = {f"{one}/" for one in wizard.PREFIXES} | wizard.OPTIONS
                hint = meant(entry[0], known)
                yield _at(entry, f"unknown option '{excerpt(entry[0])}'{hint}")


def _aliases(document: Document, settings: Settings) -> Iterator[Problem]:
    names = {section.name.lower() for section in document.sections if not section.template}
    for section in document.sections:
        if section.name.lower() != "general":
            continue
        for entry in section.all("template"):
            if entry[1].lower() not in names:
                hint = meant(entry[1], names)
                yield _at(entry, f"there is no section '{excerpt(entry[1])}'{hint}")


def _redirect(document: Document, settings: Settings) -> Iterator[Problem]:
    target = settings.pjreg.redirect
    if target and uri_problem(target.replace("${USER}", "user")):
        for section in document.sections:
            if (entry := section.last("redirect")) is not None:
                message = "redirect is not a sip: or sips: URI; calls are answered with 480"
                yield _at(entry, message, Level.ERROR)


_Lint = Callable[[Document, Settings], Iterator[Problem]]
_LINTS: Final[Mapping[str, tuple[_Lint, ...]]] = {
    "pjsip.conf": (_types, _repeated, _references),
    "pjsip_wizard.conf": (_wizards,),
    "cli_aliases.conf": (_aliases,),
    "pjreg.conf": (_redirect,),
}


def _at(entry: Entry, message: str, level: Level = Level.WARNING) -> Problem:
    return Problem(entry[3], entry[2], level, message)


def _blame(section: Section, option: str, message: str, level: Level) -> Problem:
    """A problem of a section, at the line of the option that counts."""
    entry = section.last(option)
    text = f"[{excerpt(section.name)}] {option}: {message}"
    if entry is None:
        return Problem(section.path, section.line, level, text)
    return _at(entry, text, level)
