"""Classes of actions and events."""

from __future__ import annotations

import pytest

from pjreg_cli.config import manager_classes as classes


def test_all_is_every_bit() -> None:
    assert classes.mask_of(["all"]) == 2147483647


def test_masks_add_up_and_strangers_count_for_nothing() -> None:
    assert classes.mask_of(["system", " Command ", "bogus", ""]) == 1 | 16
    assert classes.mask_of([]) == 0


def test_privileges_come_in_a_fixed_order_and_end_with_all() -> None:
    assert classes.privilege(classes.REPORTING | classes.SYSTEM) == "system,reporting,all"
    assert classes.privilege(0) == "<none>"
    assert classes.words(classes.ALL)[-2:] == ("message", "all")


@pytest.mark.parametrize(
    ("text", "mask"),
    [
        ("", None),
        ("on", 2147483647),
        ("Yes", 2147483647),
        ("off", 0),
        ("NO", 0),
        ("17", 17),
        ("9" * 5000, 999_999_999_999 & 2147483647),
        ("system,call", 3),
        ("bogus", 0),
        ("-1", 0),
        ("all", 2147483647),
    ],
)
def test_event_masks(text: str, mask: int | None) -> None:
    assert classes.event_mask(text) == mask
