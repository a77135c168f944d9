"""`pjreg watch`: those in trouble first; a frame of the live view, or what it is drawn from."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pjreg_cli.api.registrations import ORDERS, RegistrationView
from pjreg_cli.commands.command import USAGE, Answer, Call, Command, tell, usage
from pjreg_cli.config.pattern import compile_pattern
from pjreg_cli.render import evidence, json
from pjreg_cli.render import status as shown

#: rows of a single frame, and the most that are given to a screen
_FRAME = 20
_MOST = 1_000
_COLUMNS = ("name", "status", "cause", "next", "answer", "target")


def _watch(call: Call) -> Answer:
    words = list(call.args)
    data = "--data" in words
    if data:
        words.remove("--data")
    order, limit = "trouble", _FRAME
    match: Callable[[str], bool] | None = None
    while words:
        word = words.pop(0)
        if not words:
            return USAGE
        value = words.pop(0)
        if word == "like" and value:
            match = compile_pattern(value).search
        elif word == "--sort" and value in ORDERS:
            order = value
        elif word == "--limit" and value.isdigit():
            limit = min(int(value), _MOST)
        else:
            return USAGE
    registrations = call.port.registrations
    views = registrations.foremost(limit, order, match)
    counts = registrations.count()

    def text(views: Sequence[RegistrationView]) -> list[str]:
        head = ", ".join(f"{count} {word}" for word, count in sorted(counts.items()))
        return [f"{head or 'nothing'}\n\n", *shown.table(views, _COLUMNS, call.console.width)]

    def shape(views: Sequence[RegistrationView]) -> list[str]:
        return json.document(
            {
                "now_at": call.port.instance.view().now_at,
                "counts": dict(counts),
                "rows": [_row(view) for view in views],
            }
        )

    # what the live view is drawn from is JSON, whoever asks
    return tell(views, shape if data else text, shape)


def _row(view: RegistrationView) -> json.Shape:
    found = view.evidence
    return {
        "name": view.row.name,
        "status": view.row.word or "Unregistered",
        "cause": view.cause(),
        "since_at": view.since_at,
        "next_in_s": view.next_attempt_s or None,
        "answer": evidence.answer(found),
        "target": (found.target if found is not None else "") or None,
        "retries": view.retries,
    }


ROW = Command(
    "pjreg watch",
    usage(
        "Usage: pjreg watch [like <pattern>] [--sort trouble|name|next] [--limit <count>]",
        "On a terminal a live view of the registrations, those in trouble first: keys sort and",
        "filter, open an explanation, register and unregister.  Elsewhere the first rows of it.",
    ),
    "A live view of registrations, those in trouble first",
    _watch,
)
