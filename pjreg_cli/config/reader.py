"""Asterisk's configuration language: lines to sections that know their file and line.

Pure: lines come from a `Source`.  `read` is one pass without look-ahead; the text of a file is
never held as a whole, only the options found in it.  What makes Asterisk give up a whole file
raises `ConfigError` with the place; what it merely passes over becomes a remark.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol

from pjreg_cli.api.configuration import Level, Problem
from pjreg_cli.config.comments import BLANKS, Comments
from pjreg_cli.config.section import Section
from pjreg_cli.errors import ConfigError, excerpt

MAXIMUM_DEPTH: Final = 10
"""How deep includes may be nested."""

LONGEST_LINE: Final = 8190
"""The longest line Asterisk reads, in bytes without the line end; longer ones are skipped."""

_UTF_8: Final = ("utf-8", "surrogateescape")
_HEADER: Final = re.compile(r"\[[^\[\]]+\]")
_USUAL: Final = 1000  # a line that is no longer than this is not too long
_REMEMBERED: Final = 4096  # lines worth recognizing: templates repeat them, accounts do not
#: nearly every option: nothing in it but printable ASCII, no comment, no `+=` and no `=>`
_OPTION: Final = re.compile(
    r"([A-Za-z_][\w./-]*) *= *([!-:<=?-~](?:[ -:<-~]*[!-:<-~])?) *\n?", re.ASCII
)
_CUT: Final = re.compile(r"[^\s\\;];([A-Za-z][A-Za-z0-9.-]*(?:=[^\s;]*)?)?")
_DIRECTIVES: Final = ("include", "tryinclude", "exec")


class Source(Protocol):
    """Where lines come from."""

    def lines(self, path: str) -> Iterable[str]:
        """The lines of a file with their line ends, read as they are asked for; raises OSError
        when it cannot be opened or read."""
        ...

    def find(self, pattern: str) -> Sequence[str]:
        """Paths of the regular files that a name or wildcard of an #include means, sorted; a
        relative one counts from the configuration directory."""
        ...


class Cut(NamedTuple):
    """An unescaped semicolon right behind a value: the rest of the line was a comment."""

    path: str
    line: int
    text: str
    """The word behind it that looks like a parameter; empty without one."""


_LONGEST_NAME: Final = 79
"""Bytes of a section's name that count."""


class _Step(NamedTuple):
    """A file that is being read, and the line that included it."""

    path: str
    by: str
    """The path of that line; empty for the first file."""
    line: int


_Steps = tuple[_Step, ...]


@dataclass(slots=True, eq=False, repr=False)
class Document:
    """A file with everything it includes."""

    sections: list[Section] = field(default_factory=list)
    """All of them, templates too, in file order."""
    remarks: list[Problem] = field(default_factory=list)
    """What was passed over."""
    cuts: list[Cut] = field(default_factory=list)
    """Comments that look like the rest of a value."""


def read(path: str, source: Source, forgiving: bool = False, added: str = "") -> Document:
    """Read a file and its includes; raises ConfigError when Asterisk would give it up.

    Where it is there and was not included anyway, the file `added` is read behind it.

    A forgiving reader notes each reason to give up as an error and goes on, so that all that is
    wrong comes to light at once; it raises only when the file itself cannot be read.
    """
    reader = _Reader(source, forgiving)
    try:
        reader.file(path, ())
    except OSError as error:
        raise ConfigError(f"cannot be read: {_why(error)}", path) from error
    if added and reader.opened.isdisjoint(source.find(added)):
        reader.current = None
        reader.include(added, True, 0, (_Step(path, "", 0),))
    return reader.document


def given_up(error: ConfigError) -> Problem:
    """What to tell of a file that is given up."""
    fate = "at the start nothing of it is configured, on a reload everything stays as it was"
    message = f"the whole file is given up: {error.message}; {fate}"
    return Problem(error.path, error.line, Level.ERROR, message)


class _Reader:
    """What is known while one document is read."""

    def __init__(self, source: Source, forgiving: bool) -> None:
        self.source = source
        self.forgiving = forgiving
        self.exhausted = False
        """Includes were nested too deeply: no more are followed, as they may go in circles."""
        self.document = Document()
        self.current: Section | None = None
        self.by_name: dict[str, list[Section]] = {}
        self.seen: dict[str, tuple[str, str]] = {}
        self.keys: dict[str, str] = {}
        self.opened: set[str] = set()

    def file(self, path: str, above: _Steps, by: str = "", line: int = 0) -> None:
        """Read one file, included `by` a line; it begins in the section that was current."""
        steps = (*above, _Step(path, by, line))
        if len(steps) > MAXIMUM_DEPTH:
            self.exhausted = True
            self.too_deep(steps)
            return
        self.opened.add(path)
        comments = Comments()
        seen, keys = self.seen, self.keys
        section = self.current
        append = section.entries.append if section else None
        number = 0
        # Most lines are options, and many repeat; what is not plain leaves the fast lane.
        for raw in self.source.lines(path):
            number += 1
            pair = seen.get(raw)
            if append is not None and not comments.depth:
                if pair is not None:
                    append((pair[0], pair[1], number, path))
                    continue
                if len(raw) <= _USUAL and (plain := _OPTION.fullmatch(raw)):
                    key, value = plain.groups()
                    key = keys.setdefault(key, key)
                    append((key, value, number, path))
                    if len(seen) < _REMEMBERED:
                        seen[raw] = (key, value)
                    continue
            if raw == "\n":
                continue
            if ";" in raw or comments.depth:
                text = comments.strip(raw, number)
                if text is None:
                    continue
                if ";" in raw and (cut := _CUT.search(raw)):
                    self.document.cuts.append(Cut(path, number, cut[1] or ""))
            else:
                text = raw.strip() if raw.isascii() else raw.strip(BLANKS)
            if "\0" in text:
                self.remark(path, number, "a NUL byte ends the line; what follows it is not read")
                text = text.partition("\0")[0].rstrip(BLANKS)
            if not text:
                continue
            if len(raw) > LONGEST_LINE and _too_long(raw):
                self.remark(path, number, "the line is too long and skipped")
            elif text[0] == "[":
                section = self.header(text, path, number) or section
                append = section.entries.append if section else None
            elif text[0] == "#":
                self.directive(text, number, steps)
                append = section.entries.append if section else None
            elif section is None:
                self.give_up("an option stands before the first section", path, number)
            else:
                self.option(section, raw, text, path, number)
        if comments.depth:
            self.remark(path, comments.opened, "the comment ';--' that begins here never ends")

    def option(self, section: Section, raw: str, text: str, path: str, number: int) -> None:
        """Take up `key = value`, `key => value` or `key += value`."""
        escaped = text[0] == "\\"
        if escaped:
            text = text[1:]
            if not text or text[0] < "!":
                self.give_up("a backslash must be followed by a character", path, number)
                return
        at = text.find("=", 1 if escaped else 0)
        if at < 0:
            # nothing of it is repeated: it may be the rest of a password that was broken in two
            header = "; a section's header must begin its line" if _HEADER.search(text) else ""
            self.remark(path, number, f"a line without '=' is skipped{header}")
            return
        key, value = text[:at], text[at + 1 :]
        more = at > 0 and key[-1] == "+" and not (escaped and at == 1)
        if more:
            key = key[:-1]
        elif value[:1] == ">":
            value = value[1:]
        key, behind, value = key.strip(BLANKS), value.rstrip(BLANKS), value.strip(BLANKS)
        if not key:
            self.remark(path, number, "an option without a name is skipped")
            return
        key = self.keys.setdefault(key, key)
        # blanks between += and the value belong to it
        if more and _extend(section, key, behind, number, path):
            return
        section.entries.append((key, value, number, path))
        if not more and len(self.seen) < _REMEMBERED and ";" not in raw:
            self.seen[raw] = (key, value)

    def header(self, text: str, path: str, number: int) -> Section | None:
        """Take up `[name]` and what stands in the parentheses right behind it; None when it is
        unusable."""
        name, bracket, rest = text[1:].partition("]")
        if not bracket:
            self.give_up("a section's header has no closing ']'", path, number)
            return None
        if len(name) > _LONGEST_NAME // 4 and len(octets := name.encode(*_UTF_8)) > _LONGEST_NAME:
            # origin: keeps names in 80 bytes
            self.remark(path, number, f"the name is cut to {_LONGEST_NAME} bytes")
            name = octets[:_LONGEST_NAME].decode(*_UTF_8)
        section = Section(name, path, number)
        words: list[str] = []
        if rest[:1] == "(":
            inside, parenthesis, rest = rest[1:].partition(")")
            if not parenthesis:
                self.give_up(f"the header [{excerpt(name)}] has no closing ')'", path, number)
            words = inside.split(",")
        if rest.strip(BLANKS):
            self.remark(path, number, f"what stands behind [{excerpt(name)}] is ignored")
        new = True
        for word in words:
            if word == "!":
                section.template = True
            elif word[:1] == "+":
                found = self.added_to(name, word[1:], path, number)
                if found is not None:
                    found.entries.extend(section.entries)
                    section, new = found, False
            elif word and (base := self.base(word, path, number)) is not None:
                section.entries.extend(base.entries)
        if self.current is not None and self.current is not section:
            self.current.pack()
        if new:
            self.document.sections.append(section)
            self.by_name.setdefault(name.lower(), []).append(section)
        self.current = section
        return section

    def added_to(self, name: str, condition: str, path: str, number: int) -> Section | None:
        """The section that `(+)` means: the first of that name that is no template."""
        for section in self.by_name.get(name.lower(), ()):
            if _fits(section, condition):
                return section
        self.give_up(f"(+) adds to [{excerpt(name)}], which does not exist", path, number)
        return None

    def base(self, name: str, path: str, number: int) -> Section | None:
        """The section to inherit from: a template or any other, the first of that name."""
        found = self.by_name.get(name.lower())
        if not found:
            self.give_up(f"the template '{excerpt(name)}' does not exist", path, number)
            return None
        return found[0]

    def directive(self, text: str, number: int, steps: _Steps) -> None:
        """Follow an include, pass over everything else that begins with `#`."""
        path = steps[-1].path
        word, *rest = [*text[1:].split(None, 1), ""]
        kind = word.lower()
        target = _unquoted(rest[0].strip(BLANKS)) if rest else ""
        if kind == "exec":
            self.remark(path, number, "#exec is not carried out")
        elif kind not in _DIRECTIVES:
            near = difflib.get_close_matches(kind[:80], _DIRECTIVES, 1)
            hint = f", did you mean '#{near[0]}'?" if near else ""
            self.remark(path, number, f"an unknown directive is skipped{hint}")
        elif not target:
            self.remark(path, number, f"#{kind} without a file is skipped")
        else:
            self.include(target, kind == "tryinclude", number, steps)

    def include(self, target: str, tried: bool, number: int, steps: _Steps) -> None:
        """Read what an include names; only a tried one may lead nowhere or to a broken file."""
        path, found, why = steps[-1].path, 0, "no such file"
        for one in () if self.exhausted else self.source.find(target):
            found += 1
            try:
                self.file(one, steps, path, number)
            except OSError as error:
                # origin: a file that cannot be opened counts as one that is not there
                found, why = found - 1, f"cannot be read: {_why(error)}"
            except ConfigError as error:
                if not tried:
                    raise
                # origin: what was read of it before the mistake stays
                message = f"the rest of the file is not read: {error.message}"
                self.remark(error.path, error.line, message)
        if not found and not tried and not self.exhausted:
            self.give_up(f"#include of '{excerpt(target)}': {why}", path, number)

    def too_deep(self, steps: _Steps) -> None:
        """Tell of includes that go in a circle at the line that closes it, else at the last one."""
        opened: set[str] = set()
        for step in steps:
            if step.path in opened:
                message = f"this includes '{excerpt(step.path)}', which is being read: a circle"
                self.give_up(message, step.by, step.line)
                return
            opened.add(step.path)
        last = steps[-1]
        self.give_up(f"includes are nested deeper than {MAXIMUM_DEPTH}", last.by, last.line)

    def give_up(self, message: str, path: str, number: int) -> None:
        """Give the whole document up, or just say that Asterisk would."""
        if not self.forgiving:
            raise ConfigError(message, path, number)
        self.document.remarks.append(given_up(ConfigError(message, path, number)))

    def remark(self, path: str, number: int, message: str) -> None:
        self.document.remarks.append(Problem(path, number, Level.WARNING, message))


def _extend(section: Section, key: str, value: str, number: int, path: str) -> bool:
    """Append to the last value of a key; False when there is none."""
    entries = section.entries
    for index in range(len(entries) - 1, -1, -1):
        if entries[index][0] == key:
            entries[index] = (key, entries[index][1] + value, number, path)
            return True
    return False


def _fits(section: Section, condition: str) -> bool:
    """Whether a section meets what stands behind the `+` of `(+...)`: options and expressions
    joined by `&`, and whether templates are meant (`TEMPLATES=include`, `restrict`)."""
    templates = ""
    for part in condition.split("&") if condition else ():
        key, _, expression = part.partition("=")
        if key.upper() == "TEMPLATES":
            templates = expression.lower()
            continue
        entry = section.last(key.lower())
        try:
            if entry is None or not re.search(expression, entry[1]):
                return False
        except re.error:
            return False
    if templates == "restrict":
        return section.template
    return templates == "include" or not section.template


def _why(error: OSError) -> str:
    """The system's words, without number and path."""
    return (error.strerror or str(error) or type(error).__name__).lower()


def _unquoted(text: str) -> str:
    """A file name without the quotes or angle brackets around it."""
    if len(text) > 1 and (text[0] + text[-1]) in ('""', "<>"):
        return text[1:-1]
    return text


def _too_long(raw: str) -> bool:
    return len(raw.rstrip("\n").encode(*_UTF_8)) > LONGEST_LINE
