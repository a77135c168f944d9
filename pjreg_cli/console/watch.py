"""The live view of `pjreg watch`: a whole screen, drawn from what the instance says of few rows.

The instance is asked for as many rows as there is room for, and so seldom that answering takes less
than a fiftieth of its time.  Only what has changed is written to the terminal.
"""

from __future__ import annotations

import asyncio
import json
import shlex
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from prompt_toolkit.application import Application
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.input import Input
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.keys import Keys
from prompt_toolkit.layout import FormattedTextControl, Layout, Window
from prompt_toolkit.output import Output
from prompt_toolkit.styles import Style

from pjreg_cli.console.backend import Backend
from pjreg_cli.render.explanation import ago

Ask = Callable[[str], Awaitable[str]]
"""Has the instance execute a command, and gives its output; raises OSError when it is gone."""

#: seconds between two looks, and how many times longer than the answer took
EVERY_S = 1.0
SPARING = 60
_ORDERS = ("trouble", "name", "next")
_KEYS = "Enter explain  s sort  / filter  r register  u unregister  q leave"
_GAP = 2
#: the narrowest of columns that are not always there, and of the name beside them
_NAME, _ANSWER, _TARGET = 24, 16, 26
_BACK = " any key: back "
_STYLE = Style.from_dict(
    {
        "head": "bold",
        "keys": "reverse",
        "chosen": "reverse",
        "registered": "ansigreen",
        "rejected": "ansired",
        "stopped": "ansiyellow",
        "unregistered": "ansiyellow",
        "limping": "ansiyellow",
        "ask": "bold",
    }
)
_SIGNS = {"registered": "+", "limping": "~", "rejected": "!", "stopped": "x", "unregistered": "."}


class Screen:
    """What is shown, and what keys do."""

    def __init__(
        self,
        ask: Ask,
        pattern: str = "",
        terminal: Input | None = None,
        output: Output | None = None,
        colour: bool = True,
    ) -> None:
        self._ask = ask
        self.order = "trouble"
        self.pattern = pattern
        self.rows: list[dict[str, Any]] = []
        """As `pjreg watch --data` gives them.  Any: that is JSON."""
        self.counts: dict[str, int] = {}
        self.now_at = 0.0
        self.chosen = 0
        self.first = 0
        """The row at the top."""
        self.page: list[str] = []
        """An explanation that is open."""
        self.turned = 0
        """How many of its lines have gone off the top."""
        self.question = ""
        """A command to be confirmed."""
        self.typing: str | None = None
        """A filter being typed."""
        self.told = ""
        self._failed: OSError | None = None
        self._wake = asyncio.Event()
        self._app: Application[None] = Application(
            layout=Layout(
                Window(FormattedTextControl(self.text), wrap_lines=False, always_hide_cursor=True)
            ),
            key_bindings=self._bindings(),
            style=_STYLE if colour else Style([]),
            full_screen=True,
            input=terminal,
            output=output,
        )

    async def run(self) -> None:
        """Show it until the operator leaves; raises OSError when the instance is gone."""

        def begin() -> None:
            self._app.create_background_task(self._follow())

        await self._app.run_async(pre_run=begin)
        if self._failed is not None:
            raise self._failed

    # -- what the instance says ---------------------------------------------------------------

    async def _follow(self) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            began_at = clock()
            try:
                await self.look()
            except OSError as error:
                self._failed = error
                self._app.exit()
                return
            self._app.invalidate()
            self._wake.clear()
            pause_s = max(EVERY_S, SPARING * (clock() - began_at))
            try:
                await asyncio.wait_for(self._wake.wait(), pause_s)
            except TimeoutError:
                continue

    async def look(self) -> None:
        """Ask for the rows that there is room for."""
        limit = self.first + self.room()
        like = f" like {shlex.quote(self.pattern)}" if self.pattern else ""
        answer = await self._ask(f"pjreg watch{like} --sort {self.order} --limit {limit} --data")
        try:
            found = json.loads(answer)
            self.rows, self.counts, self.now_at = found["rows"], found["counts"], found["now_at"]
            self.told = ""
        except (ValueError, KeyError, TypeError):
            self.told = answer.strip().splitlines()[0][:200] if answer.strip() else ""
            self.rows = []
        self.chosen = max(0, min(self.chosen, len(self.rows) - 1))

    def room(self) -> int:
        """Rows that fit between head and foot."""
        return max(1, self._app.output.get_size().rows - 4)

    @property
    def name(self) -> str:
        """The registration that is chosen; empty without any."""
        return str(self.rows[self.chosen]["name"]) if self.rows else ""

    # -- what is drawn ------------------------------------------------------------------------

    def text(self) -> StyleAndTextTuples:
        """The whole screen."""
        size = self._app.output.get_size()
        width, height = size.columns, size.rows
        if self.page:
            self.turned = max(0, min(self.turned, len(self.page) - (height - 1)))
            shown = self.page[self.turned : self.turned + height - 1]
            lines: list[tuple[str, str]] = [("", line) for line in shown]
            longer = len(self.page) > height - 1
            foot = ("class:keys", " Up, Down  any other key: back " if longer else _BACK)
        else:
            lines = self._table(width)
            foot = self._foot()
        lines = lines[: height - 1]
        lines += [("", "")] * (height - 1 - len(lines))
        lines.append(foot)
        drawn: StyleAndTextTuples = []
        for number, (style, line) in enumerate(lines):
            end = "\n" if number < len(lines) - 1 else ""
            drawn.append((style, line[:width].ljust(width if style else 0) + end))
        return drawn

    def _table(self, width: int) -> list[tuple[str, str]]:
        words = ("Registered", "Rejected", "Unregistered", "Stopped")
        shown = [f"{self.counts[word]} {word}" for word in words if self.counts.get(word)]
        clock = datetime.fromtimestamp(int(self.now_at), UTC).strftime("%H:%M:%S UTC")
        left = ", ".join(shown) or "no registrations"
        right = f"by {self.order}{f', like {self.pattern}' if self.pattern else ''}   {clock}"
        head = left + right.rjust(max(width - len(left), len(right) + 2))
        sizes = _sizes(width)
        lines = [("class:head", head), ("", "")]
        lines.append(("class:head", _joined(("  Registration", *_HEAD[1:]), sizes)))
        if self.told:
            return [*lines, ("", self.told)]
        last = self.first + self.room()
        for number, row in enumerate(self.rows[self.first : last], self.first):
            style = f"class:{_state(row)}"
            if number == self.chosen:
                style += " class:chosen"
            lines.append((style, _joined(self._cells(row), sizes)))
        return lines

    def _cells(self, row: dict[str, Any]) -> tuple[str, ...]:
        since = row["since_at"]
        in_s = row["next_in_s"]
        return (
            f"{_SIGNS.get(_state(row), ' ')} {_plain(row['name'])}",
            str(row["status"]),
            "-" if since is None else ago(self.now_at - since),
            str(row["cause"]),
            "-" if in_s is None else ago(in_s),
            _plain(row["answer"]),
            _plain(row["target"] or "-"),
        )

    def _foot(self) -> tuple[str, str]:
        if self.typing is not None:
            return "class:ask", f"only names like: {self.typing}_"
        if self.question:
            return "class:ask", f"{self.question}? (y/n)"
        return "class:keys", f" {_KEYS} "

    # -- keys ---------------------------------------------------------------------------------

    def _bindings(self) -> KeyBindings:
        keys = KeyBindings()

        @keys.add(Keys.Any)
        def _(event: KeyPressEvent) -> None:
            self._pressed(event.key_sequence[0].key, event.data)

        for name in ("up", "down", "pageup", "pagedown", "enter", "escape", "c-c", "backspace"):
            keys.add(name, eager=True)(
                lambda event: self._pressed(event.key_sequence[0].key, event.data)
            )
        return keys

    def _pressed(self, key: str, data: str) -> None:
        name = key.value if isinstance(key, Keys) else str(key)
        if name == "c-c":
            self._app.exit()
        elif self.page:
            steps = self._steps()
            if name in steps and len(self.page) > self._app.output.get_size().rows - 1:
                self.turned += steps[name]
            else:
                self.page = []
        elif self.typing is not None:
            self._typed(name, data)
        elif self.question:
            command, self.question = self.question, ""
            if data.lower() == "y":
                self._do(self._ask(command))
        else:
            self._chosen_key(name, data)

    def _steps(self) -> dict[str, int]:
        """How far keys go."""
        return {"up": -1, "down": 1, "pageup": -self.room(), "pagedown": self.room()}

    def _chosen_key(self, name: str, data: str) -> None:
        steps = {**self._steps(), "k": -1, "j": 1}
        if (name if name in steps else data) in steps:
            self._move(steps[name if name in steps else data])
        elif data == "q" or name == "escape":
            self._app.exit()
        elif name in ("c-m", "enter") and self.name:
            self._do(self._open(self.name))
        elif data == "s":
            self.order = _ORDERS[(_ORDERS.index(self.order) + 1) % len(_ORDERS)]
            self.chosen = self.first = 0
            self._wake.set()
        elif data == "/":
            self.typing = self.pattern
        elif data in ("r", "u") and self.name:
            verb = "register" if data == "r" else "unregister"
            self.question = f"pjsip send {verb} {shlex.quote(self.name)}"

    def _typed(self, name: str, data: str) -> None:
        assert self.typing is not None
        if name in ("c-m", "enter"):
            self.pattern, self.typing = self.typing, None
            self.chosen = self.first = 0
            self._wake.set()
        elif name == "escape":
            self.typing = None
        elif name in ("c-h", "backspace"):
            self.typing = self.typing[:-1]
        elif data.isprintable():
            self.typing += data

    def _move(self, by: int) -> None:
        self.chosen = max(0, self.chosen + by)
        room = self.room()
        if self.chosen < self.first:
            self.first = self.chosen
        elif self.chosen >= self.first + room:
            self.first = self.chosen - room + 1
        if self.chosen >= len(self.rows):
            # there may be more of them: the next look tells
            self._wake.set()
        self.chosen = min(self.chosen, max(0, len(self.rows) - 1 + max(0, by)))

    async def _open(self, name: str) -> str:
        answer = await self._ask(f"pjreg explain {shlex.quote(name)}")
        self.page, self.turned = answer.splitlines(), 0
        return ""

    def _do(self, work: Awaitable[str]) -> None:
        async def done() -> None:
            try:
                await work
            except OSError as error:
                self._failed = error
                self._app.exit()
                return
            self._wake.set()
            self._app.invalidate()

        self._app.create_background_task(done())


_HEAD = ("Registration", "Status", "Since", "Cause", "Next", "Last answer", "Target")


def _state(row: dict[str, Any]) -> str:
    """The word of a registration; `limping` where it stands, but not as it should."""
    word = str(row["status"]).lower()
    return "limping" if word == "registered" and row["cause"] != "fine" else word


def _sizes(width: int) -> tuple[int, ...]:
    """How broad the columns are: the name takes what is left, what is last falls off first."""
    status, since, cause, following = 12, 7, 26, 7
    left = width - status - since - cause - following - 4 * _GAP
    name, answer, target = max(left, 16), 0, 0
    if left >= _NAME + _ANSWER + _GAP:
        name = _NAME + (left - _NAME - _ANSWER) // 3
        answer = left - name - _GAP
    if left >= _NAME + _ANSWER + _TARGET + 2 * _GAP:
        target = _TARGET
        name = _NAME + (left - _NAME - _ANSWER - _TARGET) // 3
        answer = left - name - target - 2 * _GAP
    return name, status, since, cause, following, answer, target


def _joined(cells: Sequence[str], sizes: Sequence[int]) -> str:
    parts = [cell[:size].ljust(size) for cell, size in zip(cells, sizes, strict=True) if size]
    return (" " * _GAP).join(parts)


def _plain(text: object) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in str(text))


def watched(command: str) -> str | None:
    """The pattern of `pjreg watch [like PATTERN]`, empty without one; None for other commands."""
    try:
        words = shlex.split(command)
    except ValueError:
        return None
    if [word.lower() for word in words[:2]] != ["pjreg", "watch"]:
        return None
    if len(words) == 2:
        return ""
    return words[3] if len(words) == 4 and words[2].lower() == "like" else None


async def show(backend: Backend, pattern: str, *, colour: bool) -> None:
    """Show what a backend says until the operator has seen enough or it is gone."""

    async def ask(line: str) -> str:
        pieces: list[str] = []

        async def keep(text: str) -> None:
            pieces.append(text)

        await backend.execute(line, keep)
        return "".join(pieces)

    with suppress(OSError):
        await Screen(ask, pattern, colour=colour).run()
