"""Writing by a thread of its own: in order, within bounds, and what is lost is told."""

from __future__ import annotations

import errno
import threading

import pytest

from pjreg_cli.outlet import FEW, FULL, Outlet

PATIENCE_S = 10.0


class Paper:
    """A sink that keeps what is written, stands still, or is full."""

    def __init__(self) -> None:
        self.text = b""
        self.room: int | None = None
        """Bytes that still fit; None: any number."""
        self.open = threading.Event()
        self.open.set()
        self.reached = threading.Event()
        self.closed = False
        self.threads: set[str] = set()
        self.writes = 0

    def write(self, data: memoryview) -> int:
        self.writes += 1
        self.threads.add(threading.current_thread().name)
        self.reached.set()
        assert self.open.wait(PATIENCE_S)
        fits = len(data) if self.room is None else min(self.room, len(data))
        if not fits:
            raise OSError(errno.ENOSPC, "No space left on device")
        if self.room is not None:
            self.room -= fits
        self.text += data[:fits]
        return fits

    def gap(self, lost: int, why: str) -> bytes:
        return f"[{lost}: {why}]".encode()

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def paper() -> Paper:
    return Paper()


@pytest.fixture
def troubles() -> list[str]:
    return []


@pytest.fixture
def outlet(paper: Paper, troubles: list[str]) -> Outlet:
    return Outlet("paper", paper, troubles.append, limit=100)


def test_pieces_are_written_in_order_by_another_thread(paper: Paper, outlet: Outlet) -> None:
    for number in range(10):
        outlet.put(b"%d " % number)
    assert outlet.drain(PATIENCE_S)
    assert paper.text == b"0 1 2 3 4 5 6 7 8 9 "
    assert paper.threads == {"paper"}


def test_many_pieces_are_written_together_and_at_once_where_somebody_waits(paper: Paper) -> None:
    outlet = Outlet("paper", paper, lambda _why: None, gather_s=10 * PATIENCE_S)
    for number in range(1000):
        outlet.put(b"%d " % number)
    assert outlet.drain(PATIENCE_S)
    assert paper.text.split() == [b"%d" % number for number in range(1000)]
    assert paper.writes <= FEW + 2
    for number in range(1000):
        outlet.put(b"%d " % number)
    assert outlet.close(PATIENCE_S)
    assert len(paper.text.split()) == 2000


def test_the_thread_begins_with_the_first_piece(outlet: Outlet, paper: Paper) -> None:
    before = set(threading.enumerate())
    outlet.put(b"")
    assert [one.name for one in set(threading.enumerate()) - before] == ["paper"]
    assert outlet.close(PATIENCE_S)
    assert paper.closed


def test_who_puts_never_waits_and_what_does_not_fit_is_told_later(
    paper: Paper, outlet: Outlet, troubles: list[str]
) -> None:
    paper.open.clear()
    outlet.put(b"first ")
    assert paper.reached.wait(PATIENCE_S)
    for _ in range(30):
        outlet.put(b"123456789 ")
    assert outlet.lost == 20
    assert troubles == [FULL]
    paper.open.set()
    assert outlet.drain(PATIENCE_S)
    outlet.put(b"last ")
    assert outlet.drain(PATIENCE_S)
    assert paper.text == b"first " + f"[20: {FULL}]".encode() + b"123456789 " * 10 + b"last "


def test_one_piece_may_be_larger_than_the_limit(paper: Paper, outlet: Outlet) -> None:
    outlet.put(b"x" * 1000)
    assert outlet.drain(PATIENCE_S)
    assert len(paper.text) == 1000


def test_what_could_not_be_written_is_counted_and_told_when_it_can_again(
    paper: Paper, outlet: Outlet, troubles: list[str]
) -> None:
    paper.room = 4
    for piece in (b"one ", b"two ", b"three "):
        outlet.put(piece)
        assert outlet.drain(PATIENCE_S)
    assert (outlet.lost, troubles) == (2, ["No space left on device"])
    paper.room = None
    outlet.put(b"four ")
    assert outlet.drain(PATIENCE_S)
    assert paper.text == b"one [2: No space left on device]four "
    paper.room = 0
    outlet.put(b"five ")
    assert outlet.drain(PATIENCE_S)
    assert len(troubles) == 2, "trouble that comes again is told again"


def test_a_job_runs_between_pieces_and_its_result_comes_back(paper: Paper, outlet: Outlet) -> None:
    outlet.put(b"before ")
    seen = outlet.call(lambda: paper.text)
    outlet.put(b"after ")
    assert seen.result(PATIENCE_S) == b"before "

    def fail() -> None:
        raise OSError(errno.EACCES, "Permission denied")

    with pytest.raises(OSError, match="Permission denied"):
        outlet.call(fail).result(PATIENCE_S)
    assert outlet.drain(PATIENCE_S)
    assert paper.text == b"before after "


def test_closing_writes_what_waits_and_takes_no_more(paper: Paper, outlet: Outlet) -> None:
    outlet.put(b"waits ")
    assert outlet.close(PATIENCE_S)
    outlet.put(b"too late ")
    assert (paper.text, paper.closed) == (b"waits ", True)


def test_closing_does_not_wait_for_what_stands_still(paper: Paper, outlet: Outlet) -> None:
    paper.open.clear()
    outlet.put(b"never ")
    assert paper.reached.wait(PATIENCE_S)
    assert not outlet.close(0.01)
    assert not outlet.drain(0.01)
    paper.open.set()
