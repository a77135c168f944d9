"""What Asterisk takes without a word and what then bites: remarks for `check`."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from pjreg_cli.api.configuration import Level, Problem
from pjreg_cli.config.build import kind_of
from pjreg_cli.config.forgiving import PASSED_OVER
from pjreg_cli.config.models import (
    Auth,
    Global,
    ManagerAccount,
    ManagerSettings,
    PjregSettings,
    Registration,
    Resolver,
    StatsdSettings,
    System,
    Transport,
)
from pjreg_cli.config.reader import Document
from pjreg_cli.config.rules import bare
from pjreg_cli.config.secrets import is_secret
from pjreg_cli.config.section import Entry, Section
from pjreg_cli.config.settings import Settings
from pjreg_cli.config.types import inert_options, option_names
from pjreg_cli.config.words import LOWER, nearest
from pjreg_cli.errors import SipParseError, excerpt
from pjreg_cli.sip.uri import SipUri, parse_uri

_TYPES: Final[Mapping[str, Any]] = {
    "registration": Registration,
    "auth": Auth,
    "transport": Transport,
    "global": Global,
    "system": System,
}
_OTHERS: Final[Mapping[str, Any]] = {
    "statsd.conf": StatsdSettings,
    "resolver_unbound.conf": Resolver,
    "pjreg.conf": PjregSettings,
}
_WIZARD: Final[Mapping[str, Any]] = {"registration": Registration, "outbound_auth": Auth}
_VARIABLE: Final = re.compile(r"\$\{[^}]*\}|\{\{.*?\}\}")
#: where `${...}` means something
_PATTERNS: Final = frozenset({"server_uri_pattern", "client_uri_pattern", "contact_pattern"})
_HOST: Final = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_.])?", re.ASCII)


def remarks(document: Document, file: str, settings: Settings) -> Iterator[Problem]:
    """All of one file, each option once however many sections inherit it."""
    seen: set[tuple[str, int, str]] = set()
    for section in document.sections:
        model = _model(section, file)
        for entry in section.entries:
            if (place := (entry[3], entry[2], entry[0])) not in seen:
                seen.add(place)
                yield from _inert(entry, model, file)
                yield from _unexpanded(entry, model, file)
        if not section.template:
            yield from _of_section(section, file, settings)


def registrations(settings: Settings) -> Iterator[Problem]:
    """What is remarkable about the registrations that there are, those of wizards too."""
    for registration in settings.registrations.values():
        path, _, line = registration.source.rpartition(":")

        def say(
            text: str,
            level: Level = Level.WARNING,
            name: str = registration.name,
            place: tuple[str, int] = (path, int(line) if line.isdecimal() else 0),
        ) -> Problem:
            return Problem(*place, level, f"[{excerpt(name)}] {text}")

        if registration.max_retries == 0:
            yield say(
                "max_retries is 0, so the first failure is final;"
                " `max_retries = forever` never gives up"
            )
        server, client = _uri(registration.server_uri), _uri(registration.client_uri)
        if server is not None and server.user is not None:
            yield say(
                "server_uri has a user, which RFC 3261 section 10.2 forbids in a REGISTER;"
                " some registrars never answer one"
            )
        if client is not None and client.user and not registration.contact_user:
            user = excerpt(client.user)
            yield say(
                f"there is no contact_user, so the Contact is 's'; many providers want"
                f" `contact_user = {user}`",
                Level.NOTE,
            )
        for name in registration.outbound_auth:
            auth = settings.auths.get(name)
            if auth is not None and auth.auth_type.lower() == "google_oauth":
                yield say(
                    f"auth section '{excerpt(name)}' is google_oauth and answers nothing here"
                )


def _model(section: Section, file: str) -> Any:
    """The pydantic model of a section, None without one; `Any`: of whichever kind."""
    if file == "pjsip.conf":
        return _TYPES.get(kind_of(section))
    if file == "manager.conf":
        return ManagerSettings if section.name.lower() == "general" else ManagerAccount
    return _OTHERS.get(file)


def _inert(entry: Entry, model: Any, file: str) -> Iterator[Problem]:
    """An option that changes nothing."""
    option = LOWER[entry[0]]
    if file == "pjsip_wizard.conf":
        prefix, _, option = option.rpartition("/")
        model = _WIZARD.get(prefix)
    passed_over = option in PASSED_OVER.get(file, ()) and option not in option_names_of(model)
    if passed_over or (model is not None and option in inert_options(model)):
        yield _at(entry, f"{entry[0]} has no effect here", Level.NOTE)


@cache
def option_names_of(model: Any) -> frozenset[str]:
    """The options of a model; none without one."""
    return option_names(model) if model is not None else frozenset()


def _unexpanded(entry: Entry, model: Any, file: str) -> Iterator[Problem]:
    """Variables of a shell or of a template that nobody has filled in."""
    option = LOWER[entry[0]].rpartition("/")[2]
    if file not in ("pjsip.conf", "pjsip_wizard.conf") or option in _PATTERNS:
        return
    if file == "pjsip.conf" and model is None:
        return
    found = _VARIABLE.search(entry[1])
    if found is not None:
        what = "'${...}'" if is_secret(option) else f"'{excerpt(found[0])}'"
        yield _at(entry, f"{entry[0]}: {what} is not expanded, it counts as it stands")


def _of_section(section: Section, file: str, settings: Settings) -> Iterator[Problem]:
    kind = kind_of(section)
    if file == "pjsip.conf" and kind == "transport":
        entry = section.last("external_signaling_address")
        if entry is not None and entry[1] and not _is_host(entry[1]):
            yield _at(entry, f"{entry[0]}: '{excerpt(entry[1])}' is neither address nor host name")
    if file == "pjsip_wizard.conf" and kind == "wizard":
        yield from _wizard(section, settings)


def _wizard(section: Section, settings: Settings) -> Iterator[Problem]:
    """A wizard that leads nowhere."""
    sends = section.last("sends_registrations")
    accepts = section.last("accepts_registrations")
    if section.last("remote_hosts") is None and sends is None and accepts is None:
        message = f"[{excerpt(section.name)}] has no remote_hosts, so nothing is registered"
        yield Problem(section.path, section.line, Level.WARNING, message)
    for option in ("transport", "registration/transport"):
        entry = section.last(option)
        if entry is not None and entry[1] and entry[1] not in settings.transports:
            near = nearest(entry[1], settings.transports)
            hint = f" (is '{near}' meant?)" if near else ""
            message = f"there is no transport '{excerpt(entry[1])}'{hint}; the option is ignored"
            yield _at(entry, f"[{excerpt(section.name)}] {option}: {message}")


def _is_host(text: str) -> bool:
    try:
        ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return _HOST.fullmatch(text) is not None
    return True


def _uri(text: str) -> SipUri | None:
    try:
        return parse_uri(bare(text))
    except SipParseError:
        return None


def _at(entry: Entry, message: str, level: Level = Level.WARNING) -> Problem:
    return Problem(entry[3], entry[2], level, message)


def file_of(path: str, main: Path) -> str:
    """Which of the files a path is: `pjsip.conf` also under another name."""
    return "pjsip.conf" if path == str(main) else Path(path).name
