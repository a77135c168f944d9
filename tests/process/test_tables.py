"""Accounts that an instance reads from a database, PostgreSQL and SQLite."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from pydantic import SecretStr

from pjreg_cli.config.load import load
from pjreg_cli.config.realtime import Database
from pjreg_cli.config.table_notifications import EVERYTHING, Told
from pjreg_cli.engine.tasks import spawn
from pjreg_cli.errors import ConfigError
from pjreg_cli.store.listening import CHANNEL, listen
from pjreg_cli.store.postgres_rows import PostgresRows
from pjreg_cli.store.sql import schema
from tests.support.asterisk_schema import statements
from tests.support.instance import Instance, run
from tests.support.ports import free_port
from tests.support.postgres import Postgres, binaries
from tests.support.registrar import Registrar, fail, grant
from tests.support.waiting import all_registered, becomes, until

TRANSPORT = "[udp]\ntype = transport\nprotocol = udp\nbind = 127.0.0.1:{port}\n"
FILES = {
    "sorcery.conf": """\
[res_pjsip]
auth = realtime,ps_auths
[res_pjsip_outbound_registration]
registration = realtime,ps_registrations
registration = config,pjsip.conf,criteria=type=registration
""",
    "extconfig.conf": "[settings]\nps_registrations => pgsql,a\nps_auths => pgsql,a\n",
}

pytestmark = pytest.mark.skipif(binaries() is None, reason="Debian's postgresql is not installed")


@pytest.fixture
def tables(database: Postgres) -> Postgres:
    """The server with Asterisk's tables, empty."""
    database.fresh()
    return database


def add(server: Postgres, registrar: Registrar, *names: str) -> None:
    for name in names:
        server.execute(
            "INSERT INTO ps_registrations (id, client_uri, server_uri, max_random_initial_delay)"
            " VALUES (%s, %s, %s, 0)",
            name,
            f"sip:{name}@127.0.0.1",
            f"sip:127.0.0.1:{registrar.port}",
        )


def configured(home: Path, url: str) -> Instance:
    """An instance whose accounts are in a database."""
    one = Instance(home, TRANSPORT.format(port=free_port()))
    for name, text in FILES.items():
        (one.etc / name).write_text(text)
    (one.etc / "pjreg.conf").write_text(f"[database]\nurl = {url}\n")
    return one


def names(instance: Instance) -> list[str]:
    rows = json.loads(instance.told("pjsip show registrations", json=True).out)
    return [row["name"] for row in rows]


async def test_rows_register_and_changes_are_told(
    home: Path, tables: Postgres, registrar: Registrar
) -> None:
    add(tables, registrar, "alice", "bob")
    one = configured(home, tables.url())
    try:
        await asyncio.to_thread(one.start)
        await asyncio.to_thread(all_registered, one, 2)
        add(tables, registrar, "carol")
        tables.execute("DELETE FROM ps_registrations WHERE id = 'bob'")
        tables.execute(f"NOTIFY {CHANNEL}")
        await asyncio.to_thread(until, lambda: names(one) == ["alice", "carol"], "the difference")
        await asyncio.to_thread(all_registered, one, 2)
        assert len(registrar.of("alice")) == 1, "what has not changed is left alone"
        *_, last = await registrar.received(2, "bob")
        assert last.expires_s == 0
    finally:
        await asyncio.to_thread(one.stop)


async def test_what_was_changed_before_anybody_listened_is_read(
    home: Path, tables: Postgres
) -> None:
    (home / "etc").mkdir(exist_ok=True)
    one = configured(home, tables.url())
    table = load(one.etc).mapped.table
    assert table is not None
    said: list[Told] = []

    async def changed(told: Told) -> None:
        said.append(told)

    listening = spawn(listen(table.database, changed), "listening")
    try:
        await asyncio.to_thread(until, lambda: bool(said), "somebody listens")
        assert said == [EVERYTHING]
        tables.execute(f"NOTIFY {CHANNEL}")
        await asyncio.to_thread(until, lambda: len(said) == 2, "the notification")
    finally:
        listening.cancel()


async def test_a_password_that_is_changed_gives_another_chance(
    home: Path, tables: Postgres, registrar: Registrar
) -> None:
    tables.execute("INSERT INTO ps_auths (id, username, password) VALUES ('a', 'alice', 'old')")
    add(tables, registrar, "alice", "bob")
    tables.execute("UPDATE ps_registrations SET outbound_auth = 'a' WHERE id = 'alice'")
    for name in ("alice", "bob"):
        registrar.script(name, fail(403), grant())
    one = configured(home, tables.url())
    try:
        await asyncio.to_thread(one.start)
        await asyncio.to_thread(becomes, one, "alice", "Rejected")
        await asyncio.to_thread(becomes, one, "bob", "Rejected")
        tables.execute("UPDATE ps_auths SET password = 'new'")
        tables.execute(f"NOTIFY {CHANNEL}, 'auths a'")
        await asyncio.to_thread(becomes, one, "alice", "Registered")
        assert len(registrar.of("bob")) == 1, "whose own did not change is not tried again"
    finally:
        await asyncio.to_thread(one.stop)


async def test_an_emptied_table_unregisters_nobody_unasked(
    home: Path, tables: Postgres, registrar: Registrar
) -> None:
    add(tables, registrar, *(f"r{n:03}" for n in range(120)))
    one = configured(home, tables.url())
    try:
        await asyncio.to_thread(one.start)
        await asyncio.to_thread(all_registered, one, 120)
        tables.execute("DELETE FROM ps_registrations")
        tables.execute(f"NOTIFY {CHANNEL}")
        await asyncio.to_thread(
            until, lambda: "would take away 120 of 120" in one.log(), "the guard speaks"
        )
        assert len(names(one)) == 120
        plan = one.ask("pjreg reload plan").out
        assert plan.count("unregistered") >= 120
        red = "CRITICAL - the tables would take away 120 of 120 registrations"
        await asyncio.to_thread(until, lambda: red in one.told("pjreg health").out, "it is told")
        one.ask("module reload res_pjsip_outbound_registration")
        await asyncio.to_thread(until, lambda: names(one) == [], "asked for, it is done")
        assert "would take away" not in one.ask("pjreg health").out
    finally:
        await asyncio.to_thread(one.stop)


async def test_a_table_that_is_locked_is_said_and_what_runs_goes_on(
    home: Path, tables: Postgres, registrar: Registrar
) -> None:
    add(tables, registrar, "alice")
    one = configured(home, tables.url())
    try:
        await asyncio.to_thread(one.start)
        await asyncio.to_thread(all_registered, one, 1)
        with tables.connect() as connection, connection.transaction():
            connection.execute("LOCK TABLE ps_registrations IN ACCESS EXCLUSIVE MODE")
            line = "module reload res_pjsip_outbound_registration"
            done = await asyncio.to_thread(one.ask, line)
        assert done.status == 1
        why = "canceling statement due to lock timeout (55P03)"
        await asyncio.to_thread(until, lambda: why in one.log(), why)
        assert names(one) == ["alice"]
        assert (await asyncio.to_thread(one.ask, line)).status == 0
    finally:
        await asyncio.to_thread(one.stop)


async def test_a_server_that_comes_later_is_read_then(
    home: Path, tables: Postgres, registrar: Registrar
) -> None:
    add(tables, registrar, "alice")
    tables.stop()
    one = configured(home, tables.url())
    try:
        await asyncio.to_thread(one.start)
        await asyncio.to_thread(until, lambda: "cannot be reached" in one.log(), "it is said")
    finally:
        await asyncio.to_thread(tables.start)
    try:
        await asyncio.to_thread(all_registered, one, 1)
    finally:
        await asyncio.to_thread(one.stop)


async def test_tables_of_asterisks_own_migrations_are_read(
    home: Path, database: Postgres, registrar: Registrar
) -> None:
    database.fresh(statements())
    server = f"sip:127.0.0.1:{registrar.port}"
    database.execute(
        "INSERT INTO ps_auths (id, auth_type, username, password, realm, md5_cred)"
        " VALUES ('one', 'userpass', 'u1', 'p1', '', NULL), ('two', 'digest', 'u2', 'p2', 'r', '')"
    )
    database.execute(
        "INSERT INTO ps_registrations (id, client_uri, server_uri, outbound_auth, line,"
        " auth_rejection_permanent, support_path, security_negotiation, outbound_proxy, transport,"
        " expiration, max_random_initial_delay, contact_user, endpoint) VALUES"
        " ('all', 'sip:all@127.0.0.1', %s, 'one, two', '1', 'off', 'on', 'no',"
        "  %s || '^3Blr', 'udp', 120, 0, 'me', 'e'),"
        " ('none', 'sip:none@127.0.0.1', %s, '', NULL, NULL, NULL, NULL, '', '', NULL, 0,"
        "  '', NULL),"
        " ('broken', '', %s, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,"
        "  NULL)",
        *[server] * 4,
    )
    one = configured(home, database.url())
    try:
        await asyncio.to_thread(one.start)
        await asyncio.to_thread(all_registered, one, 2)
        await asyncio.to_thread(one.says, "ps_registrations[broken]")
        seen = one.log().splitlines()
        told = [line for line in seen if "WARNING" in line or "ERROR" in line]
        assert len(told) == 1, one.log()
        assert "ps_registrations[broken]" in told[0]
        every = shown_options(one, "all")
        assert every["auth_rejection_permanent"] == "false"
        assert every["support_path"] == "true"
        assert every["expiration"] == "120"
        assert every["outbound_auth"] == "one,two"
        assert every["outbound_proxy"] == f"{server};lr"
        assert every["line"] == "true"
        bare = shown_options(one, "none")
        assert bare["auth_rejection_permanent"] == "true"
        assert bare["expiration"] == "3600"
        assert bare["contact_user"] == ""
        assert registrar.of("all")[-1].expires_s == 120
        database.execute(schema(triggers=True))
        assert database.execute("SELECT pjreg.shard_of(id) FROM ps_registrations LIMIT 1")
    finally:
        await asyncio.to_thread(one.stop)


def shown_options(instance: Instance, name: str) -> dict[str, str]:
    """The options of a registration as they are shown."""
    lines = instance.ask(f"pjsip show registration {name}").out.splitlines()
    found: dict[str, list[str]] = {}
    for key, _, value in (line.partition(" : ") for line in lines):
        found.setdefault(key.strip(), []).append(value.strip())
    return {key: ",".join(values) for key, values in found.items()}


def test_check_says_what_is_wrong_with_tables(home: Path, tables: Postgres) -> None:
    tables.execute(
        "INSERT INTO ps_registrations (id, client_uri, server_uri, expiration)"
        " VALUES ('alice', 'sip:a@x', 'sip:x', -5)"
    )
    one = configured(home, tables.url())
    done = run("check", str(one.etc), home=home)
    assert done.status == 1
    assert "ps_registrations[alice].expiration: error: [alice] is refused" in done.out


@pytest.mark.parametrize(
    ("statement", "complaint"),
    [
        ("DROP TABLE ps_registrations", "there is no such table"),
        ("ALTER TABLE ps_registrations DROP COLUMN client_uri", "it has no column client_uri"),
        (
            "REVOKE ALL ON ps_registrations FROM reader",
            "permission denied for table ps_registrations (42501)",
        ),
    ],
)
def test_tables_that_are_not_as_they_must_be(
    tables: Postgres, statement: str, complaint: str
) -> None:
    with tables.connect() as connection:
        connection.execute("DROP ROLE IF EXISTS reader")
        connection.execute("CREATE ROLE reader LOGIN")
        connection.execute("GRANT SELECT ON ps_registrations TO reader")
        connection.execute(statement.encode())
    database = Database(
        driver="pgsql", location=SecretStr(tables.url(user="reader")), title="a at b"
    )
    with pytest.raises(ConfigError, match="a at b") as raised, PostgresRows.open(database) as rows:
        list(rows.records("ps_registrations", {"expiration"}, ("id", "client_uri")))
    assert complaint in str(raised.value)
    with tables.connect() as connection:
        connection.execute("DROP OWNED BY reader")
        connection.execute("DROP ROLE reader")


def test_demo_with_a_database_shows_the_same_trunks(home: Path) -> None:
    done = run("demo", "--database", "pjsip", "show", "registrations", home=home)
    assert done.status == 0, done.err
    assert "office" in done.out
    assert done.out.count("Registered") == 2
    assert run("--database", "-rx", "core show version", home=home).status == 2
