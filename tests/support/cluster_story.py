"""`make demo-cluster`: PostgreSQL, a registrar, three instances on this machine, one killed."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from pjreg_cli.store.sql import schema
from tests.support.instance import Instance, short_folder
from tests.support.judge import Judge
from tests.support.ports import free_port
from tests.support.postgres import Postgres, binaries, postgres

ACCOUNTS = 3000
GRANT_S = 60.0
_FILES = {
    "sorcery.conf": "[res_pjsip]\nauth = realtime,ps_auths\n"
    "[res_pjsip_outbound_registration]\nregistration = realtime,ps_registrations\n",
    "extconfig.conf": "[settings]\nps_registrations => pgsql,a\nps_auths => pgsql,a\n",
}


def say(text: str) -> None:
    """One line of the story."""
    print(text, flush=True)


def wait(reached: Callable[[], bool], within_s: float = 60.0) -> float:
    """Wait until it is so; how long that took, in seconds."""
    began = time.monotonic()  # noqa: TID251 -- other processes are watched
    while not reached():
        if time.monotonic() - began > within_s:  # noqa: TID251
            raise SystemExit("it never came about")
        time.sleep(0.02)
    return time.monotonic() - began  # noqa: TID251


def machine(home: Path, server: Postgres, name: str) -> Instance:
    """An instance of the fleet, started."""
    folder = home / name
    folder.mkdir()
    contact = "external_signaling_address = 192.0.2.10\nexternal_signaling_port = 5060\n"
    one = Instance(
        folder,
        f"[udp]\ntype = transport\nprotocol = udp\nbind = 127.0.0.1:{free_port()}\n{contact}",
    )
    for file, text in _FILES.items():
        (one.etc / file).write_text(text)
    (one.etc / "pjreg.conf").write_text(
        f"[database]\nurl = {server.url()}\n[cluster]\nname = {name}\n"
    )
    one.start()
    return one


def tell(home: Path, server: Postgres, judge: Judge) -> None:
    """The story."""
    server.fresh()
    server.execute(schema())
    server.execute(
        "INSERT INTO ps_registrations (id, client_uri, server_uri, max_random_initial_delay)"
        " SELECT 'r' || n, 'sip:r' || n || '@127.0.0.1', %s, 3 FROM generate_series(1, %s) n",
        f"sip:127.0.0.1:{judge.port}",
        ACCOUNTS,
    )
    server.execute("ANALYZE ps_registrations")
    machines = {name: machine(home, server, name) for name in ("sip-1", "sip-2", "sip-3")}
    try:
        took = wait(lambda: judge.registered() == ACCOUNTS)
        say(f"All {ACCOUNTS} accounts are registered after {took:.1f} s, by three machines:\n")
        wait(lambda: _shares(server) == 3 and _unowned(server) == 0)
        time.sleep(1.0)  # for the numbers of the table
        say(machines["sip-1"].ask("pjreg cluster show").out)
        say("sip-2 is killed (kill -9).")
        mark, requests = judge.mark(), judge.requests
        machines["sip-2"].signal(signal.SIGKILL)
        took = wait(lambda: _owned(server, "sip-2") == 0 and _unowned(server) == 0)
        say(f"Its shards are owned by the others after {took:.1f} s.\n")
        say(machines["sip-1"].ask("pjreg cluster show").out)
        took = wait(lambda: len({user for _, user, _, _ in judge.since(mark)}) == ACCOUNTS)
        verdict = judge.verdict
        say(f"{took:.0f} s later the registrar has seen {judge.requests - requests} refreshes:")
        lapses, changed = len(verdict.lapses), len(verdict.new_call_ids)
        say(f"  {lapses} bindings lapsed, {changed} Call-IDs changed,")
        say(f"  {len(verdict.not_higher)} CSeq numbers were not higher.")
    finally:
        for one in machines.values():
            one.stop()


def _shares(server: Postgres) -> int:
    return int(server.execute("SELECT count(DISTINCT owner) FROM pjreg.shard")[0][0])


def _owned(server: Postgres, name: str) -> int:
    rows = server.execute(
        "SELECT count(*) FROM pjreg.shard s JOIN pjreg.instance i ON i.incarnation = s.owner"
        " WHERE i.name = %s",
        name,
    )
    return int(rows[0][0])


def _unowned(server: Postgres) -> int:
    return int(server.execute("SELECT count(*) FROM pjreg.shard WHERE owner IS NULL")[0][0])


def main() -> int:
    """Tell it; 1 where there is no PostgreSQL."""
    if binaries() is None:
        sys.stderr.write("make demo-cluster needs PostgreSQL: apt-get install postgresql\n")
        return 1
    say("A PostgreSQL, a registrar and three instances, all on this machine.\n")
    with short_folder() as home, postgres() as server, Judge(GRANT_S) as judge:
        tell(home, server, judge)
    return 0


if __name__ == "__main__":
    sys.exit(main())
