"""The commands about a fleet: who has what, and steering it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from pjreg_cli.api.cluster import Cluster
from pjreg_cli.errors import StoreError
from pjreg_cli.render import cluster as render
from pjreg_cli.render import json

from .command import USAGE, Answer, Call, Command, Verdict, absent, failed, say, tell, usage

#: how long the owner of a registration may take to do what it is asked
_SEND_S = 5.0

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
    return tell(view, render.show, lambda shown: json.line(render.view_shape(shown)), verdict)


async def _show_shards(_call: Call, fleet: Cluster) -> Answer:
    rows = await fleet.shards()
    return tell(rows, render.shards, lambda shown: json.line([row._asdict() for row in shown]))


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
    words = [word.lower() for word in call.args]
    if words not in ([], ["--with-triggers"], ["with-triggers"]):
        return USAGE
    return Answer([fleet.schema(triggers=bool(words))])


def _command(
    words: str, summary: str, handler: Handler, *lines: str, arguments: str = ""
) -> Command:
    synopsis = f"Usage: {words} {arguments}".rstrip()
    return Command(words, usage(synopsis, *lines), summary, _asked(handler))


ROWS = (
    _command(
        "pjreg cluster show",
        "The machines of the fleet",
        _show,
        "Lists the machines that share the accounts of the database, and who has what.",
        "Fails when a shard is unowned, or when this instance holds.",
    ),
    _command("pjreg cluster show shards", "Who owns each shard", _show_shards, "Lists all shards."),
    _command(
        "pjreg cluster find",
        "Which machine registers an account",
        _find,
        "Tells who registers it, its last answer and its schedule.",
        arguments="<name>",
    ),
    _command(
        "pjreg cluster send",
        "Have a registration's owner act",
        _send,
        "Has the machine that owns it register or unregister an account.",
        arguments="{register|unregister} <name>",
    ),
    _command(
        "pjreg cluster drain",
        "Take all shards from a machine",
        _drain,
        "The others go on with them; it stays, for as long as it is wanted.",
        arguments="<machine>",
    ),
    _command(
        "pjreg cluster undrain",
        "Give a machine its share again",
        _undrain,
        "Ends what drain began.",
        arguments="<machine>",
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
        "With triggers, changes of those tables are told to whom they concern.",
        arguments="[with-triggers]",
    ),
)
