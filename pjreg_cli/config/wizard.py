"""pjsip_wizard.conf: one wizard section to the registrations and auth sections it stands for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from pjreg_cli.api.configuration import Level, Problem
from pjreg_cli.config.build import kind_of
from pjreg_cli.config.section import Entry, Section
from pjreg_cli.config.types import TRUE
from pjreg_cli.errors import excerpt

OPTIONS: Final = frozenset(
    {
        "type", "sends_auth", "accepts_auth", "sends_registrations", "accepts_registrations",
        "sends_line_with_registrations", "remote_hosts", "outbound_proxy", "transport",
        "server_uri_pattern", "client_uri_pattern", "contact_pattern", "has_phoneprov", "has_hint",
        "hint_context", "hint_exten", "hint_application",
    }
)  # fmt: skip
"""Options of a wizard itself, besides those with a slash."""

PREFIXES: Final = frozenset(
    {"endpoint", "aor", "identify", "registration", "outbound_auth", "inbound_auth", "phoneprov"}
)
"""What may stand before the slash."""

_VARIABLE: Final = re.compile(r"\$\{([^{}]*)\}")


@dataclass(slots=True, eq=False, repr=False)
class Expanded:
    """What all wizards of a file stand for, as sections that point to the wizard's lines."""

    registrations: list[Section] = field(default_factory=list)
    auths: list[Section] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def expand(sections: Iterable[Section]) -> Expanded:
    """Expand the wizards; of two with one name the later one counts."""
    wizards = {s.name: s for s in sections if not s.template and kind_of(s) == "wizard"}
    expanded = Expanded()
    for wizard in wizards.values():
        _auth(wizard, "sends_auth", "outbound", expanded)
        _auth(wizard, "accepts_auth", "inbound", expanded)
        if _true(wizard, "sends_registrations"):
            _registrations(wizard, expanded)
    return expanded


def _auth(wizard: Section, switch: str, direction: str, expanded: Expanded) -> None:
    """The auth section `NAME-oauth` (or `-iauth`), when the switch asks for it."""
    if not _true(wizard, switch):
        return
    prefix = f"{direction}_auth/"
    if wizard.last(prefix + "username") is None:
        message = f"{switch} needs {prefix}username, so there is no auth section"
        expanded.problems.append(_problem(wizard, switch, message))
        return
    made = _part(wizard, f"{wizard.name}-{direction[0]}auth", prefix)
    expanded.auths.append(made)


def _registrations(wizard: Section, expanded: Expanded) -> None:
    """`NAME-reg-0`, `-1`, ...: one for each of remote_hosts."""
    hosts = _value(wizard, "remote_hosts", "")
    if not hosts:
        message = "sends_registrations needs remote_hosts, so there is no registration"
        expanded.problems.append(_problem(wizard, "sends_registrations", message))
        return
    sends_auth = _true(wizard, "sends_auth")
    username = _value(wizard, "outbound_auth/username", "") if sends_auth else wizard.name
    if not username:
        message = "sends_auth needs outbound_auth/username, so there is no registration"
        expanded.problems.append(_problem(wizard, "sends_auth", message))
        return
    for number, host in enumerate(hosts.split(",")):
        made = _part(wizard, f"{wizard.name}-reg-{number}", "registration/")
        variables = {"REMOTE_HOST": host.strip(), "USERNAME": username}
        _uri(made, wizard, "server_uri", "sip:${REMOTE_HOST}", variables)
        _uri(made, wizard, "client_uri", "sip:${USERNAME}@${REMOTE_HOST}", variables)
        if sends_auth:
            _add(made, wizard, "outbound_auth", f"{wizard.name}-oauth", "sends_auth")
        if _true(wizard, "sends_line_with_registrations"):
            _add(made, wizard, "line", "yes", "sends_line_with_registrations")
            _add(made, wizard, "endpoint", wizard.name, "sends_line_with_registrations")
        for shared in ("outbound_proxy", "transport"):
            if value := _value(wizard, shared, ""):
                _add(made, wizard, shared, value, shared)
        expanded.registrations.append(made)


def _part(wizard: Section, name: str, prefix: str) -> Section:
    """A section of the options that begin with `prefix`."""
    made = Section(name, wizard.path, wizard.line, wizard=wizard.name)
    for key, value, line, path in wizard.entries:
        if key.lower().startswith(prefix):
            made.entries.append((key[len(prefix) :], value, line, path))
    return made


def _uri(
    made: Section, wizard: Section, option: str, default: str, variables: Mapping[str, str]
) -> None:
    """A URI from its pattern; an empty pattern leaves what `registration/` says."""
    pattern = _value(wizard, option + "_pattern", default)
    if pattern:
        text = _VARIABLE.sub(lambda found: variables.get(found[1], ""), pattern)
        blame = option + "_pattern" if wizard.last(option + "_pattern") else "remote_hosts"
        _add(made, wizard, option, text, blame)


def _add(made: Section, wizard: Section, key: str, value: str, blame: str) -> None:
    """Append an option that follows from the line of another one."""
    entry = _entry(wizard, blame)
    made.entries.append((key, value, entry[2], entry[3]))


def _entry(wizard: Section, option: str) -> Entry:
    return wizard.last(option) or (option, "", wizard.line, wizard.path)


def _value(wizard: Section, option: str, default: str) -> str:
    entry = wizard.last(option)
    return default if entry is None else entry[1]


def _true(wizard: Section, option: str) -> bool:
    return _value(wizard, option, "no").lower() in TRUE


def _problem(wizard: Section, option: str, message: str) -> Problem:
    entry = _entry(wizard, option)
    return Problem(entry[3], entry[2], Level.ERROR, f"[{excerpt(wizard.name)}] {message}")
