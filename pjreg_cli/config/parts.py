"""What one pass over the files reads, and what there is to say of each part of the settings.

A part is what is taken up or given up as one: its fingerprint tells whether its files have changed
since it was taken up, and its problems and refused sections stand until it is read again.  A file
is read once in a pass, however many parts come from it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from pjreg_cli.api.configuration import Problem
from pjreg_cli.config.added import ADDED
from pjreg_cli.config.files import MAIN, Disk, Fingerprint, joined, stamp
from pjreg_cli.config.reader import Document, given_up, read
from pjreg_cli.config.settings import NOTHING, Part, Settings
from pjreg_cli.errors import ConfigError


class Reading(NamedTuple):
    """A file, read or given up."""

    document: Document | None
    """None when the file was given up."""
    fingerprint: Fingerprint


class Parts:
    """The parts of `old`, as they become in one pass over the files."""

    def __init__(self, old: Settings, forgiving: bool, instead: Mapping[str, str]) -> None:
        """`forgiving` passes over all reasons to give a file up; `instead` has texts by path that
        count for what is on disk."""
        self._directory = old.directory
        self._main = old.path
        self._forgiving = forgiving
        self._instead = instead
        self._readings: dict[str, Reading] = {}
        self.now = dict(old.parts)
        self.read_again: list[str] = []
        """Names of parts whose files were read in this pass."""
        self.failures: dict[str, ConfigError] = {}
        """Why files were given up, by path."""
        self.errors: list[ConfigError] = []
        """Why parts could not be taken up; a file counts for each of its parts."""

    def take_up(self, part: str, file: str) -> Document | None:
        """The document for a part, None when it is untouched or given up."""
        former = self.now.get(part)
        if former is not None and former.fingerprint.untouched():
            return None
        path = self._main if file == MAIN else self._directory / file
        document, fingerprint = self.read(str(path), optional=former is None and file != MAIN)
        self.read_again.append(part)
        if document is None:
            # what is refused stays refused: the same objects stay in force
            kept = former.refused if former is not None else NOTHING
            failure = self.failures[str(path)]
            self.errors.append(failure)
            self.now[part] = Part(fingerprint, (given_up(failure),), kept)
            return None
        self.now[part] = Part(fingerprint, tuple(document.remarks))
        return document

    def take_up_together(self, part: str, files: tuple[str, ...]) -> list[Document] | None:
        """The documents of files that mean something only together; None when all are untouched,
        or when one is given up and there is a former form to stay with."""
        former = self.now.get(part)
        if former is not None and former.fingerprint.untouched():
            return None
        paths = [str(self._directory / file) for file in files]
        known = former.fingerprint.stamps if former is not None else dict.fromkeys(paths)
        readings = [self.read(path, optional=known[path] is None) for path in paths]
        self.read_again.append(part)
        failures = [self.failures[path] for path in paths if path in self.failures]
        documents = [one.document or Document() for one in readings]
        problems = [*map(given_up, failures), *(p for one in documents for p in one.remarks)]
        broken = [path for path in paths if path in self.failures]
        fingerprint = joined((one.fingerprint for one in readings), given_up=broken)
        self.errors += failures
        self.now[part] = Part(fingerprint, tuple(problems))
        if failures and former is not None:
            return None
        return documents

    def read(self, path: str, optional: bool) -> Reading:
        """Read a file once in a pass; an optional one may be missing."""
        if path not in self._readings:
            disk = Disk(self._directory, self._instead)
            if optional and stamp(path) is None:
                absent = Fingerprint(MappingProxyType({path: None}))
                self._readings[path] = Reading(Document(), absent)
                return self._readings[path]
            try:
                added = ADDED if path == str(self._main) else ""
                document = read(path, disk, self._forgiving, added)
            except ConfigError as error:
                self.failures[path] = error
                self._readings[path] = Reading(None, Fingerprint())
            else:
                self._readings[path] = Reading(document, disk.fingerprint())
        return self._readings[path]

    def watch_too(self, part: str, files: Iterable[str]) -> None:
        """Read a part again when one of these files has changed, too."""
        former = self.now[part]
        self.now[part] = former._replace(fingerprint=former.fingerprint.beside(files))

    def note(self, part: str, problems: Iterable[Problem]) -> None:
        """Add what is to be said of a part."""
        former = self.now[part]
        self.now[part] = former._replace(problems=(*former.problems, *problems))

    def refuse(self, part: str, refused: Mapping[str, tuple[str, ...]]) -> None:
        """Name the sections of a part that are refused, and why."""
        self.now[part] = self.now[part]._replace(refused=MappingProxyType(refused))

    def refused(self) -> Mapping[str, tuple[str, ...]]:
        """Refused registrations of all parts."""
        return MappingProxyType(
            {k: v for part in self.now.values() for k, v in part.refused.items()}
        )

    def documents(self) -> dict[str, Document]:
        """What was read, by the paths of the first files."""
        return {path: one.document for path, one in self._readings.items() if one.document}

    def each_error(self) -> tuple[ConfigError, ...]:
        """The errors, each once: the same file may be given up for several parts."""
        return tuple({(e.path, e.line, e.message): e for e in self.errors}.values())
