"""`make demo-cluster`: PostgreSQL, a registrar, three instances on this machine, one killed."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from pjreg_cli.store.sql import schema
from tests.support.fleet import configured
from tests.support.instance import PROGRAM, Instance, short_folder
from tests.support.judge import Judge
from tests.support.postgres import Postgres, binaries, postgres

ACCOUNTS = 3000
#: refreshed 12 s before its end
GRANT_S = 36.0


def say(text: str) -> None:
    """One line of the story."""
    print(text, flush=True)


def show(one: Instance, line: str) -> None:
    """What a command says, as broad as the terminal is."""
    subprocess.run([*PROGRAM, "-s", str(one.socket), "-rx", line], check=True)
    say("")


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
    one = configured(home / name, server.url(), name)
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
        wait(lambda: _shares(server) == 3 and _counted(server) == ACCOUNTS)
        show(machines["sip-1"], "pjreg cluster show")
        name = server.execute(
            "SELECT t.id FROM pjreg.state t JOIN pjreg.shard s USING (shard)"
            " JOIN pjreg.instance i ON i.incarnation = s.owner WHERE i.name = 'sip-2' LIMIT 1"
        )[0][0]
        show(machines["sip-1"], f"pjreg cluster find {name}")
        before = judge.held[name]
        say("sip-2 is killed (kill -9).")
        mark, requests = judge.mark(), judge.requests
        machines["sip-2"].signal(signal.SIGKILL)
        took = wait(lambda: _owned(server, "sip-2") == 0 and _unowned(server) == 0)
        say(f"Its shards are owned by the others after {took:.1f} s.\n")
        wait(lambda: _counted(server) == ACCOUNTS)
        show(machines["sip-1"], "pjreg cluster show")
        show(machines["sip-1"], f"pjreg cluster find {name}")
        took += wait(lambda: len({user for _, user, _, _ in judge.since(mark)}) == ACCOUNTS)
        after, verdict = judge.held[name], judge.verdict
        say(f"{took:.0f} s after that the registrar has seen every account refreshed:")
        say(f"  {judge.requests - requests} REGISTERs for {ACCOUNTS} accounts,")
        lapses, changed = len(verdict.lapses), len(verdict.new_call_ids)
        say(f"  {lapses} bindings lapsed, {changed} Call-IDs changed,")
        say(f"  {len(verdict.not_higher)} CSeq numbers were not higher.")
        same = "the same" if after.call_id == before.call_id else "another"
        say(f"  {name}: {same} Call-ID, CSeq {before.cseq} before and {after.cseq} now.")
    finally:
        for one in machines.values():
            one.stop()


def _counted(server: Postgres) -> int:
    """How many accounts the machines that live say they have registered."""
    rows = server.execute(
        "SELECT coalesce(sum(registered), 0) FROM pjreg.instance WHERE state = 'live'"
    )
    return int(rows[0][0])


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
