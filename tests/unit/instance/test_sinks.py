"""A file that is rotated by its size, and goes on where it cannot be."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pjreg_cli.instance.sinks import Descriptor, LogFile


def gap(lost: int, why: str) -> str:
    return f"{lost} lost: {why}"


@pytest.fixture
def complaints() -> list[str]:
    return []


def opened(path: Path, complaints: list[str], max_bytes: int = 0, keep: int = 2) -> LogFile:
    return LogFile(str(path), max_bytes, keep, gap, complaints.append)


def write(file: LogFile, text: str) -> None:
    """As an outlet does it."""
    rest = memoryview(text.encode())
    while rest:
        rest = rest[file.write(rest) :]


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir() if path.is_file()}


def test_lines_are_never_torn_and_files_no_larger_than_asked(
    tmp_path: Path, complaints: list[str]
) -> None:
    file = opened(tmp_path / "log", complaints, max_bytes=10)
    write(file, "1234\n5678\nabcd\n")
    write(file, "efgh\na line that is too long\nz\n")
    assert contents(tmp_path) == {
        "log": "z\n",
        "log.1": "a line that is too long\n",
        "log.2": "abcd\nefgh\n",
    }
    assert complaints == []


def test_without_keeping_any_the_file_begins_anew(tmp_path: Path, complaints: list[str]) -> None:
    file = opened(tmp_path / "log", complaints, max_bytes=5, keep=0)
    write(file, "1234\n5678\n")
    assert contents(tmp_path) == {"log": "5678\n"}


def test_what_cannot_be_renamed_goes_on_and_is_said_once(
    tmp_path: Path, complaints: list[str]
) -> None:
    (tmp_path / "log.1").mkdir()
    (tmp_path / "log.1" / "kept").touch()
    file = opened(tmp_path / "log", complaints, max_bytes=5, keep=1)
    write(file, "1234\n5678\nabcd\nefgh\n")
    assert contents(tmp_path) == {"log": "1234\n5678\nabcd\nefgh\n"}
    assert complaints == ["Is a directory"]


def test_a_folder_that_is_gone_leaves_the_old_file_open(
    tmp_path: Path, complaints: list[str]
) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    file = opened(folder / "log", complaints)
    folder.rename(tmp_path / "away")
    write(file, "first\n")
    write(file, "second\n")
    assert contents(tmp_path / "away") == {"log": "first\nsecond\n"}
    assert complaints == ["No such file or directory"]
    folder.mkdir()
    write(file, "third\n")
    assert contents(folder) == {"log": "third\n"}


def test_a_note_begins_a_line_of_its_own(tmp_path: Path, complaints: list[str]) -> None:
    file = opened(tmp_path / "log", complaints)
    write(file, "torn in the")
    write(file, file.gap(3, "full").decode())
    assert contents(tmp_path) == {"log": "torn in the\n3 lost: full\n"}
    assert file.gap(1, "full") == b"1 lost: full\n"


def test_what_is_no_place_for_a_log_says_why(tmp_path: Path, complaints: list[str]) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path, tmp_path / "nowhere" / "log"):
        with pytest.raises(OSError, match=r"No such|directory"):
            opened(path, complaints)
    with pytest.raises(ValueError, match="null"):
        LogFile("a\0b", 0, 0, gap, complaints.append)


def test_a_closed_file_is_closed_once(tmp_path: Path, complaints: list[str]) -> None:
    file = opened(tmp_path / "log", complaints)
    file.close()
    file.close()


def test_a_stream_stays_open(tmp_path: Path) -> None:
    with (tmp_path / "out").open("w") as stream:
        sink = Descriptor(stream.fileno(), gap)
        assert sink.write(memoryview(b"line\n")) == 5
        assert sink.gap(2, "slow") == b"2 lost: slow\n"
        sink.close()
        stream.write("more\n")
    assert (tmp_path / "out").read_text() == "line\nmore\n"
