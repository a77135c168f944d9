"""Sections to objects: each type of pjsip.conf with the rules by which Asterisk refuses one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar

from pydantic import ValidationError

from pjreg_cli.api.configuration import Level, Problem
from pjreg_cli.config.call_options import CALLS
from pjreg_cli.config.changes import changes, place
from pjreg_cli.config.defects import (
    SERVER_PORTS,
    address,
    auth_defect,
    global_defect,
    raise_timers,
    transport_defect,
)
from pjreg_cli.config.models import Auth, Global, Registration, System, Transport
from pjreg_cli.config.passwords import PasswordError, fetch
from pjreg_cli.config.rules import Defect, Inspector
from pjreg_cli.config.secrets import is_secret
from pjreg_cli.config.section import Section
from pjreg_cli.config.types import OURS, option_names, validator
from pjreg_cli.config.words import LOWER, meant
from pjreg_cli.errors import excerpt

T = TypeVar("T", Registration, Auth, Transport, Global, System)

_REPEATED: Final[Mapping[type[Any], tuple[str, ...]]] = {
    Auth: ("password_digest",),
    Transport: ("local_net",),
}


@dataclass(slots=True, eq=False, repr=False)
class Built(Generic[T]):
    """What became of all sections of one type."""

    objects: dict[str, T] = field(default_factory=dict)
    """By name, in file order."""
    refused: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Names of refused sections and why."""
    problems: list[Problem] = field(default_factory=list)
    held: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Names of objects that have changed but keep their old form, and what has changed."""
    duplicate: Problem | None = None
    """The first name that occurs twice: then nothing of this type is taken over."""


def kind_of(section: Section) -> str:
    """The type of a section, empty without one; the last one counts."""
    kind = ""
    for option, value in section.options():
        if LOWER[option] == "type":
            kind = value
    return kind


def registrations(
    sections: Iterable[Section], inspector: Inspector, old: Mapping[str, Registration]
) -> Built[Registration]:
    """Registrations; one that is invalid now keeps its form of `old`."""
    return _build(sections, Registration, old, inspector.defect)


def transports(
    sections: Iterable[Section], readable: Callable[[str], bool], old: Mapping[str, Transport]
) -> Built[Transport]:
    """Transports; `readable` tells whether a file can be read.  One that does not allow to be
    reloaded keeps its form of `old`."""

    def defect(transport: Transport) -> Defect | None:
        return transport_defect(transport, readable)

    built = _build(sections, Transport, old, defect, _with_address)
    for name, transport in built.objects.items():
        before = old.get(name)
        if before is not None and before != transport and not transport.allow_reload:
            built.objects[name] = before
            built.held[name] = tuple(changes(before, transport))
            path, _, line = transport.source.rpartition(":")
            message = f"[{name}] has changed, but takes effect only after a restart (allow_reload)"
            built.problems.append(Problem(path, int(line), Level.WARNING, message))
    return built


def auths(sections: Iterable[Section], global_: Global, old: Mapping[str, Auth]) -> Built[Auth]:
    """Auth sections; the global section names the algorithms of those that name none."""

    def complete(values: dict[str, Any]) -> None:
        try:
            password = fetch(values, values["source"])
        except PasswordError as error:
            raise _Refused([Defect(error.option, str(error))]) from error
        if password is not None:
            values["password"] = password
        values.setdefault("supported_algorithms_uac", global_.default_auth_algorithms_uac)
        values.setdefault("supported_algorithms_uas", global_.default_auth_algorithms_uas)

    return _build(sections, Auth, old, auth_defect, complete)


def globals_(sections: Iterable[Section], old: Mapping[str, Global]) -> Built[Global]:
    """The `global` section, under the name `global` whatever it is called."""
    return _build(_renamed(sections, "global"), Global, old, global_defect)


def systems(sections: Iterable[Section], old: Mapping[str, System]) -> Built[System]:
    """The `system` section, under the name `system` whatever it is called."""
    named = _renamed(sections, "system")
    built = _build(named, System, old, _no_defect, _pools)
    system = built.objects.get("system")
    if system is not None and not built.refused:
        built.objects["system"], problems = raise_timers(system, named[0])
        built.problems += problems
    return built


def _renamed(sections: Iterable[Section], name: str) -> list[Section]:
    return [Section(name, s.path, s.line, entries=s.entries) for s in sections]


# -- making one object ------------------------------------------------------------------------


class _Refused(Exception):  # noqa: N818 -- a signal inside this module, not an error of its own
    """A section cannot become an object."""

    def __init__(self, flaws: Sequence[Defect]) -> None:
        super().__init__()
        self.flaws = flaws


Complete = Callable[[dict[str, Any]], None]
"""Adds what follows from the values of a section; raises _Refused."""


def _build(
    sections: Iterable[Section],
    model: type[T],
    old: Mapping[str, T],
    defect: Callable[[T], Defect | None],
    complete: Complete | None = None,
) -> Built[T]:
    """All sections of one type, in file order."""
    built: Built[T] = Built()
    objects = built.objects
    make: Callable[[Section], T] | None = None
    for section in sections:
        if section.name in objects:
            problem = _duplicate(section, model)
            built.problems.append(problem)
            # origin: of two transports it opens the first
            if model is not Transport:
                built.duplicate = built.duplicate or problem
            continue
        # only now: most kinds of sections are in no file
        make = make or _maker(model, complete)
        try:
            made = make(section)
            found = defect(made)
            if found is None:
                objects[section.name] = _same(old.get(section.name), made)
                section.pack()
                continue
            flaws: Sequence[Defect] = (found,)
        except _Refused as refusal:
            flaws = refusal.flaws
        _refuse(built, section, flaws, old.get(section.name))
    return built


def _same(former: T | None, made: T) -> T:
    """The former object, if the new one is no different: it is kept elsewhere, too, and two of
    each would take the room of two."""
    same = former == made and former.source == made.source
    return former if former is not None and same else made


def _maker(model: type[T], complete: Complete | None) -> Callable[[Section], T]:
    """How to make one object of a section; what it returns raises _Refused."""
    validate = validator(model)
    named = model not in (Global, System)
    repeated = _REPEATED.get(model, ())

    def make(section: Section) -> T:
        values: dict[str, Any] = {LOWER[option]: value for option, value in section.options()}
        values.pop("type", None)
        if not OURS.isdisjoint(values):
            raise _Refused([_unknown(key, model) for key in values if key in OURS])
        for key in repeated:
            if key in values:
                values[key] = [entry[1] for entry in section.all(key) if entry[1]]
        if named:
            values["name"] = section.name
            if section.wizard:
                values["wizard"] = section.wizard
        values["source"] = f"{section.path}:{section.line}" if section.line else section.path
        if complete is not None:
            complete(values)
        try:
            return validate(values)
        except ValidationError as error:
            flaws = _flaws(error, values, model)
        # origin: options that begin with @ are notes of other programs
        noted = [flaw for flaw in flaws if flaw.option[:1] == "@"]
        if not noted or len(noted) < len(flaws):
            raise _Refused([flaw for flaw in flaws if flaw not in noted])
        return validate({key: value for key, value in values.items() if key[:1] != "@"})

    return make


def _flaws(error: ValidationError, values: Mapping[str, Any], model: type[T]) -> list[Defect]:
    """What the validator found, in our words; secrets are not repeated."""
    flaws: dict[str, Defect] = {}
    for one in error.errors(include_url=False, include_input=False):
        option = str(one["loc"][0]) if one["loc"] else ""
        if one["type"] == "unexpected_keyword_argument":
            flaws.setdefault(option, _unknown(option, model))
            continue
        cause = one.get("ctx", {}).get("error")
        reason = str(cause) if cause is not None else one["msg"].lower()
        value = values.get(option)
        shown = f"'{excerpt(value)}' " if isinstance(value, str) and not is_secret(option) else ""
        flaws.setdefault(option, Defect(option, f"{option}: {shown}{reason}"))
    return list(flaws.values())


def _unknown(option: str, model: type[Any]) -> Defect:
    if option in CALLS and model is Registration:
        return Defect(option, f"'{option}' is an option of calls (type={CALLS[option]})")
    hint = meant(option, option_names(model))
    return Defect(option, f"unknown option '{excerpt(option)}'{hint}")


def _refuse(built: Built[T], section: Section, flaws: Sequence[Defect], old: T | None) -> None:
    """Note why a section is refused, at the lines to blame; what is in force stays."""
    name = section.name
    fate = "the form in force stays" if old is not None else "the section is left out"
    reasons = []
    for option, found in flaws:
        message = _UNTOLD if _may_be_secret(section, option, found) else found
        entry = section.last(option) if option else None
        path, line = (entry[3], entry[2]) if entry else (section.path, section.line)
        if option and not line:
            path = f"{path}.{option}"  # a column of a table
        text = f"[{excerpt(name)}] is refused: {message}; {fate}"
        built.problems.append(Problem(path, line, Level.ERROR, text))
        reasons.append(f"{place(path, line)}: {message}")
    built.refused[name] = tuple(reasons)
    if old is not None:
        built.objects[name] = old


_UNTOLD: Final = "an unknown option; it may be the rest of the secret in the line above"


def _may_be_secret(section: Section, option: str, message: str) -> bool:
    """Whether an unknown option may be the second half of a secret that was broken in two."""
    entry = section.last(option) if option else None
    if entry is None or "did you mean" in message or "unknown option" not in message:
        return False
    return any(
        is_secret(one[0]) and (one[3], one[2] + 1) == (entry[3], entry[2])
        for one in section.entries
    )


def _duplicate(section: Section, model: type[Any]) -> Problem:
    kind = model.__name__.lower()
    fate = (
        f"at the start no {kind} section at all is taken over, on a reload everything of the kind"
        " stays as it was"
    )
    if model is Transport:
        fate = "the first one counts"
    return Problem(
        section.path,
        section.line,
        Level.ERROR,
        f"a second {kind} section named [{excerpt(section.name)}]: {fate}",
    )


def _pools(values: dict[str, Any]) -> None:
    """Of what has a former and a present name, both show what either says."""
    for option in ("auto_increment", "idle_timeout", "initial_size", "max_size"):
        former, present = f"threadpool_{option}", f"taskpool_{option}"
        if former in values:
            values[present] = values[former]
        elif present in values:
            values[former] = values[present]


def _no_defect(_: object) -> None:
    return None


def _with_address(values: dict[str, Any]) -> None:
    """Take `bind` apart into host and port."""
    bind = values.get("bind", "").strip()
    if not bind and values.get("protocol", "").lower() == "flow":
        # origin: such a transport shares the one below it
        values["host"], values["port"] = "", 0
        return
    if not bind:
        raise _Refused([Defect("", "bind is missing")])
    default = SERVER_PORTS.get(values.get("protocol", "udp").lower(), 5060)
    found = address(bind, default)
    if found is None:
        raise _Refused([Defect("bind", f"bind: '{excerpt(bind)}' is no address")])
    values["host"], values["port"] = found
