"""A machine that shares nothing with others: nothing of fleets and databases is loaded for it."""

from __future__ import annotations

import re
from pathlib import Path

from tests.support.instance import QUIET, Instance
from tests.support.ports import free_port

_IMPORTED = re.compile(r"^import time: *\d+ \| *\d+ \| *([\w.]+)$", re.MULTILINE)
OF_FLEETS = {
    "psycopg",
    "pjreg_cli.cluster.lease",
    "pjreg_cli.cluster.messages",
    "pjreg_cli.cluster.plan",
    "pjreg_cli.cluster.store",
    "pjreg_cli.engine.ownership",
    "pjreg_cli.engine.tenancy",
    "pjreg_cli.store.connection",
    "pjreg_cli.store.listening",
    "pjreg_cli.store.postgres",
    "pjreg_cli.store.postgres_rows",
    "pjreg_cli.store.sqlite_rows",
    "pjreg_cli.store.states",
}


def test_nothing_of_fleets_is_loaded_where_none_is_configured(home: Path) -> None:
    prefix = ("env", "PYTHONPROFILEIMPORTTIME=1")
    one = Instance(home, QUIET.format(port=free_port()), prefix)
    one.start()
    for command in ("pjreg health", "pjreg status", "pjreg show counters", "pjreg reload plan"):
        shown = one.ask(command)
        assert "cluster" not in shown.out
        assert "fleet" not in shown.out
    one.ask("module reload res_pjsip")
    asked = one.ask("pjreg cluster show")
    assert (asked.status, asked.out.partition("\n")[0]) == (
        1,
        "The fleet cannot be asked: this is no machine of a fleet: [cluster] of pjreg.conf names"
        " none",
    )
    assert one.stop() == 0
    loaded = set(_IMPORTED.findall(one.log()))
    assert "pjreg_cli.engine.engine" in loaded
    assert loaded & OF_FLEETS == set()
