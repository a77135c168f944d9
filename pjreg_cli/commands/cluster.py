"""The commands about a fleet: who has what, and steering it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from contextlib import aclosing
from functools import partial

from pjreg_cli.api.cluster import Cluster, Wanted
from pjreg_cli.config.pattern import PatternError, RefusedPatternError, compile_pattern
from pjreg_cli.errors import StoreError
from pjreg_cli.render import cluster as render
from pjreg_cli.render import json

from .command import (
    USAGE,
    Answer,
    Call,
    Choice,
    Command,
    Completer,
    Console,
    Verdict,
    absent,
    failed,
    nothing,
    say,
    tell,
    usage,
)
from .pjsip import registration_names

#: how long the owner of a registration may take to do what it is asked
_SEND_S = 5.0
_LEASE_S = 6.0

_WORDS = ("Registered", "Unregistered", "Rejected")

Handler = Callable[[Call, Cluster], Awaitable[Answer]]


def _asked(handler: Handler) -> Callable[[Call], Awaitable[Answer]]:
    """A command that asks the fleet; what it cannot be told is said."""

    async def run(call: Call) -> Answer:
        fleet = call.port.cluster
        if fleet is None:
            return failed("This is no machine of a fleet.")
        try:
            return await handler(call, fleet)
        except StoreError as error:
            return failed(f"The fleet cannot be asked: {error}")

    return run


async def _show(call: Call, fleet: Cluster) -> Answer:
    if call.args:
        return USAGE
    view = await fleet.view()
    verdict = Verdict.DONE if view.whole else Verdict.NEGATIVE
    text = partial(render.show, terminal=call.console.width)
    return tell(view, text, lambda shown: json.line(render.view_shape(shown)), verdict)


async def _show_shards(_call: Call, fleet: Cluster) -> Answer:
    rows = await fleet.shards()
    return tell(rows, render.shards, lambda shown: json.line([row._asdict() for row in shown]))


async def _show_registrations(call: Call, fleet: Cluster) -> Answer:
    wanted = _wanted(call.args)
    if wanted is None:
        return USAGE
    pages = fleet.registrations(wanted)
    if call.console.json:
        rest = render.registrations_for_machines(pages, call.port.instance.view().now_at)
    else:
        rest = render.registrations(pages, call.console.dialect)
    # a database that cannot be asked is found out before anything is said
    first = [await anext(rest)]
    return Answer(text=lambda: first, shape=lambda: first, rest=_told(rest))


async def _told(rest: AsyncGenerator[str, None]) -> AsyncGenerator[str, None]:
    """The same; what breaks it off is said."""
    try:
        async with aclosing(rest):
            async for piece in rest:
                yield piece
    except StoreError as error:
        raise StoreError(f"The fleet cannot be asked any more: {error}") from error


def _wanted(args: Sequence[str]) -> Wanted | None:
    """`[like PATTERN] [where status=WORD instance=NAME ...]`; None when it is something else."""
    words, wanted = list(args), Wanted()
    if words and words[0].lower() == "like":
        if len(words) < 2:
            return None
        try:
            wanted = Wanted(compile_pattern(words[1]).search)
        except RefusedPatternError:
            raise
        except PatternError:
            wanted = Wanted(lambda _name: False)  # as `pjsip show registrations like` has it
        del words[:2]
    if words and (words.pop(0).lower() != "where" or not words):
        return None
    for word in words:
        name, _, value = word.partition("=")
        if name.lower() == "status" and value.title() in _WORDS:
            wanted = wanted._replace(word=value.title())
        elif name.lower() == "instance" and value:
            wanted = wanted._replace(instance=value)
        else:
            return None
    return wanted


async def _find(call: Call, fleet: Cluster) -> Answer:
    if len(call.args) != 1:
        return USAGE
    found = await fleet.find(call.args[0])
    if found is None:
        return absent(f"The fleet has no registration {call.args[0]}")
    return tell(found, render.found, lambda shown: json.line(shown._asdict()))


async def _send(call: Call, fleet: Cluster) -> Answer:
    if len(call.args) != 2 or call.args[0].lower() not in ("register", "unregister"):
        return USAGE
    why = await fleet.send(call.args[0].lower(), call.args[1], _SEND_S)
    return absent(why[0].upper() + why[1:]) if why else say("Done")


async def _drain(call: Call, fleet: Cluster) -> Answer:
    return await _drained(call, fleet, on=True)


async def _undrain(call: Call, fleet: Cluster) -> Answer:
    return await _drained(call, fleet, on=False)


async def _drained(call: Call, fleet: Cluster, *, on: bool) -> Answer:
    if len(call.args) != 1:
        return USAGE
    if not await fleet.drain(call.args[0], on):
        return absent(f"The fleet has no machine {call.args[0]} that is alive")
    return say(f"{call.args[0]} {'gives its shards away' if on else 'gets its share again'}")


async def _reload(call: Call, fleet: Cluster) -> Answer:
    return say(f"{await fleet.reload()} machines read their rows anew")


async def _check(_call: Call, fleet: Cluster) -> Answer:
    found = await fleet.check()
    verdict = Verdict.DONE if all(ok for ok, _ in found) else Verdict.NEGATIVE
    return tell(found, _checked, _checked_shape, verdict)


def _checked(found: Sequence[tuple[bool, str]]) -> list[str]:
    return [f"{'ok ' if ok else 'NO '} {what}\n" for ok, what in found]


def _checked_shape(found: Sequence[tuple[bool, str]]) -> list[str]:
    return json.line([{"ok": ok, "what": what} for ok, what in found])


async def _schema(call: Call, fleet: Cluster) -> Answer:
    words = [word.lower().removeprefix("--") for word in call.args]
    triggers, lease_s = False, _LEASE_S
    while words:
        match words.pop(0):
            case "with-triggers":
                triggers = True
            case "lease" if words and _seconds(words[0]) is not None:
                lease_s = _seconds(words.pop(0)) or _LEASE_S
            case _:
                return USAGE
    return Answer([fleet.schema(triggers=triggers, lease_ms=round(lease_s * 1000))])


def _seconds(word: str) -> float | None:
    """A lease: from a few seconds, which a busy machine may miss, to ten minutes."""
    try:
        seconds = float(word)
    except ValueError:
        return None
    return seconds if 1.0 <= seconds <= 600.0 else None


# -- completion -------------------------------------------------------------------------------


def _sendable(console: Console, args: Sequence[str], partial: str) -> Iterable[Choice]:
    if not args:
        return (Choice("register"), Choice("unregister"))
    return registration_names(console, args[1:], partial)


def _machines(console: Console, args: Sequence[str], _partial: str) -> Iterable[Choice]:
    """The one that is known without asking anybody."""
    fleet = console.port.cluster
    return () if args or fleet is None or not fleet.name else (Choice(fleet.name, "this one"),)


def _which(console: Console, args: Sequence[str], partial: str) -> Iterable[Choice]:
    words = [word.lower() for word in args]
    if "where" in words:
        states = (Choice(f"status={word}") for word in _WORDS)
        machines = (Choice(f"instance={one.word}") for one in _machines(console, (), partial))
        return (*states, *machines)
    if words == ["like"]:
        return ()
    where = Choice("where", "only with this status, only of this machine")
    return (where,) if words else (Choice("like", "only names that match a pattern"), where)


def _forms(_console: Console, args: Sequence[str], _partial: str) -> Iterable[Choice]:
    offered = (Choice("with-triggers", "changes are told"), Choice("lease", "seconds"))
    return [one for one in offered if one.word not in args]


# -- the table --------------------------------------------------------------------------------


def _command(
    words: str,
    summary: str,
    handler: Handler,
    *lines: str,
    arguments: str = "",
    complete: Completer = nothing,
) -> Command:
    synopsis = f"Usage: {words} {arguments}".rstrip()
    return Command(words, usage(synopsis, *lines), summary, _asked(handler), complete)


ROWS = (
    _command(
        "pjreg cluster show",
        "The machines of the fleet",
        _show,
        "Lists the machines that share the accounts of the database, and who has what.",
        "Fails when a shard is unowned, or when this instance holds.",
    ),
    _command(
        "pjreg cluster show registrations",
        "The registrations of all machines",
        _show_registrations,
        "Lists what `pjsip show registrations` lists on each machine, and the machine.",
        "Only names that match a regular expression, only those with a status, only those of",
        "a machine, if so asked.",
        arguments="[like <pattern>] [where {status=<status>|instance=<machine>} ...]",
        complete=_which,
    ),
    _command("pjreg cluster show shards", "Who owns each shard", _show_shards, "Lists all shards."),
    _command(
        "pjreg cluster find",
        "Which machine registers an account",
        _find,
        "Tells who registers it, its last answer and its schedule.",
        arguments="<name>",
        complete=registration_names,
    ),
    _command(
        "pjreg cluster send",
        "Have a registration's owner act",
        _send,
        "Has the machine that owns it register or unregister an account.",
        arguments="{register|unregister} <name>",
        complete=_sendable,
    ),
    _command(
        "pjreg cluster drain",
        "Take all shards from a machine",
        _drain,
        "The others go on with them; it stays, for as long as it is wanted.",
        arguments="<machine>",
        complete=_machines,
    ),
    _command(
        "pjreg cluster undrain",
        "Give a machine its share again",
        _undrain,
        "Ends what drain began.",
        arguments="<machine>",
        complete=_machines,
    ),
    _command(
        "pjreg cluster reload",
        "Have all machines read their rows",
        _reload,
        "Each reads the rows of its shards anew and applies the difference.",
    ),
    _command(
        "pjreg cluster check",
        "Whether the database is fit for a fleet",
        _check,
        "Looks at version, encryption, index, format, connections and privileges.",
    ),
    _command(
        "pjreg cluster schema",
        "The SQL that makes the fleet's tables",
        _schema,
        "Run it once in the database that has Asterisk's tables, as their owner.",
        "With triggers, changes of those tables are told to whom they concern.  A machine that",
        "is silent for a lease (6 s) is ended by the others.",
        arguments="[with-triggers] [lease <seconds>]",
        complete=_forms,
    ),
)
