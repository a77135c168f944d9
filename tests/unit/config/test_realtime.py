"""Where tables are, by the files of Asterisk's realtime."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from pjreg_cli.config.files import Disk
from pjreg_cli.config.reader import Document, read
from pjreg_cli.config.realtime import (
    CONFIG,
    FILES_ONLY,
    Database,
    Table,
    mapped,
    no_database,
)
from pjreg_cli.errors import ConfigError

SORCERY = """\
[res_pjsip]
auth = realtime,ps_auths
auth = config,pjsip.conf,criteria=type=auth
[res_pjsip_outbound_registration]
registration = realtime,ps_registrations
registration = config,pjsip.conf,criteria=type=registration
"""


def documents(folder: Path, **texts: str) -> dict[str, Document]:
    found = {}
    for name, text in texts.items():
        path = folder / f"{name}.conf"
        path.write_text(text)
        found[path.name] = read(str(path), Disk(folder))
    return found


def test_nothing_said_means_files(tmp_path: Path) -> None:
    assert mapped(documents(tmp_path, sorcery="", extconfig="")) == (FILES_ONLY, [])


def test_an_sqlite_file(tmp_path: Path) -> None:
    found, problems = mapped(
        documents(
            tmp_path,
            sorcery=SORCERY,
            extconfig="[settings]\nps_registrations => sqlite3,asterisk\n"
            'ps_auths => sqlite3,"asterisk",my_auths\n',
            res_config_sqlite3="[asterisk]\ndbfile => /var/lib/asterisk/realtime.sqlite3\n",
        )
    )
    assert problems == []
    table = found.table
    assert table is not None
    assert found.registration == (table, CONFIG)
    assert (table.name, table.database.driver) == ("ps_registrations", "sqlite3")
    assert table.database.location.get_secret_value() == "/var/lib/asterisk/realtime.sqlite3"
    assert table.where.endswith("extconfig.conf:2")
    auths = found.auth[0]
    assert isinstance(auths, Table)
    assert auths.name == "my_auths"


POSTGRES = "[settings]\nps_registrations => pgsql,asterisk\nps_auths => pgsql,asterisk\n"


def test_postgresql_by_older_and_newer_names(tmp_path: Path) -> None:
    for text in (
        "[general]\ndbhost=db1\ndbport=5433\ndbname=a\ndbuser=u\ndbpass=it's\\\\secret\n",
        "[general]\nhostname=db1\nport=5433\ndbname=a\nuser=u\npassword=it's\\\\secret\n",
    ):
        found, problems = mapped(
            documents(tmp_path, sorcery=SORCERY, extconfig=POSTGRES, res_pgsql=text)
        )
        assert problems == []
        assert found.table is not None
        database = found.table.database
        assert database.location.get_secret_value() == (
            "host='db1' port='5433' dbname='a' user='u' password='it\\'s\\\\\\\\secret'"
        )
        assert database.title == "a at db1"


@pytest.mark.parametrize(
    ("url", "title"),
    [
        ("postgresql://u:secret@db1,db2/a?sslmode=require", "postgresql://db1,db2/a"),
        ("service=pjreg password=secret", "service=pjreg"),
    ],
)
def test_a_url_of_pjreg_conf_comes_first_and_is_never_shown_whole(
    tmp_path: Path, url: str, title: str
) -> None:
    found, _ = mapped(
        documents(
            tmp_path,
            sorcery=SORCERY,
            extconfig=POSTGRES,
            res_pgsql="[general]\ndbhost=db1\n",
            pjreg=f"[database]\nurl = {url}\n",
        )
    )
    assert found.table is not None
    assert found.table.database.location.get_secret_value() == url
    assert found.table.database.title == title
    assert "secret" not in repr(found)


@pytest.mark.parametrize(
    ("sorcery", "extconfig", "complaint"),
    [
        (SORCERY, "[settings]\n", "'ps_auths' is not mapped to a table in extconfig.conf"),
        (SORCERY, "[settings]\nps_auths => mysql,a\n", "the driver 'mysql' is not known"),
        (SORCERY, "[settings]\nps_auths => sqlite3,x\n", "[x] of res_config_sqlite3.conf names no"),
        ("[res_pjsip]\nauth = telepathy\n", "", "'telepathy' is no source of objects"),
    ],
)
def test_what_cannot_be_is_said_with_its_line(
    tmp_path: Path, sorcery: str, extconfig: str, complaint: str
) -> None:
    found, problems = mapped(documents(tmp_path, sorcery=sorcery, extconfig=extconfig))
    assert any(complaint in problem.message and problem.line for problem in problems)
    assert found.auth == (CONFIG,)


def test_without_a_driver_at_hand_nothing_is_opened() -> None:
    database = Database(driver="pgsql", location=SecretStr(""), title="a at b")
    with pytest.raises(ConfigError, match="a at b: tables cannot be read here"):
        no_database(database)
