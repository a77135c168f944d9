"""Options of our own commands: `--columns a,b`, `--sort=name`, `--csv`."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pjreg_cli.commands.command import Choice
from pjreg_cli.errors import PjregError, excerpt, hint


class OptionError(PjregError):
    """An option of a command that cannot be understood."""


@dataclass(frozen=True, slots=True)
class Given:
    """The arguments of a command, told apart."""

    words: tuple[str, ...]
    flags: frozenset[str]
    values: Mapping[str, str] = field(default_factory=dict)

    def number(self, name: str, default: float, most: float) -> float:
        """A number of seconds; raises OptionError."""
        text = self.values.get(name)
        if text is None:
            return default
        try:
            value = float(text)
        except ValueError:
            value = -1.0
        if not 0 <= value <= most:
            raise OptionError(f"{name} takes 0 to {most:.0f}, not '{excerpt(text)}'")
        return value


def told_apart(args: Sequence[str], flags: Collection[str], values: Collection[str] = ()) -> Given:
    """Words, flags and options with a value; `--` ends the options.  Raises OptionError."""
    words: list[str] = []
    on: set[str] = set()
    given: dict[str, str] = {}
    rest = list(args)[::-1]
    while rest:
        word = rest.pop()
        name, assigned, value = word.partition("=")
        if word == "--":
            words += rest[::-1]
            break
        if not word.startswith("--"):
            words.append(word)
        elif name in flags and not assigned:
            on.add(name)
        elif name in values:
            if not assigned and not rest:
                raise OptionError(f"{name} needs a value")
            given[name] = value if assigned else rest.pop()
        else:
            known = hint(name, [*flags, *values])
            raise OptionError(f"there is no option {excerpt(name)} here{known}")
    return Given(tuple(words), frozenset(on), given)


def offered(
    args: Sequence[str], described: Mapping[str, str], choices: Mapping[str, Collection[str]]
) -> Iterator[Choice]:
    """The options that may follow, or the values of the one begun."""
    last = args[-1] if args else ""
    if last in choices:
        yield from map(Choice, choices[last])
        return
    for name, what in described.items():
        if name not in args:
            yield Choice(name, what)
