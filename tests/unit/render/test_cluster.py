"""A fleet as text."""

from __future__ import annotations

from pjreg_cli.api.cluster import Found, MachineRow, ShardRow
from pjreg_cli.render.cluster import found, shards, show
from tests.unit.commands.test_cluster import VIEW


def test_a_machine_that_has_ended_shows_no_numbers() -> None:
    text = "".join(show(VIEW))
    fenced = next(line for line in text.splitlines() if "fenced" in line)
    assert fenced.split()[4:7] == ["-", "-", "-"]


def test_rows_of_shards_and_of_one_registration() -> None:
    assert "-" in "".join(shards([ShardRow(1, "", 1, 0.5, "")]))
    one = Found("alice", 7, "", "unregistered", 0, "", None, None, None)
    assert "owned by nobody" in "".join(found(one))
    assert MachineRow("a", "live", "h", 1, None, None, None, 0.1, "").registered is None
