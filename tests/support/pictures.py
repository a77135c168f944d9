"""The pictures of the console in README and docs: `python -m tests.support.pictures`.

Each is a real run on a pseudo-terminal, drawn by rich.  `make docs` makes them anew.
"""

from __future__ import annotations

import io
from itertools import groupby
from pathlib import Path

from rich.console import Console
from rich.style import Style
from rich.text import Text

from tests.support.instance import PROGRAM, ROOT, environment, short_folder
from tests.support.terminal import Cell, Terminal

_FOLDER = ROOT / "docs" / "pictures"
_COLUMNS, _ROWS = 108, 26
_WATCH_ROWS = 12


def drawn(terminal: Terminal, title: str) -> str:
    """The screen as SVG."""
    console = Console(
        record=True, width=_COLUMNS, file=io.StringIO(), force_terminal=True, legacy_windows=False
    )
    for row in terminal.cells:
        line = Text(no_wrap=True, end="")
        for style, cells in groupby(row, _style):
            line.append("".join(cell.sign for cell in cells), style)
        console.print(line)
    return console.export_svg(title=title)


def _style(cell: Cell) -> Style:
    def colour(name: str) -> str | None:
        if name == "default":
            return None
        if len(name) == 6 and all(sign in "0123456789abcdef" for sign in name):
            return f"#{name}"
        return {"brown": "yellow", "brightblack": "bright_black"}.get(name, name)

    return Style(
        color=colour(cell.foreground),
        bgcolor=colour(cell.background),
        bold=cell.bold,
        reverse=cell.reverse,
    )


def console(home: Path) -> str:
    """The console of the demo: a menu with the state beside each name."""
    with Terminal(
        [*PROGRAM, "demo"], environment=environment(home), columns=_COLUMNS, rows=_ROWS
    ) as terminal:
        terminal.until(lambda me: "2 registered" in me.lines[-1] and "2 rej" in me.lines[-1])
        terminal.enter("logger mute silent")
        terminal.enter("pjsip show registrations")
        terminal.until("Objects found: 4")
        terminal.type("pjsip send unregister \t")
        terminal.until("every registration")
        picture = drawn(terminal, "pjreg-cli demo")
        terminal.type("\x15")
        terminal.enter("core stop now")
        terminal.ends()
        return picture


def status(home: Path) -> str:
    """What Asterisk cannot show: why each registration stands as it does."""
    with Terminal(
        [*PROGRAM, "demo"], environment=environment(home), columns=_COLUMNS, rows=_ROWS
    ) as terminal:
        terminal.until(lambda me: "2 registered" in me.lines[-1] and "2 rej" in me.lines[-1])
        terminal.type("\x0c")
        terminal.enter("pjreg status")
        terminal.until("4 registrations\n")
        terminal.enter("pjsip send register office")
        terminal.until("office: unregistered")
        terminal.enter("pjreg status --state rejected --columns name,answer,next | grep old")
        terminal.until("\nold-account")
        terminal.enter("pjsip shwo registrations")
        terminal.until("Did you mean")
        terminal.until(lambda me: me.prompt_line == "*CLI>")
        picture = drawn(terminal, "pjreg status")
        terminal.enter("core stop now")
        terminal.ends()
        return picture


def watch(home: Path) -> str:
    """The live view: those in trouble first."""
    with Terminal(
        [*PROGRAM, "demo"], environment=environment(home), columns=_COLUMNS, rows=_WATCH_ROWS
    ) as terminal:
        terminal.until(lambda me: "2 registered" in me.lines[-1] and "2 rej" in me.lines[-1])
        terminal.enter("pjreg watch")
        terminal.until("! old-account")
        picture = drawn(terminal, "pjreg watch")
        terminal.type("q")
        terminal.until(lambda me: me.prompt_line == "*CLI>")
        terminal.enter("core stop now")
        terminal.ends()
        return picture


def main() -> None:
    """Draw them all."""
    _FOLDER.mkdir(exist_ok=True)
    for name, make in (("console", console), ("status", status), ("watch", watch)):
        with short_folder() as home:
            (_FOLDER / f"{name}.svg").write_text(make(home), "utf-8")


if __name__ == "__main__":
    main()
