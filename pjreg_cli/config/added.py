"""The file of registrations that were added at run time: its lines, and changes of them (pure).

It is an ordinary part of pjsip.conf, read behind it.  Lines that a change does not concern stay as
they are, so it may also be edited by hand.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum
from typing import Final, NamedTuple

from pjreg_cli.config.secrets import MASK, is_secret
from pjreg_cli.errors import PjregError, excerpt

ADDED: Final = "pjreg.d/registrations.conf"
"""Its name below the configuration directory."""

_HEAD: Final = """\
; Registrations added by `pjreg add`.  Read behind pjsip.conf; may be edited by hand.
"""
_HEADER = re.compile(r"\s*\[(?P<name>[^\[\]]+)\]")
_NAME = re.compile(r"[^\[\](),;\x00-\x1f\x7f]+")
_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
#: options that make an auth section beside the registration
_AUTH: Final = ("username", "password", "realm", "md5_cred", "auth_type")
_AUTH_SUFFIX: Final = "-auth"


class Verb(Enum):
    """What is to happen to one registration."""

    ADD = "add"
    SET = "set"
    REMOVE = "remove"


class Change(NamedTuple):
    """A change of one registration."""

    verb: Verb
    name: str
    options: Mapping[str, str]
    who: str
    """Who asked, for the log."""

    @property
    def told(self) -> str:
        """The change for the log, without secrets."""
        pairs = (f"{key}={MASK if is_secret(key) else value}" for key, value in self.sorted())
        return " ".join([f"pjreg {self.verb.value} {self.name}", *pairs])

    def sorted(self) -> list[tuple[str, str]]:
        """Its options by name."""
        return sorted(self.options.items())


class ChangeError(PjregError):
    """A change that cannot be made; the text says why."""


def checked(change: Change) -> Change:
    """The change, if its words can stand in a file at all; raises ChangeError."""
    if not _NAME.fullmatch(change.name) or change.name != change.name.strip():
        raise ChangeError(f"'{excerpt(change.name)}' cannot be the name of a section")
    for key, value in change.options.items():
        if not _KEY.fullmatch(key):
            raise ChangeError(f"'{excerpt(key)}' is no option")
        if any(sign in value for sign in "\n\r\0"):
            raise ChangeError(f"{key}: a value is one line")
    if change.verb is not Verb.REMOVE and not change.options:
        raise ChangeError("there is nothing to set: give key=value")
    return change


def changed(text: str, change: Change) -> str:
    """The file after a change; raises ChangeError."""
    blocks = _blocks(text or _HEAD)
    known = {block.name for block in blocks}
    if change.verb is Verb.ADD:
        if change.name in known:
            raise ChangeError(f"{change.name} was added already: use pjreg set")
        return text_of(blocks) + _new(change)
    if change.name not in known:
        raise ChangeError(f"{change.name} was not added by pjreg add")
    auth = f"{change.name}{_AUTH_SUFFIX}"
    if change.verb is Verb.REMOVE:
        return text_of([block for block in blocks if block.name not in (change.name, auth)])
    of_auth = {key: value for key, value in change.options.items() if key in _AUTH}
    own = {key: value for key, value in change.options.items() if key not in _AUTH}
    if of_auth and auth not in known:
        blocks.append(_Block(auth, [f"\n[{auth}]\n", "type = auth\n"]))
        own.setdefault("outbound_auth", auth)
    for block in blocks:
        _set(block, own if block.name == change.name else of_auth if block.name == auth else {})
    return text_of(blocks)


class _Block(NamedTuple):
    """A section: its head and what follows up to the next; the first has no name."""

    name: str
    lines: list[str]


def text_of(blocks: list[_Block]) -> str:
    """The blocks as a file."""
    return "".join(line for block in blocks for line in block.lines)


def _blocks(text: str) -> list[_Block]:
    blocks = [_Block("", [])]
    for line in text.splitlines(keepends=True):
        whole = line if line.endswith("\n") else line + "\n"
        if found := _HEADER.match(whole):
            blocks.append(_Block(found["name"], []))
        blocks[-1].lines.append(whole)
    return blocks


def _new(change: Change) -> str:
    of_auth = {key: value for key, value in change.sorted() if key in _AUTH}
    own = {key: value for key, value in change.sorted() if key not in _AUTH}
    lines = [f"\n[{change.name}]\n", "type = registration\n"]
    if of_auth:
        auth = f"{change.name}{_AUTH_SUFFIX}"
        own.setdefault("outbound_auth", auth)
        lines += [_line(key, value) for key, value in own.items()]
        lines += [f"\n[{auth}]\n", "type = auth\n"]
        lines += [_line(key, value) for key, value in of_auth.items()]
    else:
        lines += [_line(key, value) for key, value in own.items()]
    return "".join(lines)


def _set(block: _Block, options: Mapping[str, str]) -> None:
    """Put options in place of those the block has, or behind its head."""
    for key, value in options.items():
        own = re.compile(rf"\s*{re.escape(key)}\s*=", re.IGNORECASE)
        at = [number for number, line in enumerate(block.lines) if own.match(line)]
        for number in reversed(at[1:]):
            del block.lines[number]
        if at:
            block.lines[at[0]] = _line(key, value)
        else:
            block.lines.insert(min(2, len(block.lines)), _line(key, value))


def _line(key: str, value: str) -> str:
    escaped = value.replace(";", "\\;")
    return f"{key} = {escaped}\n"
