"""tests/support/figures.py"""

from __future__ import annotations

from tests.support.figures import KEPT, PAGE, page, read
from tests.support.golden import PROJECT, Golden


def test_the_docs_page_has_the_figures_of_the_last_run(golden: Golden) -> None:
    assert KEPT.exists()
    golden.check(PAGE, page((PROJECT / PAGE).read_text("utf-8"), read()))


def test_figures_are_told_with_what_they_were_made_by() -> None:
    fuzz = {"date": "2026-08-01", "seconds_each": 90, "inputs": {"uris": 12_345}, "failed": []}
    told = page("<!-- figures -->\n<!-- end -->", {"fuzz": fuzz})
    assert "| `make fuzz` | 2026-08-01 | 12,345 inputs, 1.5 min for each target" in told
    assert page(told, {"fuzz": fuzz}) == told
