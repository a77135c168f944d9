"""The prompt on a terminal that knows no escape codes (`TERM=dumb`, a teletype, Emacs' shell).

Typing, erasing, Tab, `?` and the history work with nothing but backspace, blank and line feed; the
cursor is always at the end of the line.
"""

from __future__ import annotations

from collections.abc import Callable

from prompt_toolkit.history import History
from prompt_toolkit.utils import get_cwidth

from pjreg_cli.console.completer import NOTHING, asks, complete, explained, in_columns
from pjreg_cli.console.reader import Interrupted, Keys, Leaving, Suggest
from pjreg_cli.console.writer import Writer

_ERASE = frozenset("\b\x7f")
_ESCAPE = "\x1b"


class DumbReader:
    """Reads lines key by key and echoes them itself."""

    def __init__(
        self,
        keys: Keys,
        *,
        writer: Writer,
        prompt: Callable[[], str],
        suggest: Suggest,
        history: History,
        size: Callable[[], tuple[int, int]],
    ) -> None:
        """`size` is that of the terminal in columns and rows; `prompt` holds no escape codes."""
        self._keys = keys
        self._writer = writer
        self._prompt = prompt
        self._suggest = suggest
        self._history = history
        self._size = size
        self._line = ""
        self._typed = ""
        self._earlier: list[str] = []
        self._loaded = False
        self._back = 0
        self._reading = False
        self._actions = {
            "\x04": self._control_d,
            "\x10": self._older,
            "\x0e": self._newer,
            "\x15": self._erase_line,
            "\x17": self._erase_word,
            "\x12": self._again,
            "\x0c": self._again,
        }

    async def read(self) -> str:
        """The next line typed."""
        self._line, self._back = "", 0
        if not self._loaded:
            self._loaded = True
            self._earlier = list(self._history.load_history_strings())[::-1]
        self._writer.put(self._prompt())
        self._reading = True
        try:
            return await self._read()
        finally:
            self._reading = False
            self._writer.put("\n")

    def lines(self, text: str) -> None:
        """On lines of their own; what was typed is repeated behind them."""
        if self._reading:
            self._writer.put(f"\n{text}{self._prompt()}{self._line}")
        else:
            self._writer.put_lines(text)

    def refresh(self) -> None:
        """There is no bar."""

    def interrupt(self) -> None:
        """Ctrl-C: give up the line."""
        self._keys.fail(Interrupted(empty=not self._line))

    def leave(self, error: Exception) -> None:
        """End the reading under way."""
        self._keys.fail(error)

    # -- inside -------------------------------------------------------------------------------

    async def _read(self) -> str:
        while True:
            if not self._typed:
                self._typed = await self._keys.more()
                if not self._typed:
                    raise EOFError
            key, self._typed = self._typed[0], self._typed[1:]
            if key in "\r\n":
                self._remember()
                return self._line
            if key == "\t":
                await self._tab()
            elif key == "?":
                await self._question()
            elif action := self._actions.get(key):
                action()
            elif key in _ERASE:
                self._change(self._line[:-1])
            elif key == _ESCAPE:
                self._skip_sequence()
            elif key.isprintable():
                self._change(self._line + key)

    def _remember(self) -> None:
        if self._line.strip() and self._line not in self._earlier[-1:]:
            self._earlier.append(self._line)
            self._history.store_string(self._line)

    def _skip_sequence(self) -> None:
        """Keys with arrows on them send `ESC [` and a letter; nothing is made of them."""
        if self._typed[:1] in {"[", "O"}:
            rest = self._typed[1:].lstrip("0123456789;")
            self._typed = rest[1:]

    def _change(self, line: str) -> None:
        """Make the line on the screen another one with as few signs as possible."""
        old, self._line = self._line, line
        same = 0
        while same < min(len(old), len(line)) and old[same] == line[same]:
            same += 1
        gone = get_cwidth(old[same:])
        self._writer.put("\b" * gone + " " * gone + "\b" * gone + line[same:])

    async def _tab(self) -> None:
        completed = complete(self._line, await self._suggest(self._line))
        if not completed.choices and completed.text == self._line:
            self._writer.put("\a")
            return
        self._change(completed.text)
        if completed.choices:
            self._show(in_columns(completed.choices, *self._room()))

    async def _question(self) -> None:
        if not asks(self._line):
            self._change(self._line + "?")
            return
        self._show(explained(await self._suggest(self._line), *self._room()) or NOTHING)

    def _control_d(self) -> None:
        if not self._line:
            raise Leaving

    def _older(self) -> None:
        self._leaf(self._back + 1)

    def _newer(self) -> None:
        self._leaf(self._back - 1)

    def _erase_line(self) -> None:
        self._change("")

    def _erase_word(self) -> None:
        kept = self._line.rstrip().rpartition(" ")
        self._change(kept[0] + kept[1])

    def _again(self) -> None:
        self._show("")

    def _leaf(self, back: int) -> None:
        if 0 <= back <= len(self._earlier):
            self._back = back
            self._change(self._earlier[-back] if back else "")

    def _show(self, text: str) -> None:
        self._writer.put(f"\n{text}{self._prompt()}{self._line}")

    def _room(self) -> tuple[int, int]:
        columns, rows = self._size()
        return columns, max(rows - 3, 1)
