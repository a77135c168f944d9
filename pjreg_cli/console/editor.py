"""The prompt on a terminal: line editing, history, completion and the bar, by prompt_toolkit."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass
from typing import TextIO

from prompt_toolkit import PromptSession
from prompt_toolkit.application import in_terminal
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
from prompt_toolkit.buffer import Buffer, CompletionState
from prompt_toolkit.completion import DummyCompleter, get_common_complete_suffix
from prompt_toolkit.enums import EditingMode
from prompt_toolkit.filters import (
    completion_is_selected,
    has_completions,
    has_selection,
    is_searching,
    vi_insert_mode,
)
from prompt_toolkit.filters.app import emacs_insert_mode
from prompt_toolkit.formatted_text import ANSI
from prompt_toolkit.formatted_text import StyleAndTextTuples as Fragments
from prompt_toolkit.history import History
from prompt_toolkit.input.typeahead import clear_typeahead
from prompt_toolkit.input.vt100 import Vt100Input
from prompt_toolkit.key_binding import KeyBindings, KeyPress, KeyPressEvent
from prompt_toolkit.keys import Keys
from prompt_toolkit.output import ColorDepth, Output
from prompt_toolkit.output.vt100 import Vt100_Output
from prompt_toolkit.search import accept_search
from prompt_toolkit.styles import Style

from pjreg_cli.console.backend import Suggestion
from pjreg_cli.console.completer import NOTHING, asks, completions, explained, further
from pjreg_cli.console.reader import Interrupted, Leaving, Suggest
from pjreg_cli.console.writer import Writer

_REDRAW_S = 0.05
"""The bar is drawn at most this often."""
_MENU = 10
"""Lines of the menu that Tab opens."""
_STYLE = Style.from_dict(
    {
        "bottom-toolbar": "reverse",
        "bar.registered": "ansigreen",
        "bar.rejected": "ansired",
        "bar.unregistered": "ansiyellow",
        "bar.doing": "bold",
    }
)


class _Input(Vt100Input):
    """Keys of a terminal that stay quiet while something is printed above the prompt."""

    def cooked_mode(self) -> AbstractContextManager[None]:
        """Leave the modes alone: printing needs no echo, and Ctrl-C stays a key."""
        return nullcontext()


@dataclass(frozen=True, slots=True)
class Look:
    """What the prompt shows, asked for whenever it is drawn."""

    prompt: Callable[[], str]
    """Text with colour codes."""
    bar: Callable[[], Fragments]
    colour: bool


class EditorReader:
    """Reads lines at a prompt with a bar below."""

    def __init__(
        self,
        stdin: TextIO,
        stdout: TextIO,
        *,
        writer: Writer,
        look: Look,
        suggest: Suggest,
        history: History,
        mode: EditingMode,
        term: str | None,
        suspend: Callable[[], None] | None = None,
    ) -> None:
        """`suspend` stops this program until the operator's shell lets it go on."""
        self._suspend = suspend
        self._question_asked = ""
        self._more = 0
        self._writer = writer
        self._look = look
        self._suggest = suggest
        self._pasted: deque[str] = deque()
        self._begun = ""
        self._log: list[str] = []
        self._reading = False
        self._ended: Exception | None = None
        self._output: Output = Vt100_Output.from_pty(stdout, term=term)
        self._session: PromptSession[str] = PromptSession(
            message=lambda: ANSI(self._question_asked or look.prompt()),
            bottom_toolbar=self._bar,
            # grey is what tells it from what was typed
            auto_suggest=AutoSuggestFromHistory() if look.colour else None,
            history=history,
            enable_history_search=True,
            editing_mode=mode,
            key_bindings=self._bindings(),
            style=_STYLE,
            color_depth=ColorDepth.DEPTH_4_BIT if look.colour else ColorDepth.DEPTH_1_BIT,
            # ours answers by itself; with none there would be no room for the menu
            completer=DummyCompleter(),
            complete_while_typing=False,
            reserve_space_for_menu=_MENU,
            input=_Input(stdin),
            output=self._output,
        )
        app = self._session.app
        app.min_redraw_interval = _REDRAW_S
        # A terminal that cannot say where its cursor is has no bar; that needs no lecture.
        app.renderer.cpr_not_supported_callback = None

    # -- the reader ---------------------------------------------------------------------------

    async def read(self) -> str:
        """A line typed, or the next of those pasted."""
        if self._pasted:
            return self._next_pasted()
        begun, self._begun = self._begun, ""
        return await self._prompted(begun)

    async def ask(self, question: str) -> str:
        """A line typed, which the history does not keep."""
        if self._pasted:
            return self._pasted.popleft()
        look, self._question_asked = self._question_asked, question
        try:
            return await self._prompted("")
        finally:
            self._question_asked = look

    async def _prompted(self, begun: str) -> str:
        # from here on lines are gathered: one written while the prompt is drawn would be lost
        self._reading = True
        try:
            await self._writer.drain()
            return await self._session.prompt_async(
                default=begun,
                pre_run=self._started,
                set_exception_handler=False,
                handle_sigint=False,
            )
        except OSError as error:
            # The terminal went away in the middle of drawing.
            raise EOFError from error
        finally:
            self._reading = False
            self._ended = None
            self._flush()

    def lines(self, text: str) -> None:
        """Above the prompt while there is one, else as soon as a line can begin."""
        self._log.append(text)
        if not self._reading:
            self._flush()
        elif len(self._log) == 1 and self._session.app.is_running:
            self._show_gathered()

    def refresh(self) -> None:
        """Draw the bar anew."""
        if self._reading:
            self._session.app.invalidate()

    def interrupt(self) -> None:
        """SIGINT from outside is as good as Ctrl-C; what was pasted is given up with the line."""
        self.forget()
        buffer = self._session.default_buffer
        self.leave(Interrupted(empty=not buffer.text))

    def forget(self) -> int:
        """Ctrl-C in the middle of a paste ends all of it."""
        count = len(self._pasted)
        self._pasted.clear()
        self._begun = ""
        clear_typeahead(self._session.app.input)
        return count

    def leave(self, error: Exception) -> None:
        """End the prompt, also one that is only about to begin."""
        app = self._session.app
        if app.future is not None and not app.future.done():
            app.exit(exception=error)
        elif self._reading and not app.is_running:
            self._ended = error

    # -- inside -------------------------------------------------------------------------------

    def _next_pasted(self) -> str:
        line = self._pasted.popleft()
        self._writer.put(f"{self._look.prompt()}{line}\n")
        if line.strip():
            self._session.history.append_string(line)
        return line

    def _flush(self) -> None:
        text = "".join(self._log)
        self._log.clear()
        if text:
            self._writer.put_lines(text)

    def _started(self) -> None:
        """Catch up, as the prompt begins, with what came while it was on its way."""
        error, self._ended = self._ended, None
        if error is not None:
            self.leave(error)
        self._show_gathered()

    def _show_gathered(self) -> None:
        """Show what has come, once the prompt is drawn."""
        if self._log:
            self._session.app.create_background_task(self._show_log())

    async def _show_log(self) -> None:
        """One hiding of the prompt serves all lines that have come meanwhile."""
        async with in_terminal():
            self._flush()
            await self._writer.drain()

    async def _show(self, text: str) -> None:
        """Put something under the line as it stands, then go on with the line."""
        # The line stays where it is on the screen, the bar must not stay with it.
        self._session.bottom_toolbar = None
        try:
            async with in_terminal(render_cli_done=True):
                self._writer.put(text)
                await self._writer.drain()
                self._session.bottom_toolbar = self._bar
        finally:
            self._session.bottom_toolbar = self._bar

    def _bar(self) -> Fragments:
        """The bar, and while the menu is open how much it does not show."""
        state = self._session.default_buffer.complete_state
        more = len(state.completions) + self._more - _MENU if state else 0
        if more <= 0:
            return self._look.bar()
        return [("", f" {more:,} more: type another letter, or go on with Tab")]

    def _room(self) -> tuple[int, int]:
        size = self._output.get_size()
        return size.columns, max(size.rows - 3, 1)

    def _bindings(self) -> KeyBindings:
        bindings = KeyBindings()
        typing = (emacs_insert_mode | vi_insert_mode) & ~has_selection & ~is_searching
        bindings.add("tab", filter=typing)(self._tab)
        bindings.add("?", filter=typing)(self._question)
        bindings.add("enter", filter=typing & completion_is_selected)(self._choose)
        bindings.add("escape", filter=typing & has_completions, eager=True)(self._close_menu)
        bindings.add("c-c")(self._control_c)
        bindings.add("c-d", filter=typing)(self._control_d)
        bindings.add("c-z")(self._control_z)
        bindings.add("enter", filter=is_searching)(self._run_found)
        bindings.add(Keys.BracketedPaste)(self._paste)
        return bindings

    def _tab(self, event: KeyPressEvent) -> None:
        if event.current_buffer.complete_state:
            event.current_buffer.complete_next()
            return
        event.app.create_background_task(self._complete(self._hold_keys()))

    def _choose(self, event: KeyPressEvent) -> None:
        """Enter on a word of the menu takes it; the line is run by another."""
        event.current_buffer.complete_state = None
        event.current_buffer.insert_text(" ")

    def _close_menu(self, event: KeyPressEvent) -> None:
        event.current_buffer.cancel_completion()

    def _question(self, event: KeyPressEvent) -> None:
        if asks(event.current_buffer.document.text_before_cursor):
            event.app.create_background_task(self._explain(self._hold_keys()))
        else:
            event.current_buffer.insert_text("?")

    async def _complete(self, hold: ExitStack) -> None:
        buffer = self._session.default_buffer
        with hold:
            found = await self._suggest(buffer.document.text_before_cursor)
            self._more = further(found)
            self._offer(buffer, found)

    def _offer(self, buffer: Buffer, found: Sequence[Suggestion]) -> None:
        """Put in the only word that fits, else what all have in common, and open the menu."""
        shown = completions(found)
        if not shown:
            self._output.bell()
        elif len(shown) == 1:
            buffer.delete_before_cursor(-shown[0].start_position)
            buffer.insert_text(f"{shown[0].text} ")
        else:
            if common := get_common_complete_suffix(buffer.document, shown):
                buffer.insert_text(common)
                shown = [one.new_completion_from_position(len(common)) for one in shown]
            buffer.complete_state = CompletionState(buffer.document, shown)

    async def _explain(self, hold: ExitStack) -> None:
        with hold:
            suggestions = await self._suggest(
                self._session.default_buffer.document.text_before_cursor
            )
        await self._show(explained(suggestions, *self._room()) or NOTHING)

    def _hold_keys(self) -> ExitStack:
        """Who types on while the instance is asked must not overtake the answer."""
        app = self._session.app
        held: list[KeyPress] = app.key_processor.empty_queue()

        def go_on() -> None:
            app.key_processor.feed_multiple(held)
            app.key_processor.process_keys()

        hold = ExitStack()
        hold.callback(go_on)
        hold.enter_context(app.input.detach())
        return hold

    def _run_found(self, event: KeyPressEvent) -> None:
        """Enter takes what the search has found and runs it."""
        accept_search()
        self._session.default_buffer.validate_and_handle()

    def _control_c(self, event: KeyPressEvent) -> None:
        buffer = self._session.default_buffer
        empty = not buffer.text
        if not empty:
            buffer.cursor_position = len(buffer.text)
            buffer.insert_text("^C")
        self.leave(Interrupted(empty))

    def _control_d(self, event: KeyPressEvent) -> None:
        if event.current_buffer.text:
            event.current_buffer.delete()
        else:
            self.leave(Leaving())

    def _control_z(self, event: KeyPressEvent) -> None:
        """To the shell and back; the instance itself is not stopped so."""
        if self._suspend is None:
            self._output.bell()
        else:
            event.app.create_background_task(self._suspended(self._suspend))

    async def _suspended(self, suspend: Callable[[], None]) -> None:
        async with in_terminal():
            await self._writer.drain()
            suspend()

    def _paste(self, event: KeyPressEvent) -> None:
        """Each whole line pasted is run; what follows the last line feed can still be edited."""
        buffer = event.current_buffer
        pasted = event.data.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
        first, *others = pasted.split("\n")
        buffer.insert_text(first)
        if others:
            after = buffer.document.text_after_cursor
            buffer.delete(len(after))
            *whole, last = others
            self._pasted.extend(whole)
            self._begun = last + after
            buffer.validate_and_handle()
