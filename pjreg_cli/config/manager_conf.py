"""manager.conf: the manager interface (AMI), its users, and where it listens."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import field, replace
from typing import Any, Final, NamedTuple

from pydantic import SecretStr

from pjreg_cli.api.configuration import Level, Problem
from pjreg_cli.api.manager import ManagerUser
from pjreg_cli.config.access import RULES, Access, NamedLists
from pjreg_cli.config.forgiving import Problems, make, merged, values_of
from pjreg_cli.config.frozen import frozen
from pjreg_cli.config.manager_classes import CLASSES
from pjreg_cli.config.reader import Document
from pjreg_cli.config.section import Entry, Section
from pjreg_cli.config.types import (
    NO_SECRET,
    Boolean,
    Loose,
    Names,
    Port,
    inert,
    option,
    option_names,
)
from pjreg_cli.config.words import LOWER, meant
from pjreg_cli.errors import excerpt
from pjreg_cli.sip.address import bracketed, split_host_port

TLS_PORT: Final = 5039
"""The port for TLS where none is given, as in the origin."""

SHORT_SECRET: Final = 8
"""A secret shorter than this is worth a warning when others can reach the port."""

_FILE: Final = "manager.conf"
_HOST: Final = re.compile(r"[A-Za-z0-9_.-]+", re.ASCII)


@frozen
class ManagerAccount:
    """A user of AMI (a section of manager.conf)."""

    name: str
    source: str = field(compare=False)
    secret: SecretStr = option(NO_SECRET, "The password; without one nobody can log in")
    read: Names = option((), "Classes of events to receive")
    write: Names = option((), "Classes of actions allowed")
    access: Access = option(
        Access(),
        "Networks that may log in, and lists of acl.conf",
        "The last `permit` or `deny` that matches decides; every `acl` must let the address in as"
        " well.  What cannot be understood lets nobody in.",
    )
    eventfilter: tuple[str, ...] = option(
        (),
        "Expressions that events must or must not match",
        "One that cannot be read lets no event through.",
    )
    writetimeout: Loose = option(100, "Milliseconds a write may block")
    allowmultiplelogin: Boolean = option(True, "Whether the user may log in more than once")
    displayconnects: Boolean = option(True, "Log each login")
    setvar: tuple[str, ...] = inert((), "Variables of calls")


@frozen
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
    webenabled: Boolean = inert(False, "AMI over HTTP: not available")
    users: tuple[ManagerAccount, ...] = option((), "The users, in the order of the file")


_ACCOUNT: Final = option_names(ManagerAccount)


# -- where it listens -------------------------------------------------------------------------


class Endpoint(NamedTuple):
    """An address to listen on; `certificate` and `key` are files, used with TLS only."""

    host: str
    port: int
    tls: bool = False
    certificate: str = ""
    key: str = ""

    def __str__(self) -> str:
        return f"{bracketed(self.host)}:{self.port}"

    @property
    def place(self) -> tuple[str, int]:
        """What only one socket can have."""
        return self.host, self.port

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach it."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


def endpoints(settings: ManagerSettings) -> tuple[Endpoint, ...]:
    """Where these settings want to listen."""
    if not settings.enabled:
        return ()
    place = _place(settings.bindaddr, settings.port)
    found = [Endpoint(*place)] if place is not None else []
    if settings.tlsenable:
        place = _place(settings.tlsbindaddr or settings.bindaddr, TLS_PORT)
        certificate = settings.tlscertfile
        key = settings.tlsprivatekey or certificate
        found += [Endpoint(*place, True, certificate, key)] if place is not None else []
    return tuple(found)


def _place(text: str, port: int) -> tuple[str, int] | None:
    """Host and port of `HOST`, `HOST:PORT`, `[V6]`, `[V6]:PORT` or `V6`; None when it is none."""
    split = split_host_port(text.strip())
    if split is None:
        return None
    host, given = split
    try:
        ipaddress.ip_address(host)
    except ValueError:
        if not _HOST.fullmatch(host):
            return None
    if not given:
        return host, port
    if not (given.isascii() and given.isdecimal() and int(given[:6]) < 65536):
        return None
    return host, int(given)


# -- reading ----------------------------------------------------------------------------------


def manager(document: Document, lists: Document | None = None) -> tuple[ManagerSettings, Problems]:
    """manager.conf: `[general]`, and an account for each other section; `lists` is acl.conf.

    A door that cannot be understood is shut, and a problem says so.
    """
    named = NamedLists(lists)
    general = merged(document, "general")
    problems: Problems = []
    everybody = named.access(general.entries, "[general]", "nobody can log in")
    problems += _for_everybody(general)
    settings = _general(general, problems)
    users: dict[str, str] = {}
    for section in document.sections:
        if not section.template and section.name.lower() != "general":
            users.setdefault(section.name.lower(), section.name)
    accounts = []
    for name in users.values():
        section = merged(document, name)
        where = f"[{excerpt(name)}]"
        fate = "nobody can log in as this user"
        access = named.access(section.entries, where, fate, _ACCOUNT)
        accounts.append(_account(section, settings, _both(everybody, access), problems))
    settings = replace(settings, users=tuple(accounts))
    return settings, [*named.problems, *problems, *_careless(document, settings)]


def _general(section: Section, problems: Problems) -> ManagerSettings:
    values = {k: v for k, v in values_of(section).items() if k not in RULES}
    if "bindaddr" in values:
        host, port = split_host_port(values["bindaddr"].strip()) or (values["bindaddr"], "")
        values["bindaddr"] = host
        if port:
            values["port"] = port
    settings = make(ManagerSettings, section, values, problems, _FILE)
    shut: dict[str, Any] = {}
    for switch, option_, port_ in (
        ("enabled", "bindaddr", settings.port),
        ("tlsenable", "tlsbindaddr", TLS_PORT),
    ):
        text = getattr(settings, option_)
        if (text or option_ == "bindaddr") and _place(text, port_) is None:
            shut[switch] = False
            message = f"{option_} is no address with or without a port: nothing listens there"
            problems.append(_at(section, option_, message, Level.ERROR))
    return replace(settings, **shut)


def _for_everybody(general: Section) -> Iterator[Problem]:
    """Rules where the origin looks for none."""
    for entry in general.entries:
        if LOWER[entry[0]] in RULES:
            message = f"[general] {entry[0]} counts for every user here, and for none in Asterisk"
            yield Problem(entry[3], entry[2], Level.WARNING, message)


def _both(everybody: Access, own: Access) -> Access:
    """An account's own access, within what [general] allows everybody."""
    more = (everybody.rules, *everybody.lists) if everybody.rules or everybody.lists else ()
    return Access(own.rules, (*own.lists, *more), everybody.shut or own.shut)


def _account(
    section: Section, general: ManagerSettings, access: Access, problems: Problems
) -> ManagerAccount:
    values = {k: v for k, v in values_of(section).items() if k not in RULES}
    values["name"] = section.name
    values["access"] = access
    values.setdefault("displayconnects", general.displayconnects)
    values.setdefault("allowmultiplelogin", general.allowmultiplelogin)
    if "setvar" in values:
        values["setvar"] = tuple(entry[1] for entry in section.all("setvar"))
    filters = _filters(section)
    values = {k: v for k, v in values.items() if not k.startswith("eventfilter(")}
    values["eventfilter"] = tuple(text for text, _entry in filters)
    for text, entry in filters:
        problems += _misread(section, text, entry)
    for option_ in ("read", "write"):
        problems += _unknown_classes(section, option_)
    if not values.get("secret"):
        message = "has no secret, so nobody can log in by it"
        problems.append(_at(section, "secret", message))
    return make(ManagerAccount, section, values, problems, _FILE)


def _misread(section: Section, text: str, entry: Entry) -> Problems:
    """What is wrong with an eventfilter."""
    from pjreg_cli.config.eventfilter import compiled

    why = (f"[{excerpt(section.name)}] {what}; no event passes it" for what in compiled((text,))[1])
    return [Problem(entry[3], entry[2], Level.ERROR, message) for message in why]


def _filters(section: Section) -> list[tuple[str, Entry]]:
    """Each eventfilter; one with criteria in its name, `eventfilter(name(X))`, as a whole line."""
    return [
        (entry[1] if key == "eventfilter" else f"{entry[0]} = {entry[1]}", entry)
        for entry in section.entries
        if (key := LOWER[entry[0]]) == "eventfilter" or key.startswith("eventfilter(")
    ]


def _unknown_classes(section: Section, option_: str) -> Iterator[Problem]:
    entry = section.last(option_)
    for word in entry[1].split(",") if entry is not None else ():
        if entry is not None and (name := word.strip().lower()) and name not in CLASSES:
            hint = meant(name, CLASSES)
            message = f"there is no class '{excerpt(word.strip())}'{hint}"
            yield _at(section, option_, f"{option_}: {message}; it allows nothing")


def _careless(document: Document, settings: ManagerSettings) -> Iterator[Problem]:
    """Secrets that can be guessed, where other machines can try."""
    exposed = [str(endpoint) for endpoint in endpoints(settings) if not endpoint.loopback]
    for account in settings.users if exposed else ():
        if 0 < len(account.secret.get_secret_value()) < SHORT_SECRET:
            section = merged(document, account.name)
            message = (
                f"the secret is shorter than {SHORT_SECRET} characters, while AMI listens on"
                f" {' and '.join(exposed)}"
            )
            yield _at(section, "secret", message)


def _at(section: Section, option_: str, message: str, level: Level = Level.WARNING) -> Problem:
    """A problem of a section, at the line of the option to blame."""
    entry = section.last(option_)
    path, line = (entry[3], entry[2]) if entry else (section.path, section.line)
    return Problem(path, line, level, f"[{excerpt(section.name)}] {message}")


def shown(account: ManagerAccount) -> ManagerUser:
    """A user as the console lists it."""
    return ManagerUser(
        name=account.name,
        has_secret=bool(account.secret.get_secret_value()),
        acl=account.access.shown(),
        read=account.read,
        write=account.write,
        displayconnects=account.displayconnects,
        allowmultiplelogin=account.allowmultiplelogin,
    )
