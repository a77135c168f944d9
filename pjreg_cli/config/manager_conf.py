"""manager.conf: the manager interface (AMI) and its users."""

from __future__ import annotations

from dataclasses import field
from typing import Any

from pydantic import SecretStr
from pydantic.dataclasses import dataclass

from pjreg_cli.api.configuration import Level, Problem
from pjreg_cli.config.forgiving import Problems, make, merged, values_of, with_changes
from pjreg_cli.config.reader import Document, Entry, Section
from pjreg_cli.config.types import (
    NO_SECRET,
    STRICT,
    Acl,
    Boolean,
    Loose,
    Names,
    Port,
    network,
    option,
)
from pjreg_cli.config.words import LOWER


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class ManagerAccount:
    """A user of AMI (a section of manager.conf)."""

    name: str
    source: str = field(compare=False)
    secret: SecretStr = option(NO_SECRET, "The password; without one nobody can log in")
    read: Names = option((), "Classes of events to receive")
    write: Names = option((), "Classes of actions allowed")
    acl: Acl = option((), "Addresses that may log in: (allowed, network) in order")
    eventfilter: tuple[str, ...] = option((), "Expressions that events must or must not match")
    writetimeout: Loose = option(100, "Milliseconds a write may block")
    allowmultiplelogin: Boolean = option(True, "Whether the user may log in more than once")
    displayconnects: Boolean = option(True, "Log each login")
    setvar: tuple[str, ...] = option((), "Accepted, without effect")


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class ManagerSettings:
    """AMI (manager.conf)."""

    source: str = field(default="", compare=False)
    enabled: Boolean = option(False, "Listen for AMI connections")
    bindaddr: str = option("0.0.0.0", "Address to listen on")
    port: Port = option(5038, "Port to listen on")
    tlsenable: Boolean = option(False, "Listen with TLS, too")
    tlsbindaddr: str = option("", "Address, with or without a port, to listen on with TLS")
    tlscertfile: str = option("", "Certificate")
    tlsprivatekey: str = option("", "Private key; empty: inside tlscertfile")
    authtimeout: Loose = option(30, "Seconds a connection may take to log in")
    authlimit: Loose = option(50, "Connections that have not logged in, at most")
    allowmultiplelogin: Boolean = option(True, "Whether a user may log in more than once")
    displayconnects: Boolean = option(True, "Log each login")
    timestampevents: Boolean = option(False, "Put a Timestamp into every event")
    webenabled: Boolean = option(False, "AMI over HTTP: not available")
    users: tuple[ManagerAccount, ...] = option((), "The users, in the order of the file")


def manager(document: Document) -> tuple[ManagerSettings, Problems]:
    """manager.conf: `[general]`, and an account for each other section."""
    problems: Problems = []
    general = merged(document, "general")
    values = values_of(general)
    if "bindaddr" in values:
        values["bindaddr"] = values["bindaddr"].strip("[]")
    settings = make(ManagerSettings, general, values, problems, "manager.conf")
    names: dict[str, str] = {}
    for section in document.sections:
        if not section.template and section.name.lower() != "general":
            names.setdefault(section.name.lower(), section.name)
    users = tuple(_account(merged(document, name), settings, problems) for name in names.values())
    return with_changes(ManagerSettings, settings, users=users), problems


def _account(section: Section, general: ManagerSettings, problems: Problems) -> ManagerAccount:
    values = values_of(section)
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
    return make(ManagerAccount, section, values, problems, "manager.conf")


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
