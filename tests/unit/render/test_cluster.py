"""A fleet as text."""

from __future__ import annotations

from pjreg_cli.api.cluster import Found, MachineRow, ShardRow
from pjreg_cli.render.cluster import found, shards, show
from pjreg_cli.render.columns import cells
from tests.unit.commands.test_cluster import VIEW


def test_a_machine_that_has_ended_shows_no_numbers() -> None:
    text = "".join(show(VIEW))
    fenced = next(line for line in text.splitlines() if "fenced" in line)
    assert fenced.split()[4:7] == ["-", "-", "-"]


def test_the_machines_keep_to_the_width_of_the_terminal() -> None:
    lines = "".join(show(VIEW, 80)).splitlines()
    assert max(map(cells, lines)) <= 80
    assert lines[-1].startswith(VIEW.machines[-1].name)


def test_rows_of_shards_and_of_one_registration() -> None:
    assert "-" in "".join(shards([ShardRow(1, "", 1, 0.5, "")]))
    one = Found("alice", 7, "", "unregistered", 0, "", None, None, None)
    assert "owned by nobody" in "".join(found(one))
    assert MachineRow("a", "live", "h", 1, None, None, None, 0.1, "").registered is None
