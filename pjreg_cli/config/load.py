"""Files to settings, at the start and on a reload.

Reading is plain work without a loop; `reload` may run in a thread, as it changes nothing but
returns new settings.  An untouched file is recognized by its fingerprint and not read.
"""

from __future__ import annotations

import gc
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, TypeVar

from pjreg_cli.api.configuration import Level, Problem
from pjreg_cli.config import build, manager_conf, other_files, tables, wizard
from pjreg_cli.config.beside import BESIDE
from pjreg_cli.config.differences import difference
from pjreg_cli.config.files import MAIN, Fingerprint, locate, readable
from pjreg_cli.config.models import Auth, Global, Registration, System, Transport
from pjreg_cli.config.parts import Parts
from pjreg_cli.config.passwords import files_of
from pjreg_cli.config.problems import distinct
from pjreg_cli.config.reader import Document, given_up
from pjreg_cli.config.realtime import FILES, FILES_ONLY, Mapped, OpenRows, mapped, no_database
from pjreg_cli.config.rules import Inspector, OpenTransports
from pjreg_cli.config.section import Section
from pjreg_cli.config.settings import (
    NOTHING,
    Difference,
    Part,
    Reload,
    Scope,
    Settings,
    Unusable,
)
from pjreg_cli.config.tables import of_files
from pjreg_cli.errors import ConfigError, excerpt

__all__ = ["Difference", "Reload", "Scope", "Settings", "load", "reload"]

T = TypeVar("T", Registration, Auth, Transport, Global, System)

#: what registrations leave by where no transport is configured at all
IMPLICIT: Final = Transport(name="udp", source="", host="0.0.0.0", port=5060, bind="0.0.0.0:5060")
WIZARD: Final = "pjsip_wizard.conf"
_TABLES: Final = "tables"


def load(path: Path, open_rows: OpenRows = no_database) -> Settings:
    """Read a configuration directory, or a pjsip.conf and its companions beside it, and what they
    say is in tables, by `open_rows`.

    Raises ConfigError when there is no pjsip.conf or it cannot be opened.  A file that Asterisk
    would give up leaves its defaults and a problem.
    """
    directory, main = locate(Path(path))
    return _run(Settings(directory=directory, path=main, open_rows=open_rows), Scope.ALL).settings


def reload(old: Settings, scope: Scope) -> Reload:
    """Look at the files again, as far as `scope` reaches.

    Never raises for what is in the files: a file that is given up or gone leaves everything of it
    as it was and is told in `error`.
    """
    return _run(old, scope)


def tried(old: Settings, path: Path, text: str) -> Reload:
    """What a reload would come to if the file `path` had this text; touches nothing."""
    run = _Run(old, instead={str(path): text})
    run.parts.now.clear()  # though nothing has changed on disk
    return run.run(Scope.PJSIP)


def examine(
    path: Path, open_rows: OpenRows = no_database
) -> tuple[Settings, Mapping[str, Document]]:
    """What a configuration means with all reasons to give a file up passed over, and the documents
    by the paths of their first files: for finding everything that is wrong at once.

    Raises ConfigError when there is no pjsip.conf or it cannot be read.
    """
    directory, main = locate(Path(path))
    run = _Run(Settings(directory=directory, path=main, open_rows=open_rows), forgiving=True)
    with _without_collector():
        settings = run.run(Scope.ALL).settings
    return settings, run.parts.documents()


# -- one run over the files -------------------------------------------------------------------


def _run(old: Settings, scope: Scope) -> Reload:
    with _without_collector():
        return _Run(old).run(scope)


@contextmanager
def _without_collector() -> Iterator[None]:
    """Hundreds of thousands of small tuples are no garbage; do not look through them."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


class _Run:
    """One pass over the files, from old settings to new ones."""

    def __init__(
        self, old: Settings, forgiving: bool = False, instead: Mapping[str, str] = NOTHING
    ) -> None:
        self.old = old
        self.forgiving = forgiving
        self.parts = Parts(old, forgiving, instead)
        self.held: Mapping[str, tuple[str, ...]] = NOTHING
        self._kinds: dict[int, defaultdict[str, list[Section]]] = {}

    def run(self, scope: Scope) -> Reload:
        new: dict[str, Any] = {}
        if scope.pjsip:
            new |= self.pjsip()
        if scope.registrations:
            transports = new.get("transports", self.old.transports)
            new["registrations"] = self.registrations(transports)
            new |= self.tables(new, transports)
        new |= self.beside(scope)
        parts = self.parts
        new["parts"] = MappingProxyType(parts.now)
        new["problems"] = distinct(parts.now.values())
        new["refused"] = parts.refused()
        new["errors"] = parts.each_error()
        settings = replace(self.old, **new)
        problems = distinct(parts.now[name] for name in parts.read_again)
        touched = any(part in ("registrations", "wizards") for part in parts.read_again)
        changes = difference(self.old, settings, scope, touched, self.held)
        return Reload(settings, changes, problems, parts.each_error())

    # pjsip.conf and pjsip_wizard.conf

    def pjsip(self) -> dict[str, Any]:
        """Everything of pjsip.conf and its wizards but registrations."""
        old, new = self.old, dict[str, Any]()
        document = self.parts.take_up("pjsip", MAIN)
        own = {name: auth for name, auth in of_files(old.auths).items() if not auth.wizard}
        if document is not None:
            kinds = self.by_kind(document)
            before = {"global": old.global_} if old.global_.source else {}
            global_ = self.taken("pjsip", build.globals_(kinds["global"], before), before)
            former = {"system": old.system} if old.system.source else {}
            system = self.taken("pjsip", build.systems(kinds["system"], former), former)
            transports = build.transports(kinds["transport"], readable, old.transports)
            self.held = MappingProxyType(transports.held)
            if kinds["registration"] and not kinds["transport"]:
                # origin: can register nothing then; its documentation has such examples
                transports.objects[IMPLICIT.name] = IMPLICIT
                self.parts.note("pjsip", [_implied(kinds["registration"][0])])
            new = {
                "global_": global_.get("global", Global()),
                "system": system.get("system", System()),
                "transports": MappingProxyType(self.taken("pjsip", transports, old.transports)),
                "unusable": tuple(_unusable(kinds["transport"], transports)),
            }
            auths, named = build.auths(kinds["auth"], new["global_"], own), files_of(kinds["auth"])
            self.parts.watch_too("pjsip", named)
            own = self.taken("pjsip", auths, own)
        made = {name: auth for name, auth in old.auths.items() if auth.wizard}
        wizards = self.parts.take_up("wizard auths", WIZARD)
        if wizards is not None:
            expanded = wizard.expand(wizards.sections)
            auths = build.auths(expanded.auths, new.get("global_", old.global_), made)
            made = self.taken("wizard auths", auths, made)
        if document is not None or wizards is not None:
            new["auths"] = MappingProxyType(own | _without(made, own))
        return new

    def registrations(self, transports: Mapping[str, Transport]) -> Mapping[str, Registration]:
        """The registrations of pjsip.conf and of wizards."""
        old = self.old.registrations
        if self.old.mapped != FILES_ONLY:
            old = of_files(old)
        document = self.parts.take_up("registrations", MAIN)
        wizards = self.parts.take_up("wizards", WIZARD)
        if document is None and wizards is None:
            return old
        inspector = Inspector(OpenTransports.of(transports.values()))
        own = {name: r for name, r in old.items() if not r.wizard}
        made = {name: r for name, r in old.items() if r.wizard}
        if document is not None:
            sections = self.by_kind(document)["registration"]
            built = build.registrations(sections, inspector, own)
            own = self.taken("registrations", built, own)
            self.parts.refuse("registrations", built.refused)
        if wizards is not None:
            expanded = wizard.expand(wizards.sections)
            self.parts.note("wizards", expanded.problems)
            built = build.registrations(expanded.registrations, inspector, made)
            made = self.taken("wizards", built, made)
            self.parts.refuse("wizards", built.refused)
        return MappingProxyType(own | _without(made, own))

    # tables

    def tables(self, new: Mapping[str, Any], transports: Mapping[str, Transport]) -> dict[str, Any]:
        """Registrations and auth sections with those that are in tables of a database."""
        old = self.old
        mapping = self.mapping()
        if mapping == old.mapped == FILES_ONLY:
            return {}
        shards = old.shards
        if mapping.fleet and shards is None and not self.forgiving:
            shards = frozenset()  # none is ours before the fleet says so
        both = tables.add(
            mapping,
            new["registrations"],
            of_files(new.get("auths", old.auths)),
            old=(old.registrations, old.auths),
            inspector=Inspector(OpenTransports.of(transports.values())),
            global_=new.get("global_", old.global_),
            open_rows=old.open_rows,
            share=tables.Extent(shards, old.fresh, old.stale),
        )
        if both.error is not None:
            self.parts.errors.append(both.error)
        former = self.parts.now[_TABLES]
        refused = former.refused if both.error else MappingProxyType(both.refused)
        self.parts.now[_TABLES] = Part(Fingerprint(), (*former.problems, *both.problems), refused)
        return {
            "registrations": MappingProxyType(dict(both.registrations)),
            "auths": MappingProxyType(dict(both.auths)),
            "mapped": mapping,
            "shards": shards,
            "unread": both.error is not None,
        }

    def mapping(self) -> Mapped:
        """Which objects come from tables; as it was when a file that says so was given up."""
        documents: dict[str, Document] = {}
        for file in FILES:
            path = str(self.old.directory / file)
            document = self.parts.read(path, optional=True).document
            if document is None:
                self.parts.errors.append(self.parts.failures[path])
                self.parts.now[_TABLES] = Part(problems=(given_up(self.parts.failures[path]),))
                return self.old.mapped
            documents[file] = document
        found, problems = mapped(documents)
        self.parts.read_again.append(_TABLES)
        self.parts.now[_TABLES] = Part(problems=tuple(problems))
        return found

    def by_kind(self, document: Document) -> defaultdict[str, list[Section]]:
        """Its sections by type, templates left out; it is looked through once."""
        kinds = self._kinds.get(id(document))
        if kinds is None:
            kinds = self._kinds[id(document)] = defaultdict(list)
            for section in document.sections:
                if not section.template:
                    kinds[build.kind_of(section)].append(section)
        return kinds

    def taken(self, part: str, built: build.Built[T], old: Mapping[str, T]) -> dict[str, T]:
        """What is in force from now on; after a duplicate what was before."""
        self.parts.note(part, built.problems)
        first = built.duplicate
        if first is None or self.forgiving:
            return built.objects
        self.parts.errors.append(ConfigError(first.message, first.path, first.line))
        return dict(old)

    # the files beside

    def beside(self, scope: Scope) -> dict[str, Any]:
        """Settings of the other files that the scope reaches and that have changed."""
        new: dict[str, Any] = {}
        if scope.includes(Scope.MANAGER):
            both = self.parts.take_up_together("manager", ("manager.conf", "acl.conf"))
            if both is not None:
                new["manager"], problems = manager_conf.manager(*both)
                self.parts.note("manager", problems)
        for field, file, only, make in BESIDE:
            if scope.includes(only) and (document := self.parts.take_up(field, file)) is not None:
                new[field], problems = make(document)
                self.parts.note(field, problems)
        if scope.includes(Scope.ALIASES):
            aliases = self.parts.take_up("cli_aliases.conf", "cli_aliases.conf")
            start = self.parts.take_up("cli.conf", "cli.conf")
            new["console"] = other_files.console(self.old.console, aliases, start)
        return new


def _implied(first: Section) -> Problem:
    """What is said of a configuration that has registrations and no transport to send them by."""
    what = f"no section of type=transport: {IMPLICIT.protocol} on {IMPLICIT.bind} is used"
    return Problem(first.path, first.line, Level.WARNING, what)


def _unusable(sections: Iterable[Section], built: build.Built[Transport]) -> Iterator[Unusable]:
    """The transports that were refused."""
    for section in sections:
        if section.name in built.refused and section.name not in built.objects:
            protocol = section.last("protocol")
            kind = protocol[1].strip().lower() if protocol is not None else ""
            begins = f"[{excerpt(section.name)}] is refused: "
            blamed = next(one for one in built.problems if one.message.startswith(begins))
            why = built.refused[section.name][0].partition(": ")[2]
            yield Unusable(section.name, kind, why, f"{blamed.path}:{blamed.line}")


def _without(made: Mapping[str, T], own: Mapping[str, T]) -> dict[str, T]:
    """What wizards made, unless a section of its own has the name."""
    return {name: one for name, one in made.items() if name not in own}
