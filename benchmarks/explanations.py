"""What it costs to be able to tell why: the same instance with and without gathering.

    python benchmarks/explanations.py [--count N] [--pairs N]

One instance refreshes all its registrations again and again; every other while it keeps nothing
for explanations.  The processor time of a refresh is compared in neighbouring whiles, and the
median of the ratios is given.  Two fresh instances, one with and one without, show the memory.
Exits with 1 when a budget is missed.
"""

from __future__ import annotations

import argparse
import gc
import os
import signal
import statistics
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import fleet
from pjreg_cli.api.registrations import Evidence
from pjreg_cli.engine.entry import Attempt
from pjreg_cli.engine.exchange import Exchange
from pjreg_cli.engine.record import Record
from pjreg_cli.engine.settled import Course
from tests.support.instance import environment, short_folder
from tests.support.ports import free_port

#: at most so many times the processor time of an attempt without gathering
DEARER = 1.05
#: at most so many KiB for each registration
KIB = 0.5
_WITHOUT, _WITH = signal.SIGUSR1, signal.SIGUSR2
#: lifetime of a binding: refreshed after half of it
_GRANTED_S = 20
#: how long each measurement is, in seconds; short, so that neighbours meet the same machine
_WHILE_S = 0.25
#: attempts in it, at least: refreshes come in waves, with pauses in between
_FEWEST = 50
_PATIENCE_S = 60.0
#: registrations whose memory is looked at; more would only take longer
_WEIGHED = 3_000
_LOOKS = 5
_POINTER = 8


# -- the instance that can be told to gather nothing ------------------------------------------


def child(mode: str, arguments: list[str]) -> None:
    """The program itself, told by signals whether to keep anything for explanations; with `full` or
    `empty` for its mode it does or does not, and tells how much memory it holds."""
    from pjreg_cli.engine import attempts, record  # noqa: PLC0415 -- for the child alone
    from pjreg_cli.entry import main as program  # noqa: PLC0415 -- as above
    from pjreg_cli.instance import history  # noqa: PLC0415 -- as above

    # loaded at the first failure otherwise, which only one of two instances may have
    from pjreg_cli.why import diagnosis  # noqa: F401, PLC0415 -- as above

    def nothing(*_words: object, **_more: object) -> tuple[()]:
        return ()

    def answered(
        exchange: Exchange, attempt: Attempt, _: object, now: float, *_more: object
    ) -> None:
        attempt.instants = (exchange.sent_at, now)  # the log and notices tell how long it took

    def settled(
        _one: object, attempt: Attempt, course: Course, _: object, at: float, _now: float
    ) -> Evidence:
        took_s = attempt.instants[-1] - attempt.instants[-2] if attempt.instants else None
        return Evidence(at, *course[:-1], took_s)  # what a notice is about, kept by nobody

    # where they are called; what is not there any more is an error
    each: list[tuple[object, str, Callable[..., object]]] = [
        (attempts, "answered", answered),
        (attempts, "failed", nothing),
        (record.Record, "settled", settled),
    ]
    # bounded in all, however many registrations there are
    together: list[tuple[object, str, Callable[..., object]]] = [
        (record.Messages, "append", nothing),
        (history, "row_of", nothing),
    ]
    places = [(owner, name, getattr(owner, name), to) for owner, name, to in (*each, *together)]

    def turn(on: bool) -> None:
        for owner, name, function, instead in places:
            setattr(owner, name, function if on else instead)

    if mode == "turning":
        signal.signal(_WITHOUT, lambda _number, _frame: turn(on=False))
        signal.signal(_WITH, lambda _number, _frame: turn(on=True))
    else:
        tracemalloc.start()
        signal.signal(_WITH, lambda _number, _frame: tell_memory(Path(arguments[1]).parent))
        for owner, name, instead in together if mode == "full" else (*each, *together):
            setattr(owner, name, instead)
    sys.argv = ["pjreg-cli", *arguments]
    sys.exit(program())


def tell_memory(home: Path) -> None:
    """Leave the bytes in use in a file."""
    gc.unfreeze()  # what was set aside may hold garbage
    gc.collect()
    (home / "bytes.new").write_text(str(tracemalloc.get_traced_memory()[0]))
    (home / "bytes.new").rename(home / "bytes")


@contextmanager
def instance(at: fleet.Registrar, home: Path, count: int, mode: str) -> Iterator[fleet.Run]:
    """Such an instance, once all its registrations stand."""
    own = free_port()
    fleet.configure(home / "etc", own, at.port, count, "state = no\n")
    command = [sys.executable, __file__, "--child", mode]
    command += ["-C", str(home / "etc"), "-s", str(home / "ctl"), "-f"]
    with fleet.running(command, at, count, own, environment(home, PYTHONWARNINGS="")) as run:
        yield run


# -- what it costs ----------------------------------------------------------------------------


def each_us(at: fleet.Registrar, pid: int) -> float | None:
    """Microseconds of processor time that an attempt costs, over a while; None where there were
    hardly any."""
    grants, used = at.stats().grants, on_processor_s(pid)
    time.sleep(_WHILE_S)
    used, grants = on_processor_s(pid) - used, at.stats().grants - grants
    return 1e6 * used / grants if grants >= _FEWEST else None


def on_processor_s(pid: int) -> float:
    """Seconds of processor time of a process's first thread, to the nanosecond."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def dearer(program: Path, count: int, pairs: int) -> tuple[float, float, float]:
    """How many times the processor time gathering costs; the microseconds of an attempt without
    and with."""
    with_us: list[float] = []
    without_us: list[float] = []
    ratios: list[float] = []
    with (
        fleet.registrar(program, _GRANTED_S) as at,
        short_folder() as home,
        instance(at, home, count, "turning") as run,
    ):
        at.until(3 * count)
        while len(ratios) < pairs:
            found: dict[int, float | None] = {}
            # in turn, so that what drifts weighs on both
            for mode in (_WITHOUT, _WITH) if len(ratios) % 2 else (_WITH, _WITHOUT):
                os.kill(run.pid, mode)
                found[mode] = each_us(at, run.pid)
            one, other = found[_WITH], found[_WITHOUT]
            if one is not None and other is not None:
                with_us.append(one)
                without_us.append(other)
                ratios.append(one / other)
    median = statistics.median
    return median(ratios), median(without_us), median(with_us)


def bytes_in_use(home: Path, pid: int) -> int:
    """What an instance tells of its memory after a moment."""
    time.sleep(1)
    told = home / "bytes"
    told.unlink(missing_ok=True)
    os.kill(pid, _WITH)
    deadline = time.monotonic() + _PATIENCE_S
    while not told.exists():
        if time.monotonic() > deadline:
            raise TimeoutError("the instance does not tell its memory")
        time.sleep(0.05)
    return int(told.read_text())


def kept_kib(program: Path, count: int) -> float:
    """KiB that each registration keeps for explanations, by what Python has allocated."""
    sizes = {}
    for mode in ("empty", "full"):
        with (
            fleet.registrar(program, 3600) as at,
            short_folder() as home,
            instance(at, home, count, mode) as run,
        ):
            # what is still under way is none of what is kept
            sizes[mode] = min(bytes_in_use(home, run.pid) for _ in range(_LOOKS))
    # a registration is its own record, whether or not anything is kept in it
    return ((sizes["full"] - sizes["empty"]) / count + _POINTER * len(Record.__slots__)) / 1024


def main() -> int:
    """Print the figures beside their budgets."""
    if sys.argv[1:2] == ["--child"]:
        child(sys.argv[2], sys.argv[3:])
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000, help="registrations")
    parser.add_argument("--pairs", type=int, default=300, help="whiles that are compared")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        program = fleet.compiled(Path(folder))
        ratio, without_us, with_us = dearer(program, arguments.count, arguments.pairs)
        kib = kept_kib(program, min(arguments.count, _WEIGHED))
    print(f"an attempt without gathering {without_us:12.1f} us")
    print(f"an attempt with it           {with_us:12.1f} us   {ratio:.3f} x (at most {DEARER})")
    print(f"kept for each registration   {kib:12.2f} KiB       (at most {KIB})")
    return 0 if ratio <= DEARER and kib <= KIB else 1


if __name__ == "__main__":
    sys.exit(main())
