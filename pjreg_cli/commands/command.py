"""What a command is made of: who asks, what is asked, what is answered."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple, TypeVar

from pjreg_cli.api.notices import Settled
from pjreg_cli.api.port import Api
from pjreg_cli.commands.outcomes import Outcomes
from pjreg_cli.dialects import Dialect


class Kind(Enum):
    """Who asks."""

    ONE_SHOT = "one-shot"
    CONSOLE = "console"
    """The console in the terminal of the instance itself."""
    REMOTE = "remote"
    MANAGER = "manager"
    """The AMI action `Command`."""

    @property
    def interactive(self) -> bool:
        """Whether somebody types: then `help`, `quit` and the like are commands, too."""
        return self in (Kind.CONSOLE, Kind.REMOTE)


@dataclass(slots=True)
class Console:
    """One asker: a console, a remote console, a one-shot command, an AMI session."""

    port: Api
    kind: Kind
    dialect: Dialect
    json: bool = False
    verbose: int = 0
    """The verbosity of this console alone; `core set verbose` changes it."""
    width: int = 0
    """Columns of the asker's terminal; 0: it has none."""
    muted: bool = False
    """No log messages on this console; `logger mute` changes it."""
    permitted: Callable[[str], bool] | None = None
    """Whether a command may be given here (its words, aliases followed, with single blanks); None:
    all of them."""
    follows: bool = False
    """A one-shot at a terminal: it waits for what comes of what it has asked for."""
    outcomes: Outcomes = field(default_factory=Outcomes)
    """Of `register` and `unregister` that it has asked for."""

    def told(self, notice: Settled) -> str:
        """A line on an outcome of what it has asked for; empty when it is none."""
        return self.outcomes.told(notice)


@dataclass(frozen=True, slots=True)
class Reply:
    """What a line was answered."""

    output: Iterable[str]
    """Chunks of whole lines, exactly the text to print; may be lazy and long."""
    ok: bool
    """False: exit status 1.  Whatever says so to a reader is part of `output` already."""
    quit: bool = False
    """The console that asked should close."""
    complaints: tuple[str, ...] = ()
    """Lines for stderr."""
    remarks: tuple[str, ...] = ()
    """Lines on what came of it, for a one-shot that follows."""
    rest: AsyncGenerator[str, None] | None = None
    """What follows the output, where that must be waited for piece by piece; see `pieces`."""
    failed: bool = False
    """What the AMI action `Command` calls an error: an unknown command, a usage text, `Command
    '...' failed.`  A name that does not exist is none, though its exit status is 1."""


async def pieces(reply: Reply) -> AsyncGenerator[str, None]:
    """All of a reply's output, in chunks; raises PjregError where it breaks off.  Who does not want
    all of it closes this."""
    for piece in reply.output:
        yield piece
    if reply.rest is not None:
        async with aclosing(reply.rest) as rest:
            async for piece in rest:
                yield piece


class Verdict(Enum):
    """How a command ended."""

    DONE = "done"
    NEGATIVE = "negative"
    """It ran, and the answer is no: what it asks for does not exist, or is not as it should be."""
    FAILED = "failed"
    """`Command '...' failed.` follows its output."""
    USAGE = "usage"
    """It was not understood: its usage is the answer."""
    UNKNOWN = "unknown"
    """There is no such command."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a handler gives back."""

    output: Iterable[str] = ()
    verdict: Verdict = Verdict.DONE
    quit: bool = False
    complaints: tuple[str, ...] = ()
    """What is wrong, where the output must not say it: on stderr of a one-shot, behind the output
    of everybody else."""
    remarks: tuple[str, ...] = ()
    """What came of it, where the output does not say it: on the terminal of a one-shot."""
    rest: AsyncGenerator[str, None] | None = None
    """What follows the output, or JSON, and must be waited for."""
    text: Callable[[], Iterable[str]] | None = None
    """Makes the output, where a machine gets something else (`tell`)."""
    shape: Callable[[], Iterable[str]] | None = None
    """Makes what a machine gets: JSON.  None: it gets the lines of the output as a list."""


USAGE = Answer(verdict=Verdict.USAGE)
_Views = TypeVar("_Views")


def tell(
    views: _Views,
    text: Callable[[_Views], Iterable[str]],
    shape: Callable[[_Views], Iterable[str]],
    verdict: Verdict = Verdict.DONE,
) -> Answer:
    """Answer with what was found: as text to a reader, as JSON to a machine.

    Only the one that is wanted is made; which, is decided where the line was run.
    """
    return Answer(verdict=verdict, text=lambda: text(views), shape=lambda: shape(views))


def say(*lines: str) -> Answer:
    """Answer with these lines, each without its line end."""
    return Answer([f"{line}\n" for line in lines])


def absent(*lines: str) -> Answer:
    """Say that something does not exist."""
    return Answer([f"{line}\n" for line in lines], Verdict.NEGATIVE)


def failed(*lines: str) -> Answer:
    """Say why the command failed."""
    return Answer([f"{line}\n" for line in lines], Verdict.FAILED)


@dataclass(frozen=True, slots=True)
class Call:
    """A command about to run."""

    console: Console
    line: str
    """As typed, or as an alias expanded it."""
    args: tuple[str, ...]
    """The words behind those that are fixed, quotes resolved.  Of `{a|b}` and `[a]` at the end of
    a command's words, what was typed is the first argument."""
    tail: str
    """The raw text of `args`."""

    @property
    def port(self) -> Api:
        """The instance asked."""
        return self.console.port


class Suggestion(NamedTuple):
    """One word that may follow."""

    text: str
    """To be typed in place of what stands from `start_position` on; quoted where it must be."""
    start_position: int
    """Relative to the cursor: minus the length of the word begun."""
    description: str = ""


class Suggestions(list[Suggestion]):
    """Words that may follow; of very many the first, and the last."""

    def __init__(self, shown: Iterable[Suggestion] = (), more: int = 0) -> None:
        super().__init__(shown)
        self.more = more
        """How many others there are."""


class Choice(NamedTuple):
    """A possible argument, not yet quoted."""

    word: str
    description: str = ""


_Thing = TypeVar("_Thing")
#: things judged before everybody else gets a turn
_JUDGED = 16


class _Turn:
    """Awaited, lets everybody else of the same loop go first, whichever loop it is."""

    def __await__(self) -> Generator[None, None, None]:
        yield


async def kept(things: Iterable[_Thing], test: Callable[[_Thing], bool]) -> list[_Thing]:
    """Those that pass a test which may take long: others get their turn in between."""
    found = []
    for number, thing in enumerate(things, 1):
        if test(thing):
            found.append(thing)
        if number % _JUDGED == 0:
            await _Turn()
    return found


Handler = Callable[[Call], Answer | Awaitable[Answer]]
#: the arguments typed before, and the beginning of the one being typed, to what it may be
Completer = Callable[[Console, Sequence[str], str], Iterable[Choice]]


#: an argument to a word on it
Describe = Callable[[Console, str], str]


def undescribed(_console: Console, _word: str) -> str:
    """There is nothing to say."""
    return ""


def nothing(_console: Console, _args: Sequence[str], _partial: str) -> Iterable[Choice]:
    """No suggestions."""
    return ()


@dataclass(frozen=True, slots=True)
class Command:
    """One command."""

    words: str
    """Its words as `core show help` lists them; the last may be `{a|b}` (one of them) or `[a]`
    (that or none)."""
    usage: str
    """The whole text, line ends included."""
    summary: str
    run: Handler
    complete: Completer = nothing
    describe: Describe = undescribed
    """A word on an argument, for those that are shown."""
    interactive: bool = False
    """Known to those who type only."""
    client: bool = False
    """About the console itself: no alias takes its place."""


def usage(first: str, *lines: str, indent: int = 7) -> str:
    """A usage text: the synopsis of Asterisk, the explanation ours, indented."""
    body = "".join(f"{' ' * indent}{line}".rstrip() + "\n" for line in lines)
    return f"{first}\n{body}"
