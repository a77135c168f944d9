"""Access lists: `permit`, `deny` and `acl` of manager.conf, and the named lists of acl.conf (pure).

A door that cannot be understood is shut: a rule that cannot be read, a list that is not there, an
option that was probably meant to be a rule.
"""

from __future__ import annotations

import difflib
import ipaddress
from collections.abc import Container, Iterable, Sequence
from typing import Final, NamedTuple

from pjreg_cli.api.configuration import Level, Problem
from pjreg_cli.config.reader import Document
from pjreg_cli.config.section import Entry, Section
from pjreg_cli.config.types import Network, names, network
from pjreg_cli.config.words import LOWER, meant
from pjreg_cli.errors import excerpt

Rule = tuple[bool, Network]
"""True for permit; the network it speaks of."""
Rules = Sequence[Rule]

RULES: Final = frozenset({"permit", "deny", "acl"})
"""The options that make up an access list."""

EVERYBODY: Final = (ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0"))


class Access(NamedTuple):
    """Who may come in."""

    rules: tuple[Rule, ...] = ()
    """Own rules, in order."""
    lists: tuple[tuple[Rule, ...], ...] = ()
    """Named lists; each of them must let an address in as well."""
    shut: str = ""
    """Why nobody may come in; empty when the rules decide."""

    def admits(self, address: str) -> bool:
        """Whether `address` may come in."""
        return not self.shut and all(permits(rules, address) for rules in (self.rules, *self.lists))

    def shown(self) -> tuple[tuple[bool, str], ...]:
        """The rules as the console lists them: `address/mask`."""
        if self.shut:
            return tuple((False, net.with_netmask) for net in EVERYBODY)
        return tuple(
            (permit, net.with_netmask)
            for rules in (self.rules, *self.lists)
            for permit, net in rules
        )


def permits(rules: Rules, address: str) -> bool:
    """Whether rules let `address` in: the last one that matches decides, without one yes.

    An address that cannot be read is shut out as soon as there are rules.
    """
    if not rules:
        return True
    try:
        who = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    mapped = who.ipv4_mapped if isinstance(who, ipaddress.IPv6Address) else None
    sense = True
    for permit, net in rules:
        if (mapped or who) in net or who in net:
            sense = permit
    return sense


class NamedLists:
    """The lists of acl.conf, which may refer to each other.

    `problems` is what is wrong with them; a list with a problem shuts whatever refers to it.
    """

    def __init__(self, document: Document | None) -> None:
        self._sections: dict[str, list[Section]] = {}
        self._found: dict[str, Access] = {}
        self.problems: list[Problem] = []
        for section in document.sections if document is not None else ():
            if not section.template:
                self._sections.setdefault(section.name, []).append(section)
        for name in self._sections:
            self.named(name)

    def named(self, name: str) -> Access:
        """The list of this name; shut when there is none or it cannot be understood."""
        if name in self._found:
            return self._found[name]
        if name not in self._sections:
            hint = meant(name, self._sections)
            return Access(shut=f"there is no list '{excerpt(name)}' in acl.conf{hint}")
        # whoever comes back here goes in a circle
        self._found[name] = Access(shut=f"list '{excerpt(name)}' refers to itself")
        entries = [entry for section in self._sections[name] for entry in section.entries]
        for entry in entries:
            if LOWER[entry[0]] not in RULES:
                what = f"[{excerpt(name)}] unknown option '{excerpt(entry[0])}'"
                fate = "; the list lets nobody in"
                self.problems.append(_problem(entry, f"{what}{meant(entry[0], RULES)}{fate}"))
        made = self.access(entries, f"[{excerpt(name)}]", "the list lets nobody in")
        if not made.shut and any(LOWER[entry[0]] not in RULES for entry in entries):
            made = Access(shut=f"list '{excerpt(name)}' cannot be understood")
        elif made.shut:
            made = Access(shut=f"list '{excerpt(name)}': {made.shut}")
        self._found[name] = made
        return made

    def access(
        self, entries: Iterable[Entry], where: str, fate: str, known: Container[str] | None = None
    ) -> Access:
        """What the rules among `entries` say; what is wrong is noted, with `where` and `fate`.

        Of options that are neither rules nor `known` (None: look at none of them) those shut the
        door that were probably meant to be a rule.
        """
        rules: list[Rule] = []
        lists: list[tuple[Rule, ...]] = []
        shut = ""
        for entry in entries:
            option = LOWER[entry[0]]
            why = ""
            if option in ("permit", "deny"):
                found, why = _rules(entry[1], option == "permit")
                rules += found
            elif option == "acl":
                referred = [self.named(name) for name in names(entry[1])]
                why = next((one.shut for one in referred if one.shut), "")
                if not referred:
                    why = "it names no list"
                for one in referred:
                    lists += [one.rules, *one.lists]
            elif known is not None and option not in known and _like_a_rule(option, entry[1]):
                why = "it is unknown, and probably meant to be a rule"
            if why:
                self.problems.append(_problem(entry, f"{where} {option}: {why}; {fate}"))
                shut = shut or f"{option}: {why}"
        return Access(tuple(rules), tuple(lists), shut)


def _like_a_rule(option: str, value: str) -> bool:
    """Whether an unknown option was meant to be a rule: by its name, or as it names a network."""
    if difflib.get_close_matches(option, RULES, 1, 0.7):
        return True
    rules, why = _rules(value, True)
    return bool(rules) and not why


def _rules(text: str, permit: bool) -> tuple[list[Rule], str]:
    """The networks of a `permit` or `deny` line, `!` before one turns it round; and what is wrong
    with it."""
    rules: list[Rule] = []
    why = "" if names(text) else "it names no network"
    for part in names(text):
        try:
            net = network(part.removeprefix("!"))
        except ValueError as error:
            why = str(error)
        else:
            rules.append((permit is not part.startswith("!"), net))
    return rules, why


def _problem(entry: Entry, message: str) -> Problem:
    return Problem(entry[3], entry[2], Level.ERROR, message)
