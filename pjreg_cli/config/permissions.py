"""cli_permissions.conf: which user of this host may give which command over the control socket."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from pjreg_cli.api.configuration import Level, Problem
from pjreg_cli.config.forgiving import Problems
from pjreg_cli.config.reader import Document
from pjreg_cli.config.section import Entry, Section
from pjreg_cli.errors import PjregError, excerpt

if TYPE_CHECKING:
    from pjreg_cli.config.pattern import Pattern

_ALL = "all"
_WORDS = {"permit": True, "deny": False}


class Rule(NamedTuple):
    """`permit` or `deny`.  `command` is an expression that a command begins with; None: any."""

    permits: bool
    command: str | None

    def fits(self, line: str) -> bool:
        """Whether it is about this command."""
        return self.command is not None and _compiled(self.command).search(line)


class Holder(NamedTuple):
    """A user, or with `@` before its name in the file a group, and the rules for it."""

    name: str
    is_group: bool
    rules: tuple[Rule, ...]

    def judges(self, line: str) -> bool | None:
        """What the rules say: the first that is about the command, else the last about all of them;
        None when none is."""
        for rule in self.rules:
            if rule.fits(line):
                return rule.permits
        general = [rule.permits for rule in self.rules if rule.command is None]
        return general[-1] if general else None


class Permissions(NamedTuple):
    """Everything the file says; without a file everybody may do everything."""

    by_default: bool = True
    holders: tuple[Holder, ...] = ()

    @property
    def unlimited(self) -> bool:
        """Whether nobody needs to be asked about."""
        return self.by_default and not self.holders

    def permit(self, user: str, groups: Sequence[str], line: str) -> bool:
        """Whether a user of these groups may give a command (its words, with single blanks).  What
        is said of a user goes before what is said of groups."""
        named = [one for one in self.holders if not one.is_group and one.name == user]
        named += [one for one in self.holders if one.is_group and one.name in groups]
        for holder in named:
            if (judgement := holder.judges(line)) is not None:
                return judgement
        return self.by_default


def permissions(document: Document) -> tuple[Permissions, Problems]:
    """Read the file.  What cannot be understood permits nothing."""
    problems: Problems = []
    by_default = True
    rules: dict[str, list[Rule]] = {}
    for section in document.sections:
        if section.template:
            continue
        if section.name.lower() == "general":
            for entry in section.all("default_perm"):
                by_default = entry[1].lower() == "permit"
                if entry[1].lower() not in _WORDS:
                    problems.append(_wrong(entry, "is neither permit nor deny, and denies"))
            continue
        rules.setdefault(section.name, []).extend(_rules(section, problems))
    holders = (
        Holder(name.removeprefix("@"), name.startswith("@"), tuple(them))
        for name, them in rules.items()
    )
    return Permissions(by_default, tuple(holders)), problems


def _rules(section: Section, problems: Problems) -> list[Rule]:
    found: list[Rule] = []
    for entry in section.entries:
        permits = _WORDS.get(entry[0].lower())
        command = " ".join(entry[1].split())
        if permits is None:
            problems.append(_wrong(entry, "is neither permit nor deny, and is ignored"))
        elif command.lower() == _ALL:
            found.append(Rule(permits, None))
        elif why := _flaw(command):
            problems.append(_wrong(entry, f"cannot be understood: {why}"))
            if not permits:
                found.append(Rule(False, ""))
        else:
            found.append(Rule(permits, command))
    return found


def _flaw(command: str) -> str:
    """Why an expression cannot be understood; empty where it can."""
    try:
        _compiled(command)
    except PjregError as error:
        return str(error)
    return ""


def _compiled(command: str) -> Pattern:
    from pjreg_cli.config.pattern import compile_pattern

    return compile_pattern(f"^({command})" if command else "^")


def _wrong(entry: Entry, why: str) -> Problem:
    message = f"{excerpt(entry[0])}={excerpt(entry[1])} {why}"
    return Problem(entry[3], entry[2], Level.ERROR, message)
