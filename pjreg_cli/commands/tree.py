"""The command language: running a line, helping, suggesting what may follow.

One list of rows feeds all of it.  Words must be complete, letter case does not matter, the command
that takes the most words wins.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import islice

from pjreg_cli.commands import (
    cluster,
    config_help,
    core,
    manager,
    pjreg,
    pjsip,
    program,
    table,
    trace,
    why,
)
from pjreg_cli.commands.command import (
    Answer,
    Call,
    Choice,
    Command,
    Console,
    Kind,
    Reply,
    Suggestion,
    Suggestions,
    Verdict,
    absent,
    tell,
    undescribed,
    usage,
)
from pjreg_cli.commands.words import Tokens, joined, quote, tokenise
from pjreg_cli.errors import PjregError
from pjreg_cli.render import json

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
        known = table.find(commands, words)
        if known is None:
            return _reply(console, _unknown(console, line, commands, words), line)
        if not known.expansion:
            return await _run(known, line, tokens, console)
        line = known.expansion + line[tokens.words[len(known.words) - 1].end :]
    loop = Answer(["This alias leads back to itself.\n"], Verdict.FAILED)
    return _reply(console, loop, line)


def _unknown(
    console: Console, line: str, commands: Sequence[table.Syntax], words: Sequence[str]
) -> Answer:
    more = f"(type 'core show help {table.guess(commands, words)}' for other possible commands)"
    output = [f"No such command '{line}' {more}\n"]
    if console.kind.interactive and (meant := table.nearest_to(commands, words)):
        output.append(f"Did you mean '{meant}'?\n")
    return Answer(output, Verdict.UNKNOWN)


async def _run(known: table.Syntax, line: str, tokens: Tokens, console: Console) -> Reply:
    words = tuple(token.text for token in tokens.words)
    given = known.given
    if console.permitted is not None and not known.command.client:
        own = len(known.words)
        if not console.permitted(" ".join((*map(str.lower, words[:own]), *words[own:]))):
            why = f"You don't have permissions to run '{line}' command\n"
            return _reply(console, Answer([why], Verdict.NEGATIVE), line)
    tail = line[tokens.words[given].start :] if len(words) > given else ""
    call = Call(console, line, words[given:], tail)
    try:
        result = known.command.run(call)
        answer = result if isinstance(result, Answer) else await result
        if answer.verdict is Verdict.USAGE:
            answer = Answer([known.command.usage], Verdict.USAGE)
        return _reply(console, answer, line)
    except PjregError as error:
        return _reply(console, Answer([f"{error}\n"], Verdict.FAILED), line)


def _reply(console: Console, answer: Answer, line: str) -> Reply:
    """The one place that chooses between text and JSON."""
    shape = answer.shape if console.json else None
    make = shape or answer.text
    output = make() if make is not None else answer.output
    if answer.verdict is Verdict.FAILED:
        output = [*output, f"Command '{line}' failed.\n"]
    ok = answer.verdict is Verdict.DONE
    complaints = answer.complaints
    if console.json and shape is None:
        output = json.plain(output) if ok else json.error([*output, *complaints])
    elif console.kind is not Kind.ONE_SHOT:
        output = [*output, *(f"{line}\n" for line in complaints)] if complaints else output
        complaints = ()
    failed = not ok and answer.verdict is not Verdict.NEGATIVE
    return Reply(output, ok, answer.quit, complaints, answer.remarks, answer.rest, failed)


def _commands(console: Console) -> Sequence[table.Syntax]:
    """All commands this console knows, its aliases included, in the order they are listed."""
    defined = tuple(console.port.configuration.aliases().items())
    return _with_aliases(defined, console.kind.interactive)


@lru_cache(maxsize=8)
def _with_aliases(
    defined: tuple[tuple[str, str], ...], interactive: bool
) -> Sequence[table.Syntax]:
    typed = _TYPED if interactive else ()
    kept = [*_EVERYWHERE, *(known for known in typed if known.command.client)]
    aliases = table.aliases(dict(defined), kept)
    taken = {alias.words for alias in aliases}
    return table.listed([*_EVERYWHERE, *(c for c in typed if c.words not in taken), *aliases])


# -- help and aliases -------------------------------------------------------------------------


def _help(call: Call) -> Answer:
    """A command's usage, or a line for each command that begins so."""
    commands = _commands(call.console)
    known = table.exactly(commands, call.args)
    found = [known] if known else _beginning(commands, call.args)
    if not found:
        return absent(f"No such command '{joined(call.args)}'.")
    text = _usage if known else _summaries
    return tell(found, text, json.each(_explained))


def _usage(found: Sequence[table.Syntax]) -> list[str]:
    return [known.command.usage for known in found]


def _summaries(found: Sequence[table.Syntax]) -> list[str]:
    return [f"{c.command.words:<30} -- {c.command.summary}\n" for c in found]


def _beginning(commands: Sequence[table.Syntax], words: Sequence[str]) -> list[table.Syntax]:
    start = joined(words).casefold()
    return [c for c in commands if c.command.words.casefold().startswith(start)]


def _explained(known: table.Syntax) -> json.Shape:
    row = known.command
    return {"command": row.words, "summary": row.summary, "usage": row.usage}


def _complete_help(console: Console, args: Sequence[str], partial: str) -> Iterator[Choice]:
    return _next_words(_commands(console), args, partial)


def _show_aliases(call: Call) -> Answer:
    aliases = [known for known in _commands(call.console) if known.expansion]
    return tell(aliases, _aliases, json.each(_alias))


def _aliases(aliases: Sequence[table.Syntax]) -> list[str]:
    rows = [("Alias Command", "Real Command"), *((c.command.words, c.expansion) for c in aliases)]
    return [f"{alias:<50} {command:<50}\n" for alias, command in rows]


def _alias(known: table.Syntax) -> json.Shape:
    return {"alias": known.command.words, "command": known.expansion}


def _quit(_call: Call) -> Answer:
    return Answer(quit=True)


_HELP = usage(
    "Usage: core show help [topic]",
    "Lists the commands, or those that begin with the words given;",
    "for the words of one command, how it is used.",
)
COMMANDS = (
    Command("core show help", _HELP, "List commands, or explain one", _help, _complete_help),
    Command(
        "cli show aliases",
        usage("Usage: cli show aliases", "Lists the aliases of cli_aliases.conf that are in use."),
        "List the aliases in use",
        _show_aliases,
    ),
    *core.ROWS,
    *config_help.ROWS,
    *program.ROWS,
    *manager.ROWS,
    *pjsip.ROWS,
    *cluster.ROWS,
    *trace.ROWS,
    *pjreg.ROWS,
    *why.COMMANDS,
    Command("help", _HELP, "Short for core show help", _help, _complete_help, interactive=True),
    Command("?", _HELP, "Short for core show help", _help, _complete_help, interactive=True),
    *(
        Command(
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
_EVERYWHERE = tuple(table.listed(table.syntax(row) for row in COMMANDS if not row.interactive))
_TYPED = tuple(table.syntax(row) for row in COMMANDS if row.interactive)


# -- suggesting -------------------------------------------------------------------------------


def suggest(text: str, console: Console) -> Suggestions:
    """The words that may follow, or complete, the text before the cursor; sorted commands first.

    At most a thousand, of more the first and the last.  Each says how far back it begins and is
    quoted where it must be.  Who types is also offered words that have the letters begun in this
    order, where none begins with them.
    """
    tokens = tokenise(text)
    words = [token.text for token in tokens.words]
    partial = words.pop() if tokens.open and words else ""
    begun = len(text) - tokens.words[-1].start if tokens.open and tokens.words else 0
    opened = begun > 0 and text[-begun] == '"'
    commands = _commands(console)
    choices, more = _bounded(_choices(commands, console, words, partial))
    if not choices and partial and console.kind.interactive:
        every = _choices(commands, console, words, "")
        loose = [choice for choice in every if _scattered(partial, choice.word)]
        choices, more = _bounded(iter(sorted(loose, key=lambda c: (len(c.word), c.word))))
    known = _meant(commands, words)
    describe = undescribed if known is None else known[0].command.describe
    return Suggestions(
        (
            Suggestion(quote(word, opened), -begun, description or describe(console, word))
            for word, description in choices
        ),
        more,
    )


def _choices(
    commands: Sequence[table.Syntax], console: Console, words: Sequence[str], partial: str
) -> Iterator[Choice]:
    seen = set()
    for choice in _next_words(commands, words, partial):
        seen.add(choice.word)
        yield choice
    for choice in _arguments(commands, console, words, partial):
        if choice.word not in seen:
            yield choice


def _bounded(choices: Iterator[Choice]) -> tuple[list[Choice], int]:
    """The first of them and the last, and how many were left out."""
    shown = list(islice(choices, _SUGGESTIONS - 1))
    further, last = 0, None
    for choice in choices:
        further, last = further + 1, choice
    return (shown if last is None else [*shown, last]), max(0, further - 1)


def _scattered(letters: str, word: str) -> bool:
    """Whether a word has these letters in this order."""
    rest = iter(word.casefold())
    return all(letter in rest for letter in letters.casefold())


def _next_words(
    commands: Sequence[table.Syntax], words: Sequence[str], partial: str
) -> Iterator[Choice]:
    """The next word of every command that begins with `words`, in alphabetical order.

    The last word of a command is explained by its summary, another by what may follow it.
    """
    summaries: dict[str, str] = {}
    further: dict[str, dict[str, None]] = {}
    start = partial.casefold()
    for known in commands:
        if len(known.words) <= len(words) or not known.begins(words):
            continue
        last = len(known.words) == len(words) + 1
        for word in known.offered[len(words)]:
            if not word.casefold().startswith(start):
                continue
            if last:
                summaries.setdefault(word, known.command.summary)
            else:
                further.setdefault(word, {}).update(dict.fromkeys(known.offered[len(words) + 1]))
    for word in sorted({*summaries, *further}):
        yield Choice(word, summaries.get(word) or ", ".join(further[word]))


def _arguments(
    commands: Sequence[table.Syntax], console: Console, words: Sequence[str], partial: str
) -> Iterator[Choice]:
    """The arguments the command in `words` may take next."""
    found = _meant(commands, words)
    if found is not None:
        known, arguments = found
        for choice in known.command.complete(console, arguments, partial):
            if choice.word.startswith(partial):
                yield choice


def _meant(
    commands: Sequence[table.Syntax], words: Sequence[str]
) -> tuple[table.Syntax, Sequence[str]] | None:
    """The command that `words` call, by an alias perhaps, and the arguments among them."""
    known = table.find(commands, words)
    for _ in range(_ALIAS_DEPTH):
        if known is None or not known.expansion:
            break
        expanded = [token.text for token in tokenise(known.expansion).words]
        words = [*expanded, *words[len(known.words) :]]
        known = table.find(commands, words)
    if known is None or known.expansion:
        return None
    return known, words[known.given :]
