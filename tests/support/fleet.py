"""Machines of one fleet, each a process of its own: PostgreSQL has their accounts, a judge is their
registrar."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

from pjreg_cli.store.sql import schema
from tests.support.instance import Instance
from tests.support.judge import Judge
from tests.support.ports import LOOPBACK, free_port
from tests.support.postgres import Postgres
from tests.support.waiting import until

LEASE_MS = 2000
LEASE_S = LEASE_MS / 1000
ACCOUNTS = 300
#: a binding is refreshed 10 s before it ends: after 4 s
GRANT_S = 14.0
#: how long a fleet may take to be whole: a machine that runs the tests may be busy
PATIENCE_S = 60.0
#: what all machines offer: the address of the SBC before them
SHARED = "192.0.2.10"
_TRANSPORT = """\
[udp]
type = transport
protocol = udp
bind = 127.0.0.1:{port}
external_signaling_address = {contact}
external_signaling_port = 5060
"""
_FILES = {
    "sorcery.conf": """\
[res_pjsip]
auth = realtime,ps_auths
[res_pjsip_outbound_registration]
registration = realtime,ps_registrations
""",
    "extconfig.conf": "[settings]\nps_registrations => pgsql,a\nps_auths => pgsql,a\n",
}


def configured(
    folder: Path,
    url: str,
    name: str,
    prefix: Sequence[str] = (),
    contact: str = SHARED,
    **options: str,
) -> Instance:
    """A machine with its configuration below `folder`; see `Fleet.machine`."""
    folder.mkdir(exist_ok=True)
    one = Instance(folder, _TRANSPORT.format(port=free_port(), contact=contact), prefix)
    for file, text in _FILES.items():
        (one.etc / file).write_text(text)
    more = "".join(f"{key} = {value}\n" for key, value in options.items())
    (one.etc / "pjreg.conf").write_text(
        f"[database]\nurl = {url}\n[cluster]\nname = {name}\n{more}"
    )
    return one


class Fleet:
    """Machines of one fleet."""

    def __init__(self, home: Path, server: Postgres, judge: Judge) -> None:
        self.home = home
        self.server = server
        self.judge = judge
        self.machines: dict[str, Instance] = {}

    def prepare(self, accounts: int = ACCOUNTS, *, triggers: bool = False) -> None:
        """Fresh tables with this many accounts."""
        self.server.fresh()
        self.server.execute(schema(lease_ms=LEASE_MS, triggers=triggers))
        self.server.execute(
            "INSERT INTO ps_registrations (id, client_uri, server_uri, max_random_initial_delay,"
            " expiration) SELECT 'r' || n, 'sip:r' || n || '@127.0.0.1', %s, 1, 3600"
            " FROM generate_series(1, %s) n",
            f"sip:127.0.0.1:{self.judge.port}",
            accounts,
        )
        self.server.execute("ANALYZE ps_registrations")

    def machine(
        self, name: str, url: str = "", prefix: Sequence[str] = (), **options: str
    ) -> Instance:
        """A machine that is not started; `url` is how it reaches the database, `prefix` begins its
        command line, `options` are those of [cluster], and `contact` the address it offers."""
        folder = self.home / (name if name not in self.machines else f"{name}-too")
        options = {"takeover_rate": "1000"} | options
        return configured(folder, url or self.server.url(), name, prefix, **options)

    async def start(self, *names: str, port: int = 0, **options: str) -> None:
        """Start machines; their database is behind `port`, if there is a proxy."""
        for name in names:
            self.machines[name] = self.machine(name, self.server.url(port=port), **options)
        await asyncio.gather(*(asyncio.to_thread(self.machines[n].start) for n in names))

    def owned(self) -> dict[str, int]:
        """How many shards each machine that is alive owns."""
        rows = self.server.execute(
            "SELECT i.name, count(s.shard) FROM pjreg.instance i LEFT JOIN pjreg.shard s"
            " ON s.owner = i.incarnation WHERE i.state IN ('live', 'draining') GROUP BY i.name"
        )
        return dict(rows)

    async def settled(
        self, *names: str, planned: bool = False, within_s: float = PATIENCE_S
    ) -> None:
        """Wait until these machines own everything, have taken it up, and every account is
        registered; `planned` when shards were given and not taken."""

        def reached() -> bool:
            owned = self.owned()
            return (
                set(owned) == set(names)
                and sum(owned.values()) == 256
                and max(owned.values()) - min(owned.values()) <= 1
                and self.judge.registered() == ACCOUNTS
                # bindings live on while shards change hands
                and self.shown(*names) == ACCOUNTS
            )

        try:
            # each look is a connection to the database
            await asyncio.to_thread(until, reached, "the fleet is whole", within_s, 0.2)
        except AssertionError:
            shown = {one: self.shown(one) for one in names}
            seen = f"{self.owned()}, {self.judge.registered()} registered, shown {shown}"
            raise AssertionError(f"{seen}\n{self.logs()}") from None
        if planned:
            self.judge.verdict.too_soon.clear()

    async def written(self) -> float:
        """Wait until the database has what came of all that the registrar has seen by now; when
        that was, by its clock."""
        seen_at, open_ones = self.judge.clock(), self.judge.cseqs()

        def reached() -> bool:
            # what is under way is due at once for whoever goes on with it
            known = self.server.execute(
                "SELECT id, cseq FROM pjreg.state WHERE refresh_at > clock_timestamp()"
            )
            for name, cseq in known:
                if cseq > open_ones.get(name, cseq):
                    del open_ones[name]
            return not open_ones

        await asyncio.to_thread(until, reached, "all is written down", PATIENCE_S)
        return seen_at

    async def refreshed(self, *, planned: bool = False) -> None:
        """Wait until every account has been refreshed once more, and find nothing amiss; `planned`:
        shards were given before."""
        mark = self.judge.mark()

        def missing() -> set[str]:
            return set(self.judge.cseqs()) - {user for _, user, _, _ in self.judge.since(mark)}

        try:
            await asyncio.to_thread(
                until, lambda: not missing(), "every account is refreshed", PATIENCE_S
            )
        except AssertionError as error:
            states = self.server.execute(
                "SELECT * FROM pjreg.state WHERE id = ANY(%s)", list(missing())
            )
            raise AssertionError(f"{error}\n{missing()}\n{states}\n{self.logs()}") from None
        assert self.judge.registered() == ACCOUNTS
        if planned:
            self.judge.verdict.too_soon.clear()
        self.acquitted()

    async def says(self, name: str, text: str) -> None:
        """Wait until the log of a machine has this."""
        machine = self.machines[name]
        try:
            await asyncio.to_thread(until, lambda: text in machine.log(), text, PATIENCE_S)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.logs()}") from None

    def shown(self, *names: str) -> int:
        """How many registrations these machines show."""
        shown = (self.machines[one].told("pjsip show registrations", json=True) for one in names)
        return sum(len(json.loads(done.out or "[]")) for done in shown)

    def logs(self) -> str:
        """The end of every machine's log."""
        return "\n".join(f"-- {n}\n{m.log()[-1500:]}" for n, m in self.machines.items())

    def acquitted(self) -> None:
        """Nothing was seen that must not be."""
        verdict = self.judge.verdict
        seen = [
            *(f"lapsed: {what}" for what in verdict.lapses),
            *(f"a new Call-ID: {what}" for what in verdict.new_call_ids),
            *(f"no higher CSeq: {what}" for what in verdict.not_higher),
            *(f"sent after another had gone on: {what}" for what in verdict.overlaps),
            *(f"gone on with too soon: {what}" for what in verdict.too_soon),
        ]
        assert seen == [], self.logs()

    async def stop(self) -> None:
        """End all that runs."""
        await asyncio.gather(*(asyncio.to_thread(one.stop) for one in self.machines.values()))


def unused_url() -> str:
    """A database that nobody serves."""
    return f"postgresql://postgres@{LOOPBACK}:{free_port()}/asterisk"
