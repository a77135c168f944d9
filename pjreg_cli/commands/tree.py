"""The command language: running a line, helping, suggesting what may follow.

One list of rows feeds all of it.  Words must be complete, letter case does not matter, the command
that takes the most words wins.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import islice

from pjreg_cli.errors import PjregError
from pjreg_cli.render import json

from . import core, explain, manager, pjreg, pjsip, program, table, trace
from .row import (
    Answer,
    Call,
    Choice,
    Console,
    Kind,
    Reply,
    Row,
    Suggestion,
    Verdict,
    absent,
    say,
    usage,
)
from .words import Tokens, joined, quote, tokenise

__all__ = ["Console", "Kind", "Reply", "Suggestion", "execute", "suggest"]

#: aliases of aliases of aliases ... end here
_ALIAS_DEPTH = 16
#: no more words than these are suggested at once
_SUGGESTIONS = 1000


# -- running ----------------------------------------------------------------------------------


async def execute(line: str, console: Console) -> Reply:
    """Run one line as this console.  Nothing is raised: what goes wrong is part of the reply."""
    commands = _commands(console)
    for _ in range(_ALIAS_DEPTH):
        tokens = tokenise(line)
        words = [token.text for token in tokens.words]
        if not words:
            return Reply((), ok=True)
        command = table.find(commands, words)
        if command is None:
            return _reply(console, _unknown(line, commands, words), line)
        if not command.expansion:
            return await _run(command, line, tokens, console)
        line = command.expansion + line[tokens.words[len(command.words) - 1].end :]
    loop = Answer(["This alias leads back to itself.\n"], Verdict.FAILED)
    return _reply(console, loop, line)


def _unknown(line: str, commands: Sequence[table.Command], words: Sequence[str]) -> Answer:
    more = f"(type 'core show help {table.guess(commands, words)}' for other possible commands)"
    return Answer([f"No such command '{line}' {more}\n"], Verdict.UNKNOWN)


async def _run(command: table.Command, line: str, tokens: Tokens, console: Console) -> Reply:
    words = tuple(token.text for token in tokens.words)
    given = command.given
    tail = line[tokens.words[given].start :] if len(words) > given else ""
    call = Call(console, line, words[given:], tail)
    try:
        result = command.row.run(call)
        answer = result if isinstance(result, Answer) else await result
    except PjregError as error:
        answer = Answer([f"{error}\n"], Verdict.FAILED)
    if answer.verdict is Verdict.USAGE:
        answer = Answer([command.row.usage], Verdict.USAGE)
    return _reply(console, answer, line)


def _reply(console: Console, answer: Answer, line: str) -> Reply:
    output = answer.output
    if answer.verdict is Verdict.FAILED:
        output = [*output, f"Command '{line}' failed.\n"]
    ok = answer.verdict is Verdict.DONE
    if console.json and not answer.json:
        output = json.plain(output) if ok else json.error(output)
    return Reply(output, ok, answer.quit, failed=not ok and answer.verdict is not Verdict.NEGATIVE)


def _commands(console: Console) -> Sequence[table.Command]:
    """All commands this console knows, its aliases included, in the order they are listed."""
    defined = tuple(console.port.configuration.aliases().items())
    return _with_aliases(defined, console.kind.interactive)


@lru_cache(maxsize=8)
def _with_aliases(
    defined: tuple[tuple[str, str], ...], interactive: bool
) -> Sequence[table.Command]:
    typed = _TYPED if interactive else ()
    kept = [*_EVERYWHERE, *(command for command in typed if command.row.client)]
    aliases = table.aliases(dict(defined), kept)
    taken = {alias.words for alias in aliases}
    return table.listed([*_EVERYWHERE, *(c for c in typed if c.words not in taken), *aliases])


# -- help and aliases -------------------------------------------------------------------------


def _help(call: Call) -> Answer:
    """A command's usage, or a line for each command that begins so."""
    commands = _commands(call.console)
    command = table.exactly(commands, call.args)
    found = [command] if command else _beginning(commands, call.args)
    if not found:
        return absent(f"No such command '{joined(call.args)}'.")
    if call.json:
        return Answer(json.array(map(_explained, found)), json=True)
    if command:
        return Answer([command.row.usage])
    return say(*(f"{c.row.words:<30} -- {c.row.summary}" for c in found))


def _beginning(commands: Sequence[table.Command], words: Sequence[str]) -> list[table.Command]:
    start = joined(words).casefold()
    return [c for c in commands if c.row.words.casefold().startswith(start)]


def _explained(command: table.Command) -> json.Shape:
    row = command.row
    return {"command": row.words, "summary": row.summary, "usage": row.usage}


def _complete_help(console: Console, args: Sequence[str], partial: str) -> Iterator[Choice]:
    return _next_words(_commands(console), args, partial)


def _show_aliases(call: Call) -> Answer:
    aliases = [command for command in _commands(call.console) if command.expansion]
    if call.json:
        pairs = ({"alias": c.row.words, "command": c.expansion} for c in aliases)
        return Answer(json.array(pairs), json=True)
    rows = [("Alias Command", "Real Command"), *((c.row.words, c.expansion) for c in aliases)]
    return say(*(f"{alias:<50} {command:<50}" for alias, command in rows))


def _quit(_call: Call) -> Answer:
    return Answer(quit=True)


_HELP = usage(
    "Usage: core show help [topic]",
    "Lists the commands, or those that begin with the words given;",
    "for the words of one command, how it is used.",
)
_ROWS = (
    Row("core show help", _HELP, "List commands, or explain one", _help, _complete_help),
    Row(
        "cli show aliases",
        usage("Usage: cli show aliases", "Lists the aliases of cli_aliases.conf that are in use."),
        "List the aliases in use",
        _show_aliases,
    ),
    *core.ROWS,
    *explain.ROWS,
    *program.ROWS,
    *manager.ROWS,
    *pjsip.ROWS,
    *trace.ROWS,
    *pjreg.ROWS,
    Row("help", _HELP, "Short for core show help", _help, _complete_help, interactive=True),
    Row("?", _HELP, "Short for core show help", _help, _complete_help, interactive=True),
    *(
        Row(
            word,
            usage(f"Usage: {word}", "Leaves this console; the instance goes on."),
            "Leave the console",
            _quit,
            interactive=True,
            client=True,
        )
        for word in ("quit", "exit")
    ),
)
_EVERYWHERE = tuple(table.listed(table.command(row) for row in _ROWS if not row.interactive))
_TYPED = tuple(table.command(row) for row in _ROWS if row.interactive)


# -- suggesting -------------------------------------------------------------------------------


def suggest(text: str, console: Console) -> Sequence[Suggestion]:
    """The words that may follow, or complete, the text before the cursor; sorted commands first.

    At most a thousand.  Each says how far back it begins and is quoted where it must be.
    """
    tokens = tokenise(text)
    words = [token.text for token in tokens.words]
    partial = words.pop() if tokens.open and words else ""
    begun = len(text) - tokens.words[-1].start if tokens.open and tokens.words else 0
    opened = begun > 0 and text[-begun] == '"'
    commands = _commands(console)
    choices = {choice.word: choice for choice in _next_words(commands, words, partial)}
    for choice in islice(_arguments(commands, console, words, partial), _SUGGESTIONS):
        choices.setdefault(choice.word, choice)
    return [
        Suggestion(quote(choice.word, opened), -begun, choice.description)
        for choice in choices.values()
    ]


def _next_words(
    commands: Sequence[table.Command], words: Sequence[str], partial: str
) -> Iterator[Choice]:
    """The next word of every command that begins with `words`, in alphabetical order.

    The last word of a command is explained by its summary, another by what may follow it.
    """
    summaries: dict[str, str] = {}
    further: dict[str, dict[str, None]] = {}
    start = partial.casefold()
    for command in commands:
        if len(command.words) <= len(words) or not command.begins(words):
            continue
        last = len(command.words) == len(words) + 1
        for word in command.offered[len(words)]:
            if not word.casefold().startswith(start):
                continue
            if last:
                summaries.setdefault(word, command.row.summary)
            else:
                further.setdefault(word, {}).update(dict.fromkeys(command.offered[len(words) + 1]))
    for word in sorted({*summaries, *further}):
        yield Choice(word, summaries.get(word) or ", ".join(further[word]))


def _arguments(
    commands: Sequence[table.Command], console: Console, words: Sequence[str], partial: str
) -> Iterator[Choice]:
    """The arguments the command in `words` may take next."""
    command = table.find(commands, words)
    for _ in range(_ALIAS_DEPTH):
        if command is None or not command.expansion:
            break
        expanded = [token.text for token in tokenise(command.expansion).words]
        words = [*expanded, *words[len(command.words) :]]
        command = table.find(commands, words)
    if command is not None and not command.expansion:
        for choice in command.row.complete(console, words[command.given :], partial):
            if choice.word.startswith(partial):
                yield choice
