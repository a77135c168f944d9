"""A console of an instance that does as told, to be run on a pseudo-terminal.

    python -m tests.support.console_host [colour] [noshell] [command...]

Lines it understands: `rows N`, `log TEXT`, `when FILE TEXT` for a line of the log as soon as the
file is there, which is then taken away, `burst N`, `count R J U` for so many registered, rejected,
unregistered, `drop WHY`, `break WHY`, `open`; others are said back.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from pjreg_cli.commands.command import Suggestion
from pjreg_cli.console.backend import InstanceFacts, Result, Watcher, Write
from pjreg_cli.console.repl import run_remote

WORDS: Mapping[str, str] = {
    "pjsip list registrations": "List them",
    "pjsip show registration": "Show one",
    "pjsip show registrations": "Show all",
    "pjsip send register": "Register anew",
    "pjsip send unregister": "Unregister",
    "pjsip set logger": "Trace",
    "core show help": "Help",
}
NAMES = ("*all", "my_provider", "outreg", "zürich-语")


class Host:
    """A backend with a script."""

    def __init__(self) -> None:
        self._watcher: Watcher | None = None
        self._counts = {"Registered": 1, "Rejected": 2}

    async def facts(self) -> InstanceFacts:
        """Always the same instance."""
        return InstanceFacts(
            "1.2.3", "/etc/pjreg-cli/pjsip.conf", "pbx.example.com", 4711, self._counts
        )

    def watch(self, watcher: Watcher) -> None:
        """Remember it."""
        self._watcher = watcher
        watcher.counts(self._counts)

    def resized(self, columns: int) -> None:
        """Nothing here is fitted to the terminal."""

    async def execute(self, line: str, write: Write) -> Result:
        """Do what the line says."""
        assert self._watcher is not None
        word, _, rest = line.partition(" ")
        loop = asyncio.get_running_loop()
        match word:
            case "rows":
                for start in range(0, int(rest), 50):
                    ends = min(start + 50, int(rest))
                    await write("".join(map(_row, range(start, ends))))
            case "log":
                self._watcher.lines(f"{rest}\n")
            case "when":
                file, _, text = rest.partition(" ")
                self._log_when(Path(file), text)
                await write("<when>\n")
            case "burst":
                for number in range(int(rest)):
                    loop.call_later(0.01 * number, self._watcher.lines, f"burst {number}\n")
            case "count":
                numbers = map(int, rest.split())
                words = ("Registered", "Rejected", "Unregistered")
                counts = dict(zip(words, numbers, strict=True))
                loop.call_later(0.3, self._watcher.counts, counts)
            case "drop":
                loop.call_later(0.1, self._watcher.closed, rest)
            case "break":
                raise ConnectionError(rest)
            case "open":
                await write("a line without an end")
            case _:
                await write(f"<{line}>\n")
        return Result(ok=True)

    def _log_when(self, file: Path, text: str) -> None:
        assert self._watcher is not None
        if file.exists():
            self._watcher.lines(f"{text}\n")
            file.unlink()
        else:
            asyncio.get_running_loop().call_later(0.01, self._log_when, file, text)

    async def suggest(self, text: str) -> Sequence[Suggestion]:
        """Words of a few commands, and names."""
        *before, begun = text.lstrip().split(" ")
        head = " ".join([*before, ""]) if before else ""
        names = head in {"pjsip send unregister ", "pjsip show registration "}
        found = {}
        for command, summary in WORDS.items():
            if command.startswith(head) and (word := command[len(head) :].split(" ")[0]):
                found[word] = summary if head + word == command else ""
        if names:
            found |= dict.fromkeys(NAMES, "a registration")
        return [
            Suggestion(word, -len(begun), explanation)
            for word, explanation in found.items()
            if word.startswith(begun)
        ]

    async def close(self) -> None:
        """Nothing to do."""


def _row(number: int) -> str:
    return f" row{number}/sip:a@b  n/a  Registered        (exp. {number}s)\n"


async def _main(arguments: list[str]) -> int:
    colour = "colour" in arguments
    shell = "noshell" not in arguments
    again = "again" in arguments
    commands = [word for word in arguments if word not in {"colour", "noshell", "again"}]
    tries = 0

    async def reconnect() -> Host:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise ConnectionError("nobody there")
        return Host()

    return await run_remote(
        Host(),
        hostname="elsewhere",
        colour=colour,
        shell_allowed=shell,
        reconnect=reconnect if again else None,
        commands=commands,
    )


if __name__ == "__main__":
    sys.exit(asyncio.run(_main(sys.argv[1:])))
