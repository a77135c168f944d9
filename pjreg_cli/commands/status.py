"""`pjreg status`: how registrations stand, and why; those asked for, in the form asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain

from pjreg_cli.api.registrations import RegistrationView
from pjreg_cli.commands.command import (
    USAGE,
    Answer,
    Call,
    Choice,
    Command,
    Console,
    absent,
    kept,
    tell,
    usage,
)
from pjreg_cli.commands.options import Given, OptionError, offered, told_apart
from pjreg_cli.commands.pjsip import elsewhere, perhaps, registration_names, standing
from pjreg_cli.config.pattern import compile_pattern
from pjreg_cli.errors import excerpt, hint
from pjreg_cli.render import columns, json
from pjreg_cli.render import status as shown

_STATES = ("registered", "unregistered", "rejected", "stopped")
_FLAGS = {
    "--csv": "for a spreadsheet",
    "--vertical": "a line for each fact",
}
_VALUES = {
    "--columns": "which, separated by commas",
    "--sort": "by a column, `-` before it for the other way round, or by trouble",
    "--state": "only those that stand so",
    "--registrar": "only those whose server has this in its name",
}


async def _status(call: Call) -> Answer:
    given = told_apart(call.args, _FLAGS, _VALUES)
    if len(given.words) > 1 and not _like(given):
        return USAGE
    names = _columns(given, call.console.width)
    if len(given.words) == 1:
        view = call.port.registrations.view(given.words[0])
        if view is None:
            answer = absent(f"Unable to find object {given.words[0]}.", "", *perhaps(call))
            return replace(answer, complaints=await elsewhere(call, given.words[0]))
        views: Iterable[RegistrationView] = [view]
    else:
        views = await _chosen(call, given)
    one = len(given.words) == 1

    def text(views: Iterable[RegistrationView]) -> Iterable[str]:
        if "--csv" in given.flags:
            return shown.comma_separated(views, names)
        if "--vertical" in given.flags or (one and "--columns" not in given.values):
            return shown.vertical(views)
        all_of_them = not given.words and not given.values.keys() & {"--state", "--registrar"}
        if not all_of_them:
            return shown.table(views, names, call.console.width)
        table = shown.table(views, names, call.console.width, call.port.registrations.refused())
        files = call.port.configuration.given_up()
        return chain(table, (f"given up: {columns.harmless(why)}\n" for why in files))

    def shape(views: Iterable[RegistrationView]) -> Iterable[str]:
        now_at = call.port.instance.view().now_at
        if one:
            (view,) = views
            return json.document(shown.shape(view, now_at))
        return json.array(shown.shape(view, now_at) for view in views)

    return tell(views, text, shape)


async def _chosen(call: Call, given: Given) -> Iterable[RegistrationView]:
    """Those that the options leave, in their order."""
    views = call.port.registrations.views()
    tests = list(_tests(given))
    if tests:
        views = await kept(views, lambda view: all(test(view) for test in tests))
    by = given.values.get("--sort")
    if by is None:
        return views
    if by == "trouble":
        return sorted(await kept(views, lambda _view: True), key=shown.by_trouble)
    column = _known(by.removeprefix("-"))
    every = await kept(views, lambda _view: True)
    return sorted(every, key=_order(column), reverse=by.startswith("-"))


def _like(given: Given) -> bool:
    """Whether the words are `like PATTERN`."""
    return len(given.words) == 2 and given.words[0].casefold() == "like"


def _tests(given: Given) -> Iterator[Callable[[RegistrationView], bool]]:
    if _like(given):
        search = compile_pattern(given.words[1]).search
        yield lambda view: search(view.row.name)
    state = given.values.get("--state")
    if state is not None:
        wanted = state.casefold()
        if wanted not in _STATES:
            what = f"--state takes {', '.join(_STATES)}, not '{excerpt(state)}'"
            raise OptionError(f"{what}{hint(wanted, _STATES)}")
        yield lambda view: (view.row.word or "Unregistered").casefold() == wanted
    registrar = given.values.get("--registrar")
    if registrar is not None:
        host = registrar.casefold()
        yield lambda view: host in view.row.server_uri.casefold()


def _order(column: str) -> Callable[[RegistrationView], tuple[float, str]]:
    """Numbers by their size, before what is none."""
    if column == "next":
        return lambda view: (float(view.next_attempt_s or "inf"), view.row.name)
    cell = shown.COLUMNS[column].cell

    def key(view: RegistrationView) -> tuple[float, str]:
        text = cell(view)
        digits = text.removesuffix("s")
        return (float(digits) if digits.isdecimal() else float("inf"), text)

    return key


def _columns(given: Given, width: int) -> Sequence[str]:
    listed = given.values.get("--columns")
    if listed is None:
        return shown.usual(width)
    return [_known(word.strip()) for word in listed.split(",") if word.strip()] or shown.DEFAULT


def _known(column: str) -> str:
    name = column.casefold()
    if name not in shown.COLUMNS:
        known = ", ".join(shown.COLUMNS)
        what = f"there is no column '{excerpt(column)}'{hint(name, shown.COLUMNS)}"
        raise OptionError(f"{what}; there are {known}")
    return name


def _complete(console: Console, args: Sequence[str], partial: str) -> Iterator[Choice]:
    choices = {"--columns": shown.COLUMNS, "--sort": shown.COLUMNS, "--state": _STATES}
    if not partial.startswith("-") and not any(not word.startswith("-") for word in args):
        yield from registration_names(console, (), partial)
    yield from offered(args, {**_FLAGS, **_VALUES}, choices)


ROW = Command(
    "pjreg status",
    usage(
        "Usage: pjreg status [<registration> | like <pattern>] [--columns <name>,...]",
        "             [--sort [-]<column> | trouble] [--state <state>] [--registrar <host>]",
        "             [--csv] [--vertical]",
        "Tells for every registration, or in full for one, how it stands and why: what the",
        "registrar last answered, from where, which rule of the retry policy decided, and",
        "when the next attempt is due.  The cause is what pjreg explain tells about; sorted by",
        "trouble, those come first that are not registered.",
        "",
        f"Columns: {', '.join([*shown.COLUMNS][:9])},",
        f"         {', '.join([*shown.COLUMNS][9:])}.",
        f"States: {', '.join(_STATES)}.",
    ),
    "How registrations stand, and why",
    _status,
    _complete,
    describe=standing,
)
