"""The commands of `pjsip`: registrations, auth sections, transports, settings."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Protocol, TypeVar

from pjreg_cli.api.configuration import ObjectView
from pjreg_cli.api.registrations import RegistrationRow, RegistrationView
from pjreg_cli.commands.command import (
    USAGE,
    Answer,
    Call,
    Choice,
    Command,
    Completer,
    Console,
    Handler,
    Kind,
    absent,
    failed,
    kept,
    say,
    tell,
)
from pjreg_cli.commands.command import usage as usage_text
from pjreg_cli.config.pattern import PatternError, RefusedPatternError, compile_pattern
from pjreg_cli.dialects import Dialect
from pjreg_cli.errors import StoreError, nearest
from pjreg_cli.render import columns, facts, json, objects, registrations

_ALL = "*all"
#: names that are compared with one that does not exist
_COMPARED = 2_000
#: what means something in a pattern and would not fit itself; a dot does
_SPECIAL = re.compile(r"[][*+?(){}|^$\\]")


class _Named(Protocol):
    @property
    def name(self) -> str: ...


_Object = TypeVar("_Object", bound=_Named)
_View = TypeVar("_View", RegistrationView, ObjectView)


# -- tables -----------------------------------------------------------------------------------


async def _wanted(call: Call, every: Iterable[_Object]) -> Iterable[_Object] | None:
    """All objects, or those that `like` asks for; None when it lacks its pattern.

    A pattern that cannot be compiled finds nothing, one that is refused says why; words that are
    not `like` are ignored.
    """
    if not call.args or call.args[0].casefold() != "like":
        return every
    if len(call.args) < 2 or not call.args[1]:
        return None
    try:
        search = compile_pattern(call.args[1]).search
    except RefusedPatternError:
        raise
    except PatternError:
        return ()
    return await kept(every, lambda thing: search(thing.name))


async def _show_registrations(call: Call) -> Answer:
    rows = await _wanted(call, call.port.registrations.rows())
    if rows is None:
        return USAGE

    def shape(rows: Iterable[RegistrationRow]) -> Iterable[str]:
        now_at = call.port.instance.view().now_at
        return json.array(registrations.row_shape(row, now_at) for row in rows)

    return tell(rows, lambda shown: registrations.table(shown, call.console.dialect), shape)


async def _show_auths(call: Call) -> Answer:
    views = await _wanted(call, call.port.configuration.auths())
    if views is None:
        return USAGE
    dialect = call.console.dialect
    return tell(views, lambda shown: objects.auths(shown, dialect), json.each(objects.auth_shape))


async def _show_transports(call: Call) -> Answer:
    views = await _wanted(call, call.port.configuration.transports())
    if views is None:
        return USAGE
    dialect = call.console.dialect
    return tell(
        views, lambda shown: objects.transports(shown, dialect), json.each(objects.transport_shape)
    )


# -- one object -------------------------------------------------------------------------------


def perhaps(call: Call, names: Callable[[Console], Sequence[str]] | None = None) -> Iterator[str]:
    """To those who type, the name (of a registration) they may have meant."""
    names = names or _names
    if call.console.kind.interactive:
        first = call.args[0][:1].casefold()
        close = [name for name in names(call.console) if name[:1].casefold() == first]
        if meant := nearest(call.args[0], close[:_COMPARED]):
            yield f"Did you mean '{meant}'?"


def _one(
    call: Call,
    find: Callable[[str], _View | None],
    answer: Callable[[_View], Answer],
    names: Callable[[Console], Sequence[str]],
) -> Answer:
    """Show the object that is named; words behind the name are ignored."""
    if not call.args or not call.args[0]:
        return failed("No object specified.")
    view = find(call.args[0])
    if view is not None:
        return answer(view)
    return absent(f"Unable to find object {call.args[0]}.", "", *perhaps(call, names))


def _show_registration(call: Call) -> Answer:
    def answer(view: RegistrationView) -> Answer:
        return tell(
            view,
            lambda shown: registrations.details(shown, call.console.dialect),
            json.whole(
                lambda shown: registrations.details_shape(shown, call.port.instance.view().now_at)
            ),
        )

    return _one(call, call.port.registrations.view, answer, _names)


def _show_auth(call: Call) -> Answer:
    show = _full(call, objects.auth, objects.auth_shape)
    return _one(call, call.port.configuration.auth, show, _auths)


def _show_transport(call: Call) -> Answer:
    show = _full(call, objects.transport, objects.transport_shape)
    return _one(call, call.port.configuration.transport, show, _transports)


def _full(
    call: Call,
    text: Callable[[ObjectView, Dialect], Iterable[str]],
    row: Callable[[ObjectView], json.Shape],
) -> Callable[[ObjectView], Answer]:
    """What shows all of an auth section or a transport."""
    return lambda view: tell(
        view,
        lambda shown: text(shown, call.console.dialect),
        json.whole(lambda shown: objects.full_shape(shown, row)),
    )


def _show_settings(call: Call) -> Answer:
    of_global, of_system = call.port.configuration.globals(), call.port.configuration.system()
    return tell(
        (of_global, of_system),
        lambda both: objects.settings(*both),
        json.whole(lambda both: {"global": json.options(both[0]), "system": json.options(both[1])}),
    )


def _show_version(call: Call) -> Answer:
    return tell(
        call.port.instance.view(),
        lambda view: [f"pjreg-cli's own SIP client, version {view.version}\n"],
        json.whole(facts.version_shape),
    )


# -- steering ---------------------------------------------------------------------------------


async def _send(
    call: Call, verb: str, every: Callable[[], None], one: Callable[[str], bool], queued: str
) -> Answer:
    if len(call.args) != 1:
        return USAGE
    name = call.args[0]
    registrations, outcomes = call.port.registrations, call.console.outcomes
    held = _held(call)
    # a one-shot would wait for what does not come
    listens = call.console.kind.interactive or (call.console.follows and not held)
    if name == _ALL:
        if listens:
            outcomes.ask_all(verb, registrations.count(), call.port.instance.view().now_at)
        every()
        return replace(say(queued), complaints=held)
    if listens:
        outcomes.ask(name, verb)
    if one(name):
        return Answer(complaints=held)
    outcomes.forget(name)
    answer = failed(f"Unable to retrieve registration {name}", *perhaps(call, _names))
    return replace(answer, complaints=await elsewhere(call, name))


def _held(call: Call) -> tuple[str, ...]:
    """Why nothing comes of it yet, on a machine of a fleet that may not send."""
    this = call.port.cluster.this() if call.port.cluster is not None else None
    if this is None or this.trust_s > 0 or call.console.kind is Kind.MANAGER:
        return ()
    why = f": {columns.harmless(this.trouble)}" if this.trouble else ""
    return (f"{columns.harmless(this.name)} holds, so registrations of its fleet wait{why}",)


async def elsewhere(call: Call, name: str) -> tuple[str, ...]:
    """Which machine of our fleet has a registration that we have not."""
    fleet = call.port.cluster
    this = fleet.this() if fleet is not None else None
    if fleet is None or this is None or this.trust_s <= 0 or call.console.kind is Kind.MANAGER:
        return ()
    try:
        found = await fleet.find(name)
    except StoreError:
        return ()
    if found is None or found.owner in ("", fleet.name):
        return ()
    who = columns.harmless(found.owner)
    return (f"{columns.harmless(name)} is registered by {who}: see pjreg cluster send",)


async def _send_register(call: Call) -> Answer:
    known = call.port.registrations
    return await _send(
        call, "register", known.register_all, known.register, "Re-register all queued"
    )


async def _send_unregister(call: Call) -> Answer:
    known = call.port.registrations
    return await _send(
        call, "unregister", known.unregister_all, known.unregister, "Unregister all queued"
    )


# -- completion -------------------------------------------------------------------------------


def starting(names: Sequence[str], partial: str) -> Iterator[Choice]:
    """The sorted names that begin so, without looking at the others."""
    for at in range(bisect_left(names, partial), len(names)):
        if not names[at].startswith(partial):
            return
        yield Choice(names[at])


def registration_names(console: Console, args: Sequence[str], partial: str) -> Iterator[Choice]:
    """A registration, as the only argument."""
    return iter(()) if args else starting(console.port.registrations.names(), partial)


def _sendable(console: Console, args: Sequence[str], partial: str) -> Iterator[Choice]:
    if not args:
        yield Choice(_ALL, "every registration")
    yield from registration_names(console, args, partial)


def standing(console: Console, word: str) -> str:
    """How the registration of this name stands."""
    row = console.port.registrations.row(word)
    return "" if row is None else row.word or "Unregistered"


def _names(console: Console) -> Sequence[str]:
    return console.port.registrations.names()


def _auths(console: Console) -> Sequence[str]:
    return [view.name for view in console.port.configuration.auths()]


def _transports(console: Console) -> Sequence[str]:
    return [view.name for view in console.port.configuration.transports()]


def _one_of(names: Callable[[Console], Sequence[str]]) -> Completer:
    """One of the names, as the only argument."""

    def complete(console: Console, args: Sequence[str], partial: str) -> Iterator[Choice]:
        return iter(()) if args else starting(names(console), partial)

    return complete


def _like(names: Callable[[Console], Sequence[str]]) -> Completer:
    """`like`, and behind it the names, which are patterns that fit themselves."""

    def complete(console: Console, args: Sequence[str], partial: str) -> Iterator[Choice]:
        if not args:
            yield Choice("like", "only names that match a regular expression")
        elif len(args) == 1 and args[0].casefold() == "like":
            for name in starting(names(console), partial):
                yield Choice(_SPECIAL.sub(r"\\\g<0>", name.word), standing(console, name.word))

    return complete


# -- rows -------------------------------------------------------------------------------------


def _tables(
    words: str, what: str, run: Handler, names: Callable[[Console], Sequence[str]]
) -> Iterator[Command]:
    """`list` and `show` of the same table."""
    for verb in ("list", "show"):
        yield Command(
            f"pjsip {verb} {words}",
            usage_text(
                f"Usage: pjsip {verb} {words} [ like <pattern> ]",
                f"Prints the table of all {what}.",
                "With a pattern, an extended regular expression, just those whose name it fits.",
            ),
            f"Table of {what}",
            run,
            _like(names),
        )


def _object(word: str, what: str, run: Handler, complete: Completer) -> Command:
    """`show` of one object."""
    return Command(
        f"pjsip show {word}",
        usage_text(f"Usage: pjsip show {word} <id>", f"Prints one {what} and all its options."),
        f"One {what} in full",
        run,
        complete,
        describe=standing,
    )


ROWS = (
    *_tables("registrations", "registrations and how they stand", _show_registrations, _names),
    _object("registration", "registration", _show_registration, registration_names),
    *_tables("auths", "auth sections", _show_auths, _auths),
    _object("auth", "auth section", _show_auth, _one_of(_auths)),
    *_tables("transports", "transports that are open", _show_transports, _transports),
    _object("transport", "transport", _show_transport, _one_of(_transports)),
    Command(
        "pjsip show settings",
        usage_text(
            "Usage: pjsip show settings", "Prints the options in force for the whole SIP client."
        ),
        "Options of the global and the system section",
        _show_settings,
    ),
    Command(
        "pjsip show version",
        usage_text("Usage: pjsip show version", "Tells which SIP client is at work."),
        "Version of the SIP client",
        _show_version,
    ),
    Command(
        "pjsip send register",
        usage_text(
            "Usage: pjsip send register <registration> | *all ",
            "Takes the binding away from the registrar and registers anew after the initial delay,",
            "with the count of retries starting from zero.  *all does so with every registration.",
        ),
        "Make a registration register anew",
        _send_register,
        _sendable,
        describe=standing,
    ),
    Command(
        "pjsip send unregister",
        usage_text(
            "Usage: pjsip send unregister <registration> | *all",
            "Takes the binding away from the registrar and leaves it at that until somebody",
            "registers it again.  *all does so with every registration and forgets how they stood.",
        ),
        "Unregister a registration for good",
        _send_unregister,
        _sendable,
        describe=standing,
    ),
)
