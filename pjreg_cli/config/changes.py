"""What differs between two forms of one thing, in words that tell no secret (pure)."""

from __future__ import annotations

import dataclasses
import os.path
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import SecretStr

from pjreg_cli.api.configuration import Planned
from pjreg_cli.config.models import Registration
from pjreg_cli.config.secrets import MASK, masked_uri
from pjreg_cli.config.shown import registration_options


def place(path: str, line: int) -> str:
    """`file:line`, the file without its folder."""
    name = os.path.basename(path)
    return f"{name}:{line}" if line else name


#: what a reload may do to a transport that comes to nothing where it cannot be opened
_OPENS = ("opened", "reopened")


def registration_changes(old: Registration, new: Registration) -> tuple[str, ...]:
    """`option: old -> new` for each option that differs, as options are shown."""
    before = {option.name: option.values for option in registration_options(old, reveal=True)}
    after = {option.name: option.values for option in registration_options(new, reveal=True)}
    return tuple(
        f"{name}: {_shown(before.get(name, ()))} -> {_shown(after.get(name, ()))}"
        for name in sorted({**before, **after})
        if before.get(name) != after.get(name)
    )


def _shown(values: Iterable[str]) -> str:
    return ",".join(map(masked_uri, values))


def came_true(steps: Iterable[Planned], not_open: Mapping[str, str]) -> tuple[Planned, ...]:
    """What a reload was to do, as it has done it: transports that could not be opened, by name and
    why, were not."""
    return tuple(
        step._replace(
            action="not opened",
            because=(not_open[step.name].removeprefix(f"transport {step.name}: "),),
        )
        if step.kind == "transport" and step.action in _OPENS and step.name in not_open
        else step
        for step in steps
    )


def changes(old: object, new: object, without: Iterable[str] = ()) -> Iterator[str]:
    """`option: old -> new` for each option that differs; secrets masked."""
    for name in names_of_changes(old, new):
        if name not in without:
            before, after = (_text(getattr(one, name)) for one in (old, new))
            yield f"{name}: {before} -> {after}"


def names_of_changes(old: Any, new: Any) -> Iterator[str]:
    """The fields in which two of the same kind differ; `Any`: of whichever kind."""
    for field in dataclasses.fields(old):
        if field.compare and getattr(old, field.name) != getattr(new, field.name):
            yield field.name


def _text(value: object) -> str:
    if isinstance(value, SecretStr):
        return MASK if value.get_secret_value() else ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple) and len(value) == 2 and isinstance(value[1], int):
        return f"{value[0]}@{value[1]}"  # a name server, as it is written
    if isinstance(value, tuple):
        return ",".join(map(_text, value))
    if isinstance(value, dict) or hasattr(value, "items"):
        return "..."
    return masked_uri(str(value))
