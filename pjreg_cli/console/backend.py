"""What the prompt needs of whoever answers it: an instance here, or one behind a socket.

The loop of `repl.py` knows only `Backend`.  `LocalBackend` (in `local.py`) answers from the command
tree of this process; a remote console hands in its connection to the instance.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

Write = Callable[[str], Awaitable[None]]
"""Shows a chunk of output, exactly these characters; awaiting it holds back who writes faster than
the terminal takes."""


class Suggestion(Protocol):
    """One way to go on with what has been typed (`commands.tree.Suggestion` is one)."""

    @property
    def text(self) -> str:
        """What would stand there, whole."""
        ...

    @property
    def start_position(self) -> int:
        """Where `text` begins, counted from the cursor: 0 or negative."""
        ...

    @property
    def description(self) -> str:
        """A word on it, may be empty."""
        ...


@dataclass(frozen=True, slots=True)
class Result:
    """How a command ended."""

    ok: bool
    quit: bool = False
    """The console that asked should close."""


@dataclass(frozen=True, slots=True)
class InstanceFacts:
    """What the greeting says about the instance."""

    version: str
    config_path: str
    hostname: str = ""
    pid: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    """Registrations by word, as `api.registrations.Registrations.count`."""


class Watcher(Protocol):
    """Is told what happens while nobody asks; the methods return at once and do not raise."""

    def counts(self, counts: Mapping[str, int]) -> None:
        """The numbers of registrations by word have changed to these."""
        ...

    def lines(self, text: str) -> None:
        """Log lines or a trace to be shown, whole lines."""
        ...

    def doing(self, text: str) -> None:
        """What the instance is doing while everybody waits; empty when that has ended."""
        ...

    def closed(self, why: str) -> None:
        """The instance is gone; `why` may be empty.  Nothing is told after this."""
        ...


class Backend(Protocol):
    """Whoever answers a console."""

    async def facts(self) -> InstanceFacts:
        """What to greet with; raises OSError when the instance is gone."""
        ...

    def watch(self, watcher: Watcher) -> None:
        """Tell `watcher` from now on, beginning with the counts as they are."""
        ...

    async def execute(self, line: str, write: Write) -> Result:
        """Run one command, writing its output as it comes.

        Cancelling it drops the rest of the output and leaves the backend ready for the next
        command.  Raises OSError when the instance is gone.
        """
        ...

    def resized(self, columns: int) -> None:
        """The terminal has so many columns now; 0: the output goes elsewhere."""
        ...

    async def suggest(self, text: str) -> Sequence[Suggestion]:
        """What `text`, all that stands before the cursor, can go on with; OSError as above."""
        ...

    async def close(self) -> None:
        """Let go of the instance; it goes on."""
        ...
