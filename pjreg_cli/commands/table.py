"""Commands as words: matching them, listing them in Asterisk's order, guessing what was meant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pjreg_cli.commands.command import Answer, Command
from pjreg_cli.commands.words import joined, tokenise
from pjreg_cli.errors import nearest

#: summary and usage of an alias
ALIASED = "Aliased CLI Command"

#: Commands of the origin that we have not.  That they exist shows in what it suggests for an
#: unknown command, so they take part in the guess.
_ELSEWHERE = ("!", "pjsip qualify", "config list")


@dataclass(frozen=True, slots=True)
class Syntax:
    """A command with its words taken apart."""

    command: Command
    words: tuple[tuple[str, ...], ...]
    """The alternatives of each word, in lower case."""
    offered: tuple[tuple[str, ...], ...]
    """The same as they are spelt, for suggestions."""
    optional: bool = False
    """The last word may be left out."""
    expansion: str = ""
    """Of an alias: what it stands for."""

    @property
    def fixed(self) -> int:
        """How many words there must be."""
        return len(self.words) - self.optional

    @property
    def given(self) -> int:
        """How many words leave no choice; what is typed behind them are the arguments."""
        return sum(len(alternatives) == 1 for alternatives in self.words[: self.fixed])

    def begins(self, words: Sequence[str]) -> bool:
        """Whether `words` are the first words of this command."""
        return len(words) <= len(self.words) and all(map(_is, words, self.words))

    def takes(self, words: Sequence[str]) -> int:
        """How many of `words`, from the first on, this command takes; 0: it is not meant."""
        if len(words) < self.fixed or not all(map(_is, words, self.words[: self.fixed])):
            return 0
        more = self.optional and len(words) > self.fixed
        return self.fixed + (more and _is(words[self.fixed], self.words[-1]))


def _is(word: str, alternatives: tuple[str, ...]) -> bool:
    return word.casefold() in alternatives


def syntax(command: Command) -> Syntax:
    """The words of a command: plain ones, `{a|b}`, and at the end perhaps `[a]`."""
    offered = [tuple(word.strip("{}[]").split("|")) for word in command.words.split(" ")]
    return _syntax(command, offered, optional=command.words.endswith("]"))


def _syntax(
    command: Command,
    offered: Iterable[tuple[str, ...]],
    optional: bool = False,
    expansion: str = "",
) -> Syntax:
    spelt = tuple(offered)
    words = tuple(tuple(word.casefold() for word in alternatives) for alternatives in spelt)
    return Syntax(command, words, spelt, optional, expansion)


def elsewhere() -> list[Syntax]:
    """Commands that only the origin has."""
    return [syntax(Command(words, "", "", _expanded)) for words in _ELSEWHERE]


def aliases(defined: Mapping[str, str], commands: Sequence[Syntax]) -> list[Syntax]:
    """The aliases in use; one that an existing command would shadow is dropped."""
    result = []
    for alias, expansion in defined.items():
        words = [token.text for token in tokenise(alias).words]
        if words and not any(known.takes(words) == len(words) for known in commands):
            command = Command(alias, f"{ALIASED}\n", ALIASED, _expanded)
            result.append(_syntax(command, ((word,) for word in words), expansion=expansion))
    return result


def _expanded(_call: object) -> Answer:
    """An alias is expanded, never run."""
    return Answer()


def listed(commands: Iterable[Syntax]) -> list[Syntax]:
    """In the order of `core show help`: each goes before the first that its letters precede.

    Only the letters both have count, so `show registrations` and `show registration` stay in the
    order they came in.
    """
    result: list[Syntax] = []
    for new in commands:
        plain = _plain(new)
        for at, old in enumerate(result):
            other = _plain(old)
            common = min(len(plain), len(other))
            if plain[:common] < other[:common]:
                result.insert(at, new)
                break
        else:
            result.append(new)
    return result


def _plain(known: Syntax) -> str:
    """A command's words up to its alternatives."""
    return known.command.words.split("{")[0].split("[")[0].casefold()


def find(commands: Iterable[Syntax], words: Sequence[str]) -> Syntax | None:
    """The command that takes the most of `words`."""
    best, most = None, 0
    for known in commands:
        count = known.takes(words)
        if count > most:
            best, most = known, count
    return best


def exactly(commands: Iterable[Syntax], words: Sequence[str]) -> Syntax | None:
    """The command of just these words, as help looks for it: its alternatives are not resolved."""
    for known in commands:
        whole = len(words) == known.takes(words) and known.given == known.fixed
        if whole and words:
            return known
    return None


def guess(commands: Iterable[Syntax], words: Sequence[str]) -> str:
    """How much of an unknown command is worth asking help for.

    Word after word, up to and with the first for which no command has just as many words and all
    of them but the last.
    """
    known = [*commands, *elsewhere()]
    for count in range(1, len(words) + 1):
        before = words[: count - 1]
        if not any(len(c.words) == count and all(map(_is, before, c.words)) for c in known):
            return joined(words[:count])
    return joined(words)


def nearest_to(commands: Iterable[Syntax], words: Sequence[str]) -> str:
    """The command most likely meant by words that call none; empty if nothing is close."""
    meant: list[str] = []
    every = list(commands)
    for at, word in enumerate(words):
        left = [known for known in every if len(known.words) > at and known.begins(meant)]
        offered = [other for known in left for other in known.offered[at]]
        if not offered:
            break
        small = word.casefold()
        begun = sorted({other for other in offered if other.casefold().startswith(small)}, key=len)
        best = begun[0] if begun else nearest(word, offered)
        if not best:
            return ""
        meant.append(best)
    taken = find(every, meant)
    if taken is None:
        return ""
    return joined([*meant, *words[len(meant) :]])
