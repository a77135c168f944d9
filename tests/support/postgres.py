"""A PostgreSQL server of the test's own, from Debian's package: on a free port of loopback, in a
temporary folder, run by an unprivileged user where we are root."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from pjreg_cli.store.asterisk_tables import definitions
from tests.support.ports import LOOPBACK, free_port
from tests.support.waiting import until

_SETTINGS = {
    "listen_addresses": LOOPBACK,
    "fsync": "off",
    "unix_socket_directories": "",
    "max_connections": "100",
    "wal_level": "replica",
    "max_wal_senders": "5",
    "hot_standby": "on",
    "log_min_messages": "warning",
}


def binaries() -> Path | None:
    """The folder of `initdb` and `pg_ctl`, of the newest version installed; None without one."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


class Postgres:
    """One server; its databases are reached as the superuser `postgres`, without a password."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port
        self.data = folder / "data"

    def url(self, database: str = "asterisk", user: str = "postgres", port: int = 0) -> str:
        """How to reach a database, by another `port` for who goes through a proxy."""
        return f"postgresql://{user}@{LOOPBACK}:{port or self.port}/{database}"

    # Any: what a row holds is known to its query alone
    def connect(
        self, database: str = "asterisk", user: str = "postgres"
    ) -> psycopg.Connection[tuple[Any, ...]]:
        """A connection that commits each statement."""
        return psycopg.connect(self.url(database, user), autocommit=True)

    def execute(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Run one statement in `asterisk`; its rows, if it has any.  Any: see `connect`."""
        with self.connect() as connection:
            cursor = connection.execute(statement.encode(), values or None)
            return cursor.fetchall() if cursor.description else []

    def fresh(self, tables: str = "") -> None:
        """A database `asterisk` with Asterisk's tables, empty; `tables` makes others."""
        with self.connect("postgres") as connection:
            connection.execute("DROP DATABASE IF EXISTS asterisk WITH (FORCE)")
            connection.execute("CREATE DATABASE asterisk")
        with self.connect() as connection:
            connection.execute((tables or definitions()).encode())

    def cpu_s(self) -> float:
        """Processor time of all its processes until now, those that have ended included."""
        first = int((self.data / "postmaster.pid").read_text().split()[0])
        ticks = 0
        for path in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = path.read_text().rpartition(")")[2].split()
            except OSError:
                continue  # it has ended meanwhile
            if path.parent.name == str(first):
                ticks += sum(map(int, fields[11:15]))
            elif fields[1] == str(first):
                ticks += sum(map(int, fields[11:13]))
        return ticks / os.sysconf("SC_CLK_TCK")

    def start(self) -> None:
        """Start the server and wait until it answers."""
        self._run("pg_ctl", "-D", str(self.data), "-w", "-l", str(self.folder / "log"), "start")

    def stop(self, how: str = "fast") -> None:
        """`fast` or `immediate`."""
        self._run("pg_ctl", "-D", str(self.data), "-m", how, "-w", "stop")

    def stop_receiving(self) -> None:
        """Let a standby hear no more of its primary: what is committed from now on is lost."""
        with self.connect("postgres") as connection:
            connection.execute("ALTER SYSTEM SET primary_conninfo = ''")
            connection.execute("SELECT pg_reload_conf()")
            until(
                lambda: not connection.execute("SELECT FROM pg_stat_wal_receiver").fetchall(),
                "the standby hears nothing",
            )

    def promote(self) -> None:
        """Make a standby the primary."""
        self._run("pg_ctl", "-D", str(self.data), "-w", "promote")

    def kill(self) -> None:
        """End it without a word."""
        pid = int((self.data / "postmaster.pid").read_text().split()[0])
        os.kill(pid, signal.SIGKILL)
        self._run("pg_ctl", "-D", str(self.data), "-m", "immediate", "-w", "stop", check=False)

    def make(self, standby_of: Postgres | None = None, empty: Path | None = None) -> None:
        """Make the data folder: an empty one, which may be had from `empty`, or a copy that follows
        another server."""
        if empty is not None:
            _copy(empty, self.data)
        elif standby_of is None:
            self._run(
                "initdb", "-D", str(self.data), "-U", "postgres", "-A", "trust", "-N", "-E", "UTF8"
            )
        else:
            self._run(
                "pg_basebackup", "-D", str(self.data), "-R", "-X", "stream", "-c", "fast",
                "-d", standby_of.url("postgres"),
            )  # fmt: skip
        lines = [f"{key} = '{value}'" for key, value in (_SETTINGS | {"port": self.port}).items()]
        with (self.data / "postgresql.auto.conf").open("a") as file:
            file.write("\n".join(lines) + "\n")

    def _run(self, program: str, *arguments: str, check: bool = True) -> None:
        folder = binaries()
        assert folder is not None
        done = subprocess.run(
            [str(folder / program), *arguments],
            user=_user(),
            group=_group(),
            extra_groups=[] if _user() is not None else None,
            cwd=self.folder,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if program != "pg_ctl" else subprocess.DEVNULL,
            stderr=subprocess.STDOUT if program != "pg_ctl" else subprocess.DEVNULL,
            text=True,
            timeout=60,
            check=False,
        )
        assert not check or done.returncode == 0, f"{program}: {done.stdout}"


def _account() -> pwd.struct_passwd | None:
    """Who runs the server: PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    return None


def _user() -> int | None:
    account = _account()
    return None if account is None else account.pw_uid


def _group() -> int | None:
    account = _account()
    return None if account is None else account.pw_gid


def _copy(data: Path, to: Path) -> None:
    """Whoever owns it: a data folder belongs to who runs the server."""
    subprocess.run(["cp", "-a", str(data), str(to)], check=True, timeout=60)


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder in which a server may be run."""
    folder = Path(tempfile.mkdtemp(prefix="pjreg-pg-"))
    try:
        if (user := _user()) is not None:
            os.chown(folder, user, _group() or -1)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def make_empty(folder: Path) -> None:
    """Put an empty data folder there, as `data`: to make one takes ten times as long as a copy."""
    with _folder() as own:
        server = Postgres(own, 0)
        server.make()
        _copy(server.data, folder / "data")


@contextmanager
def postgres(standby_of: Postgres | None = None, empty: Path | None = None) -> Iterator[Postgres]:
    """A running server, gone with the block; its data folder is as `Postgres.make` says."""
    with _folder() as folder:
        server = Postgres(folder, free_port())
        server.make(standby_of, empty)
        server.start()
        try:
            yield server
        finally:
            server._run("pg_ctl", "-D", str(server.data), "-m", "immediate", "stop", check=False)
