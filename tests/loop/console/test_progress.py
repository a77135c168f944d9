"""Progress is for terminals."""

from __future__ import annotations

import io

from pjreg_cli.console.progress import Progress


async def test_nothing_is_shown_where_nobody_looks() -> None:
    stream = io.StringIO()
    with Progress(stream) as progress, progress.showing(lambda: "half done"):
        pass
    with Progress(None) as progress, progress.showing(lambda: "half done"):
        pass
    assert stream.getvalue() == ""
