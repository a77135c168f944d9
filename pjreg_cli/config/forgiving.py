"""Sections to settings, forgivingly: for every file but pjsip.conf and its wizards.

An option that is unknown or cannot be understood is a problem, and its default counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from pjreg_cli.api.configuration import Level, Problem
from pjreg_cli.config.reader import Document
from pjreg_cli.config.secrets import is_secret
from pjreg_cli.config.section import Section
from pjreg_cli.config.types import validator
from pjreg_cli.config.words import LOWER, meant
from pjreg_cli.errors import excerpt

T = TypeVar("T")
Problems = list[Problem]

# what Asterisk knows besides and has no meaning here
PASSED_OVER: Mapping[str, frozenset[str]] = {
    "manager.conf": frozenset(
        {
            "httptimeout", "channelvars", "brokeneventsaction", "allowmultiplelogin", "debug",
            "block-sockets", "tlscipher", "tlsdisablev1", "tlsdisablev11", "tlsdisablev12",
            "eventfilter", "broken_events_action", "webmanager", "preferred_codec_only",
        }
    ),
    "resolver_unbound.conf": frozenset({"debug", "ta_file"}),
}  # fmt: skip
_META = frozenset({"name", "source", "users", "access", "resolv_file"})
_BESIDES = {"ManagerAccount": frozenset({"permit", "deny", "acl"})}
"""Options that become one field together."""
#: what is written in the singular, and may be several times
_WRITTEN = {"nameservers": "nameserver"}
#: of databases: they may hold a password
_ADDRESSES = frozenset({"url", "dbhost"})


def merged(document: Document, name: str) -> Section:
    """All sections of one name as one, letter case ignored; an empty one without any."""
    same = [s for s in document.sections if not s.template and s.name.lower() == name.lower()]
    if not same:
        return Section(name, "", 0)
    entries = [entry for section in same for entry in section.entries]
    return Section(same[0].name, same[0].path, same[0].line, entries=entries)


def values_of(section: Section) -> dict[str, Any]:
    return {LOWER[entry[0]]: entry[1] for entry in section.entries}


def make(
    model: type[T], section: Section, values: dict[str, Any], problems: Problems, file: str
) -> T:
    """Make settings; what is wrong is left out and said."""
    for known in PASSED_OVER.get(file, frozenset()) - _options(model):
        values.pop(known, None)
    source = f"{section.path}:{section.line}" if section.path else ""
    if not values:
        # most files are not there: nothing is compiled to find that out
        made: T = model(**{"source": source})
        return made
    values["source"] = source
    validate = validator(model)
    try:
        made = validate(values)
    except ValidationError as error:
        for option, why in _reasons(error).items():
            values.pop(option, None)
            problems.append(_problem(section, option, why, model))
        made = validate(values)
    return made


def _options(model: type[Any]) -> frozenset[str]:
    return frozenset(model.__dataclass_fields__)


def _reasons(error: ValidationError) -> Mapping[str, str]:
    """Why each option cannot be understood, in our own words; empty where those are the library's,
    or might tell a secret."""
    found: dict[str, str] = {}
    for one in error.errors(include_url=False, include_input=False):
        option = str(one["loc"][0])
        cause = one.get("ctx", {}).get("error")
        told = cause is not None and not is_secret(option) and option not in _ADDRESSES
        found.setdefault(option, str(cause) if told else "")
    return found


def _problem(section: Section, option: str, why: str, model: type[Any]) -> Problem:
    written = _WRITTEN.get(option, option)
    entry = section.last(written)
    line, path = (entry[2], entry[3]) if entry else (section.line, section.path)
    known = (_options(model) | _BESIDES.get(model.__name__, frozenset())) - _META
    if option in known:
        what = f"{written} cannot be understood and its default counts"
        what += f": {'it ' * why.startswith('is ')}{excerpt(why)}" if why else ""
    else:
        what = f"unknown option '{excerpt(option)}'{meant(option, known)}"
    return Problem(path, line, Level.WARNING, f"[{excerpt(section.name)}] {what}")
