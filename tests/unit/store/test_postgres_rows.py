"""How PostgreSQL is reached."""

from __future__ import annotations

import pytest
from psycopg.conninfo import conninfo_to_dict

from pjreg_cli.store.postgres_rows import encrypted


@pytest.fixture(autouse=True)
def nothing_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PGSSLMODE", "PGSERVICE", "PGHOST"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("conninfo", "mode"),
    [
        ("postgresql://u@db1.example.net/a", "verify-full"),
        ("host=10.0.0.7 dbname=a", "verify-full"),
        ("host=127.0.0.1,db2 dbname=a", "verify-full"),
        ("hostaddr=10.0.0.7 dbname=a", "verify-full"),
        ("postgresql://u@db1/a?sslmode=require", "require"),
        ("host=db1 sslmode=disable", "disable"),
        ("postgresql://u@127.0.0.1:5432/a", None),
        ("postgresql://u@[::1]/a", None),
        ("host=localhost dbname=a", None),
        ("host=/run/postgresql dbname=a", None),
        ("dbname=a", None),
        ("service=pjreg", None),
    ],
)
def test_another_machine_is_asked_by_tls_unless_something_else_is_written_down(
    conninfo: str, mode: str | None
) -> None:
    assert conninfo_to_dict(encrypted(conninfo)).get("sslmode") == mode


def test_the_environment_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGHOST", "db1")
    assert conninfo_to_dict(encrypted("dbname=a"))["sslmode"] == "verify-full"
    monkeypatch.setenv("PGSSLMODE", "prefer")
    assert encrypted("dbname=a") == "dbname=a"


def test_what_makes_no_sense_is_left_to_who_connects() -> None:
    assert encrypted("odd =") == "odd ="
