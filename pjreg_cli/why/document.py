"""The page `docs/troubleshooting.md`, made of the catalogue."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable

from pjreg_cli.why.notes import NOTES
from pjreg_cli.why.state import CATALOGUE

_PAGE = """\
# Troubleshooting

Made from `pjreg_cli/why`; `make docs` writes it again. `pjreg explain NAME` says which of these it
is, with the facts; the codes are the same in `pjreg status`, in JSON, in AMI, in metrics and in the
log. The first cause that holds, in this order, is the finding.

## Causes

{causes}
## Notes

What is worth knowing beside a cause, or beside `fine`.

| code | when |
|---|---|
{notes}
"""


def document() -> str:
    """The page as Markdown."""
    done: set[str] = set()
    causes = []
    for row in CATALOGUE:
        if row.code in done:
            continue
        done.add(row.code)
        same = [one for one in CATALOGUE if one.code == row.code]
        when = "; or ".join(dict.fromkeys(_text(one.when) for one in same))
        causes.append(
            f"### `{row.code}`\n\n"
            f"{_text(row.says)}\n\n"
            f"- *When*: {when}.\n"
            f"- *To do*: {_text(row.fix)}\n"
        )
    notes = (f"| `{note.code}` | {_text(note.text)} |" for note in NOTES)
    return _PAGE.format(causes="\n".join(causes), notes="\n".join(notes))


def _text(described: Callable[..., object]) -> str:
    return " ".join((inspect.getdoc(described) or "").split())


def codes() -> Iterable[str]:
    """All codes, of causes and of notes."""
    return dict.fromkeys((*(row.code for row in CATALOGUE), *(note.code for note in NOTES)))
