"""What the console shows of the manager interface."""

from __future__ import annotations

import pytest

from pjreg_cli.api.manager import ManagerSession
from pjreg_cli.render.manager import connected, paragraphs, permissions


@pytest.mark.parametrize(
    ("classes", "shown"),
    [
        ((), "<none>"),
        (("bogus",), "<none>"),
        (("reporting", "System"), "system,reporting"),
        (("message", "call", "call"), "call,message"),
    ],
)
def test_permissions_come_in_a_fixed_order(classes: tuple[str, ...], shown: str) -> None:
    assert permissions(classes) == shown


def test_all_is_written_out_and_named_besides() -> None:
    shown = permissions(("command", "all")).split(",")
    assert (shown[0], shown[-1], len(shown)) == ("system", "all", 20)


def test_long_names_of_connected_users_are_cut() -> None:
    row = list(connected([ManagerSession("u" * 20, "127.0.0.1:1", 10.0, 3, 1, 2)], 15.0))[1]
    assert row.startswith(f"  {'u' * 15}  127.0.0.1:1 ")
    assert row.split()[2:] == ["10", "5", "3", "0", "1", "2"]


def test_paragraph_without_a_text_says_so() -> None:
    assert list(paragraphs(("Since", ""))) == ["[Since]\nNot available\n\n"]
