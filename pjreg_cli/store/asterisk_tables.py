"""Asterisk's tables of registrations and auth sections, for who has no Asterisk to make them.

An embedded SQLite file, demonstrations and tests use them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Final

REGISTRATIONS: Final = (
    "auth_rejection_permanent", "client_uri", "contact_header_params", "contact_user", "endpoint",
    "expiration", "fatal_retry_interval", "forbidden_retry_interval", "line",
    "max_random_initial_delay", "max_retries", "outbound_auth", "outbound_proxy", "retry_interval",
    "security_mechanisms", "security_negotiation", "server_uri", "support_outbound",
    "support_path", "transport", "user_agent",
)  # fmt: skip
AUTHS: Final = (
    "auth_type", "md5_cred", "nonce_lifetime", "oauth_clientid", "oauth_secret", "password",
    "password_digest", "realm", "refresh_token", "supported_algorithms_uac",
    "supported_algorithms_uas", "username",
)  # fmt: skip
_NUMBERS: Final = frozenset(
    {
        "expiration", "fatal_retry_interval", "forbidden_retry_interval",
        "max_random_initial_delay", "max_retries", "nonce_lifetime", "retry_interval",
    }
)  # fmt: skip


def definitions() -> str:
    """The statements that make both tables, for SQLite and PostgreSQL alike."""
    return _table("ps_registrations", REGISTRATIONS) + _table("ps_auths", AUTHS)


def _table(name: str, columns: Iterable[str]) -> str:
    lines = [
        f"  {column} {'INTEGER' if column in _NUMBERS else 'VARCHAR(512)'}" for column in columns
    ]
    body = ",\n".join(["  id VARCHAR(255) NOT NULL PRIMARY KEY", *lines])
    return f"CREATE TABLE {name} (\n{body}\n);\n"


def create(
    path: Path, registrations: Iterable[Mapping[str, str]], auths: Iterable[Mapping[str, str]]
) -> None:
    """Make an SQLite file with both tables and these rows (each with an `id`)."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(definitions())
        for table, rows in (("ps_registrations", registrations), ("ps_auths", auths)):
            for row in rows:
                columns = ", ".join(row)
                marks = ", ".join("?" * len(row))
                connection.execute(
                    f"INSERT INTO {table} ({columns}) VALUES ({marks})", tuple(row.values())
                )
