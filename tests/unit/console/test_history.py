"""The history file."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from pjreg_cli.console.history import KEEP, HistoryFile


def read(path: Path) -> list[str]:
    return list(HistoryFile(path).load_history_strings())


def store(path: Path, line: str) -> None:
    history = HistoryFile(path)
    history.store_string(line)
    history.close()


def test_lines_come_back_newest_first(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "history"
    history = HistoryFile(path)
    for line in ("pjsip show registrations", "pjsip send register zürich "):
        history.append_string(line)
    history.close()
    assert read(path) == ["pjsip send register zürich", "pjsip show registrations"]


def test_only_the_owner_can_read_it(tmp_path: Path) -> None:
    path = tmp_path / "history"
    path.write_text("old\n")
    path.chmod(0o644)
    store(path, "new")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_command_is_one_line_whatever_it_holds(tmp_path: Path) -> None:
    path = tmp_path / "history"
    store(path, "two\nlines")
    assert read(path) == ["two lines"]


def test_a_home_that_cannot_be_used_costs_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    path = tmp_path / "file" / "history"
    history = HistoryFile(path)
    history.append_string("kept in memory")
    history.close()
    assert history.get_strings() == ["kept in memory"]
    assert read(path) == []


def test_bytes_that_are_no_text_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "history"
    path.write_bytes(b"good\n\xff\xfe\n\n")
    assert read(path)[-1] == "good"


def test_a_long_file_is_cut_back_to_its_newest_lines(tmp_path: Path) -> None:
    path = tmp_path / "history"
    path.write_text("".join(f"line {number}\n" for number in range(2 * KEEP + 1)))
    assert len(read(path)) == KEEP
    kept = path.read_text().splitlines()
    assert (len(kept), kept[-1]) == (KEEP, f"line {2 * KEEP}")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    "line",
    [
        "pjreg set office password=s3cret",
        "pjreg set office 'Password = s3cret of mine'",
        "pjreg add office username=bob outbound_auth/password=s3cret",
        "pjreg add office md5_cred=s3cret",
        "pjreg add office client_uri=sip:bob:s3cret@example.com",
    ],
)
def test_a_line_that_holds_a_secret_is_known_to_this_console_only(
    tmp_path: Path, line: str
) -> None:
    path = tmp_path / "history"
    history = HistoryFile(path)
    history.append_string(line)
    history.append_string("pjreg add office server_uri=sip:example.com:5070 client_uri=sip:b@c.d")
    history.close()
    assert history.get_strings()[0] == line
    assert read(path) == ["pjreg add office server_uri=sip:example.com:5070 client_uri=sip:b@c.d"]
