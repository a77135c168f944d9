"""Files on disk and their fingerprint."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pjreg_cli.config.files import Disk, Fingerprint, find, readable, stamp


def lines(tmp_path: Path, data: bytes) -> list[str]:
    (tmp_path / "f").write_bytes(data)
    return list(Disk(tmp_path).lines(str(tmp_path / "f")))


def test_lines_end_at_line_feeds_only(tmp_path: Path) -> None:
    assert lines(tmp_path, b"a\r\nb\rc\x0bd\n\xe2\x80\xa8e") == ["a\r\n", "b\rc\x0bd\n", "\u2028e"]


def test_mark_at_the_beginning_is_passed_over_and_other_bytes_are_kept(tmp_path: Path) -> None:
    (line,) = lines(tmp_path, b"\xef\xbb\xbfa\xfc \xc3\xbc")
    assert (line, os.fsencode(line)) == ("a\udcfc ü", b"a\xfc \xc3\xbc")


def test_missing_file_raises_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        list(Disk(tmp_path).lines(str(tmp_path / "f")))


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("a.conf", ["a.conf"]),
        ("*.conf", ["a.conf", "b.conf"]),
        ("{b,a}.conf", ["b.conf", "a.conf"]),
        ("d/*", ["d/c.conf"]),
        ("d", []),
        ("nothere", []),
        ("\0", []),
        ("[", []),
    ],
)
def test_patterns_find_regular_files(tmp_path: Path, pattern: str, expected: list[str]) -> None:
    (tmp_path / "d").mkdir()
    for name in ("b.conf", "a.conf", "c.txt", "d/c.conf"):
        (tmp_path / name).touch()
    found = find(str(tmp_path), pattern)
    assert [os.path.relpath(path, tmp_path) for path in found] == expected


def test_absolute_pattern_is_taken_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "x").touch()
    assert find("/nowhere", str(tmp_path / "x")) == (str(tmp_path / "x"),)


def test_fingerprint_tells_every_change(tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.write_text("x", encoding="utf-8")
    disk = Disk(tmp_path)
    list(disk.lines(str(file)))
    disk.find("*.conf")
    taken = disk.fingerprint()
    assert taken.untouched()
    assert not Fingerprint().untouched()
    (tmp_path / "new.conf").touch()
    assert not taken.untouched()
    (tmp_path / "new.conf").unlink()
    assert taken.untouched()
    os.utime(file, ns=(1, 1))
    assert not taken.untouched()


def test_state_of_what_is_not_there() -> None:
    assert stamp("/nothere") is None
    assert stamp("\0") is None
    assert not readable("/nothere")
    assert not readable("\0")
