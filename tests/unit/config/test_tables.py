"""Accounts in tables of a database, read like a file: SQLite here, the rules are the same."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from pjreg_cli.config.check import check
from pjreg_cli.config.load import load, reload
from pjreg_cli.config.plan import plan
from pjreg_cli.config.settings import Difference, Scope, Settings
from pjreg_cli.config.tables import too_much
from pjreg_cli.store.asterisk_tables import create
from pjreg_cli.store.rows import open_rows

TRANSPORT = "[udp]\ntype = transport\nprotocol = udp\nbind = 127.0.0.1:5060\n"
SORCERY = """\
[res_pjsip]
auth = realtime,ps_auths
[res_pjsip_outbound_registration]
registration = realtime,ps_registrations
registration = config,pjsip.conf,criteria=type=registration
"""


def row(name: str, **more: str) -> dict[str, str]:
    uris = {"client_uri": f"sip:{name}@example.net", "server_uri": "sip:example.net"}
    return {"id": name, **uris, **more}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A configuration with alice and bob in a database."""
    database = tmp_path / "realtime.sqlite3"
    create(
        database,
        [row("alice", outbound_auth="alice-auth, nobody"), row("bob", outbound_proxy="sip:p^3Blr")],
        [
            {"id": "alice-auth", "username": "alice", "password": "secret"},
            {"id": "unused", "username": "u", "password": "p"},
        ],
    )
    (tmp_path / "pjsip.conf").write_text(TRANSPORT)
    (tmp_path / "sorcery.conf").write_text(SORCERY)
    (tmp_path / "extconfig.conf").write_text(
        "[settings]\nps_registrations => sqlite3,a\nps_auths => sqlite3,a\n"
    )
    (tmp_path / "res_config_sqlite3.conf").write_text(f"[a]\ndbfile => {database}\n")
    return tmp_path


def change(folder: Path, *statements: str) -> None:
    with closing(sqlite3.connect(folder / "realtime.sqlite3")) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def messages(settings: Settings) -> list[str]:
    return [f"{problem.where}: {problem.message}" for problem in settings.problems]


def test_rows_are_registrations_with_the_auths_they_name(folder: Path) -> None:
    settings = load(folder, open_rows)
    assert messages(settings) == []
    assert set(settings.registrations) == {"alice", "bob"}
    alice = settings.registrations["alice"]
    assert (alice.source, alice.outbound_auth) == (
        "ps_registrations[alice]",
        ("alice-auth", "nobody"),
    )
    assert settings.registrations["bob"].outbound_proxy == "sip:p;lr"
    assert set(settings.auths) == {"alice-auth"}


def test_what_is_wrong_with_a_row_names_its_column(folder: Path) -> None:
    change(folder, "UPDATE ps_registrations SET server_uri = 'http:x' WHERE id = 'alice'")
    settings = load(folder, open_rows)
    assert set(settings.registrations) == {"bob"}
    (problem,) = settings.problems
    assert problem.where == "ps_registrations[alice].server_uri"
    assert problem in check(folder, open_rows)


def test_a_reload_applies_the_difference(folder: Path) -> None:
    settings = load(folder, open_rows)
    change(
        folder,
        "UPDATE ps_registrations SET expiration = 120 WHERE id = 'alice'",
        "DELETE FROM ps_registrations WHERE id = 'bob'",
        "INSERT INTO ps_registrations (id, client_uri, server_uri) VALUES ('carol', 'sip:c@x',"
        " 'sip:x')",
    )
    planned = {one.name: (one.action, one.because) for one in plan(settings)}
    assert planned == {
        "alice": ("re-registered", ("expiration: 3600 -> 120",)),
        "bob": ("unregistered", ()),
        "carol": ("added", ()),
    }
    result = reload(settings, Scope.REGISTRATIONS)
    assert result.ok
    assert result.difference.removed == ("bob",)
    assert result.difference.added == ("carol",)
    assert set(result.difference.changed) == {"alice"}
    assert reload(result.settings, Scope.REGISTRATIONS).difference.changed == {}


def test_a_refused_row_keeps_the_form_in_force(folder: Path) -> None:
    settings = load(folder, open_rows)
    change(folder, "UPDATE ps_registrations SET expiration = 0 WHERE id = 'alice'")
    result = reload(settings, Scope.REGISTRATIONS)
    assert result.settings.registrations["alice"].expiration == 3600
    assert "alice" in result.difference.refused


@pytest.mark.parametrize(
    ("statement", "complaint"),
    [
        ("DROP TABLE ps_registrations", "there is no such table"),
        ("ALTER TABLE ps_registrations DROP COLUMN server_uri", "it has no column server_uri"),
        ("DROP TABLE ps_auths", "there is no such table"),
    ],
)
def test_a_table_that_is_not_as_it_must_be_changes_nothing(
    folder: Path, statement: str, complaint: str
) -> None:
    settings = load(folder, open_rows)
    change(folder, statement)
    result = reload(settings, Scope.ALL)
    assert not result.ok
    assert complaint in str(result.errors[0])
    assert result.settings.registrations == settings.registrations
    assert result.settings.unread
    fresh = load(folder, open_rows)
    assert any(complaint in problem.message for problem in fresh.problems)


def test_a_database_that_is_not_there_leaves_what_files_say(folder: Path) -> None:
    (folder / "pjsip.conf").write_text(
        TRANSPORT + "[own]\ntype = registration\nclient_uri = sip:o@x\nserver_uri = sip:x\n"
    )
    (folder / "realtime.sqlite3").unlink()
    settings = load(folder, open_rows)
    assert set(settings.registrations) == {"own"}
    assert settings.unread
    assert "there is no such file" in messages(settings)[0]


def test_of_one_name_the_first_source_counts(folder: Path) -> None:
    (folder / "pjsip.conf").write_text(
        TRANSPORT + "[alice]\ntype = registration\nclient_uri = sip:o@x\nserver_uri = sip:x\n"
    )
    settings = load(folder, open_rows)
    assert settings.registrations["alice"].source == "ps_registrations[alice]"
    assert "which comes first and counts" in messages(settings)[0]
    assert "pjsip.conf:5" in messages(settings)[0]


def test_a_table_alone_leaves_files_out(folder: Path) -> None:
    (folder / "sorcery.conf").write_text(SORCERY.rsplit("\n", 2)[0] + "\n")
    (folder / "pjsip.conf").write_text(
        TRANSPORT + "[own]\ntype = registration\nclient_uri = sip:o@x\nserver_uri = sip:x\n"
    )
    settings = load(folder, open_rows)
    assert set(settings.registrations) == {"alice", "bob"}
    assert "1 sections of files do not count" in messages(settings)[0]


def test_mapping_taken_back_leaves_files_alone(folder: Path) -> None:
    settings = load(folder, open_rows)
    (folder / "sorcery.conf").unlink()
    result = reload(settings, Scope.ALL)
    assert result.settings.registrations == {}
    assert result.difference.removed == ("alice", "bob")


def test_most_of_a_table_does_not_go_unasked(folder: Path) -> None:
    create_many = [row(f"r{n:04}") for n in range(400)]
    (folder / "realtime.sqlite3").unlink()
    create(folder / "realtime.sqlite3", create_many, [])
    settings = load(folder, open_rows)
    change(folder, "DELETE FROM ps_registrations")
    difference = reload(settings, Scope.REGISTRATIONS).difference
    assert too_much(settings, difference) == "the tables would take away 400 of 400 registrations"
    assert too_much(settings, Difference(removed=difference.removed[:100])) == ""
