"""Thousands of registrations at once, beside what Python can do at all.

    python benchmarks/fleet.py [--runs N] [--quick] [--page]

Every figure of ours is taken beside the floor (`peers/floor.py`) in the same run, in turn, and
given as a median; the registrar (`peers/registrar.c`) is compiled first and is never what is
waited for.  `--page` writes docs/performance.md and its pictures.
"""

from __future__ import annotations

import argparse
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from pjreg_cli.instance.later import AFTER_S
from tests.support.instance import PROGRAM, environment, short_folder
from tests.support.ports import free_port

PEERS = Path(__file__).parent / "peers"
_TICK = os.sysconf("SC_CLK_TCK")
_PATIENCE_S = 120.0


@dataclass(slots=True)
class Stats:
    """What the registrar has counted; instants in seconds of CLOCK_MONOTONIC."""

    requests: int
    challenges: int
    grants: int
    resends: int
    first: float
    last: float


class Registrar:
    """The compiled registrar at work."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sock.settimeout(10)
        self._sock.connect(("127.0.0.1", port + 1))

    def ask(self, word: str) -> str:
        """Say a word, hear the answer."""
        self._sock.send(word.encode())
        return self._sock.recv(1 << 16).decode()

    def stats(self) -> Stats:
        """The counters."""
        requests, challenges, grants, resends, *at = map(int, self.ask("stats").split())
        return Stats(requests, challenges, grants, resends, at[0] / 1e9, at[1] / 1e9)

    def until(self, grants: int) -> Stats:
        """Wait for so many grants."""
        deadline = time.monotonic() + _PATIENCE_S
        while (stats := self.stats()).grants < grants:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{stats.grants} of {grants} granted")
            time.sleep(0.02)
        return stats


def compiled(folder: Path) -> Path:
    """The registrar, built with the C compiler that is there."""
    program = folder / "registrar"
    command = [os.environ.get("CC", "cc"), "-O2", "-o", str(program), str(PEERS / "registrar.c")]
    subprocess.run(command, check=True)
    return program


@contextmanager
def registrar(program: Path, expires_s: int) -> Iterator[Registrar]:
    """Run it on free ports."""
    port = free_port()
    with subprocess.Popen(
        [program, str(port), str(expires_s)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield Registrar(port)
        finally:
            process.kill()


Row = tuple[str, str, str]
"""A figure, ours, and what stands beside it."""


@dataclass(slots=True)
class Curves:
    """What the pictures show."""

    of: int = 0
    series: dict[str, list[int]] = field(default_factory=dict)
    """Grants in each tenth of a second, by client."""
    counts: list[int] = field(default_factory=list)
    list_ms: list[float] = field(default_factory=list)
    memory_mib: list[float] = field(default_factory=list)


# -- a process, looked at from outside --------------------------------------------------------


def cpu_s(pid: int) -> float:
    """Seconds of processor time a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / _TICK


def rss_kib(pid: int) -> int:
    """Its resident memory."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return 0


def dropped(port: int) -> int:
    """Datagrams the kernel dropped at a socket because it was not read in time."""
    for line in Path("/proc/net/udp").read_text().splitlines()[1:]:
        words = line.split()
        if int(words[1].rsplit(":", 1)[1], 16) == port:
            return int(words[-1])
    return 0


# -- the clients ------------------------------------------------------------------------------

_HEAD = """\
[udp]
type = transport
protocol = udp
bind = 127.0.0.1:{own}

[shared]
type = auth
auth_type = userpass
username = user
password = secret

"""
_ONE = """\
[reg{number}]
type = registration
transport = udp
outbound_auth = shared
server_uri = sip:127.0.0.1:{registrar}
client_uri = sip:u{number}@127.0.0.1:{registrar}
contact_user = u{number}
max_random_initial_delay = 0
retry_interval = 10

"""


@dataclass(slots=True)
class Run:
    """One client against one registrar."""

    pid: int
    port: int
    stats: Stats
    cpu_s: float
    rss_kib: int
    started_at: float
    socket: Path | None = None
    pause_ms: float = 0.0
    series: list[int] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Registrations a second, from the first REGISTER to the last 200."""
        return self.stats.grants / max(self.stats.last - self.stats.first, 1e-9)


def configure(folder: Path, own: int, port: int, count: int, more: str = "") -> None:
    """A pjsip.conf with `count` registrations."""
    folder.mkdir(exist_ok=True)
    with (folder / "pjsip.conf").open("w") as file:
        file.write(_HEAD.format(own=own))
        for number in range(count):
            file.write(_ONE.format(number=number, registrar=port))
    (folder / "pjreg.conf").write_text(f"[general]\n{more}")


@contextmanager
def ours(at: Registrar, home: Path, count: int, more: str = "") -> Iterator[Run]:
    """This program, from its start until all are registered."""
    own = free_port()
    configure(home / "etc", own, at.port, count, more)
    command = [*PROGRAM, "-C", str(home / "etc"), "-s", str(home / "ctl"), "-f"]
    with running(command, at, count, own, environment(home, PYTHONWARNINGS="")) as run:
        run.socket = home / "ctl"
        yield run


@contextmanager
def floor(at: Registrar, _home: Path, count: int, _more: str = "") -> Iterator[Run]:
    """The floor."""
    own = free_port()
    command = [sys.executable, str(PEERS / "floor.py"), str(at.port), str(own), str(count)]
    with running(command, at, count, own, dict(os.environ)) as run:
        yield run


@contextmanager
def running(
    command: list[str], at: Registrar, count: int, own: int, env: dict[str, str]
) -> Iterator[Run]:
    """Start a client, wait until all are granted, hand it over, kill it."""
    at.ask("reset")
    started = time.monotonic()
    with subprocess.Popen(command, env=env, stderr=subprocess.DEVNULL) as process:
        try:
            stats = at.until(count) if count else at.stats()
            series = [int(word) for word in at.ask("series").split()]
            yield Run(
                process.pid, own, stats, cpu_s(process.pid), rss_kib(process.pid), started,
                series=series,
            )  # fmt: skip
        finally:
            process.kill()


def one_shot_ms(home: Path, command: str = "core show uptime") -> float:
    """Milliseconds a one-shot takes to be answered."""
    begun = time.perf_counter()
    subprocess.run(
        [*PROGRAM, "-s", str(home / "ctl"), "-rx", command],
        env=environment(home, PYTHONWARNINGS=""),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    return (time.perf_counter() - begun) * 1000


# -- the figures ------------------------------------------------------------------------------


def start(program: Path, count: int, runs: int) -> dict[str, list[Run]]:
    """Both clients in turn, `runs` times."""
    found: dict[str, list[Run]] = {"ours": [], "floor": []}
    for _ in range(runs):
        for name, client in (("ours", ours), ("floor", floor)):
            with (
                registrar(program, 3600) as at,
                short_folder() as home,
                client(at, home, count) as run,
            ):
                found[name].append(run)
                if name == "ours" and dropped(run.port):
                    print(f"  {dropped(run.port)} datagrams dropped")
    return found


def steady(program: Path, count: int, more: str) -> tuple[float, int]:
    """Per cent of a core that `count` registrations of 30 s cost while each is refreshed three
    times, and the memory then, in KiB."""
    with (
        registrar(program, 30) as at,
        short_folder() as home,
        ours(at, home, count, more) as run,
    ):
        at.until(3 * count)  # three grants each: all that a registration keeps is there
        begun, cpu = time.monotonic(), cpu_s(run.pid)
        at.until(6 * count)  # (they come in waves: so many seconds would hold more or fewer)
        used = 100 * (cpu_s(run.pid) - cpu) / (time.monotonic() - begun)
        return used, rss_kib(run.pid)


def median(values: list[float]) -> float:
    """The median."""
    return statistics.median(values)


def empty_kib(program: Path) -> int:
    """The memory of an instance without registrations that has loaded all it will need."""
    with registrar(program, 3600) as at, short_folder() as home, ours(at, home, 0) as run:
        deadline = time.monotonic() + 10
        while not (home / "ctl").exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(AFTER_S + 2)
        return rss_kib(run.pid)


def pauses(program: Path, count: int) -> list[Row]:
    """How long a one-shot waits at most while much happens at once: the longest pause of the loop.

    Beside it stands what a one-shot takes while nothing happens.
    """
    rows: list[Row] = []
    with registrar(program, 3600) as at, short_folder() as home, ours(at, home, count):
        idle = median([one_shot_ms(home) for _ in range(10)])
        for what in (
            "pjsip send register *all",
            "pjsip send unregister *all",
            "core reload",
            "pjsip show registrations",
        ):
            command = [*PROGRAM, "-s", str(home / "ctl"), "-rx", what]
            waits = [0.0]
            with subprocess.Popen(
                command, env=environment(home, PYTHONWARNINGS=""), stdout=subprocess.DEVNULL
            ) as doing:
                until = time.monotonic() + 3
                while doing.poll() is None or time.monotonic() < until:
                    waits.append(one_shot_ms(home))
            rows.append(
                (
                    f"{count:,}: {what}",
                    f"{max(max(waits) - idle, 0):.0f} ms pause",
                    f"one-shot {median(waits[1:]) / idle:.1f} x idle ({idle:.0f} ms)",
                )
            )
    return rows


def table(program: Path, runs: int, quick: bool, curves: Curves) -> list[Row]:
    """The figures, one a row; what the pictures show is put into `curves`."""
    rows: list[Row] = []
    base = empty_kib(program)
    for count in (10_000,) if quick else (10_000, 50_000):
        found = start(program, count, runs)
        rate, most = (median([run.rate for run in found[name]]) for name in ("ours", "floor"))
        cpu = median([run.cpu_s / count * 1e6 for run in found["ours"]])
        bare = median([run.cpu_s / count * 1e6 for run in found["floor"]])
        ready = median([run.stats.first - run.started_at for run in found["ours"]])
        resends = max(run.stats.resends for run in found["ours"])
        memory = median([float(run.rss_kib) for run in found["ours"]]) / 1024
        curves.series = {name: runs_of[-1].series for name, runs_of in found.items()}
        curves.of = count
        rows += [
            (f"{count:,} at once", f"{rate:,.0f}/s", f"{rate / most:.2f} x floor"),
            (f"{count:,}: CPU each", f"{cpu:.0f} us", f"floor {bare:.0f} us"),
            (f"{count:,}: start to first REGISTER", f"{ready:.2f} s", "1 s of it is the delay"),
            (f"{count:,}: resends", f"{resends}", ""),
            (f"{count:,}: memory", f"{memory:.0f} MiB", f"{base / 1024:.0f} MiB without any"),
        ]
    for more, name in (("", "without kept nonces"), ("keep_nonce = yes\n", "with kept nonces")):
        used, memory_kib = steady(program, 10_000, more)
        each = (memory_kib - base) / 10_000
        rows.append((f"10,000 at 30 s {name}", f"{used:.1f} % of a core", f"{each:.2f} KiB each"))
    rows += pauses(program, 10_000 if quick else 50_000)
    for count in (100, 1_000, 10_000) if quick else (100, 1_000, 10_000, 50_000):
        with registrar(program, 3600) as at, short_folder() as home, ours(at, home, count) as run:
            curves.counts.append(count)
            curves.memory_mib.append(run.rss_kib / 1024)
            listed = [one_shot_ms(home, "pjsip show registrations") for _ in range(5)]
            curves.list_ms.append(median(listed))
    return rows


# -- the page ---------------------------------------------------------------------------------

_PAGE = """\
# Performance

Written by `make bench` on {date}, {cores} processors, Python {python}. Absolute times are of that
machine on that day; ratios hold better. The *floor* (`benchmarks/peers/floor.py`) is a client of a
hundred lines that does nothing but register: no configuration, no policy, no views, no checks. What
lies between it and us is what a real client is for. The registrar (`benchmarks/peers/registrar.c`)
challenges every request and is never waited for.

Where the time of the event loop goes while thirty thousand register, as a sampling profiler saw it
on 2026-11-26; no part of it is large, which is why none could be left out to come near the floor:

| part | share |
|---|---|
| sockets (two `sendto`, two `recvfrom`) | 14 % |
| evidence for explanations, notices, history | 12 % |
| transactions, and whose turn it is to send | 10 % |
| reading two answers, and whether they are ours | 9 % |
| reading the challenge and the grant | 9 % |
| writing two requests | 9 % |
| policy and pacing: three steps of the machine | 7 % |
| the line in the log | 6 % |
| credentials | 4 % |
| timers | 4 % |
| finding the target | 2 % |
| calls from one of these to the next | 14 % |

The threads that write the log and the history take another sixteenth. What a thread costs is less
what it does than how often it wants the interpreter: each time it has to be woken by system calls
of the loop. So both write seldom and much.

Aimed for, and not reached, were 0.45 x (10,000) and 0.40 x (50,000) of the floor's rate, 40 us of
processor for a registration, and 3 % of a core, 1.5 % with kept nonces, for 10,000 at 30 s. Two
ways there were tried and left: all that is usual between a challenge and a grant in one function, a
second copy of every rule, takes a fifth off the engine's time; its modules compiled, a tenth.

| figure | here | beside it |
|---|---|---|
{rows}

![Registrations over time](performance-start.svg)

![Time of a list, and memory, over the number of registrations](performance-size.svg)
"""


def draw(curves: Curves, folder: Path) -> None:
    """The pictures of the page."""
    import matplotlib as mpl  # noqa: PLC0415 -- only who writes the page has it

    mpl.use("svg")
    from matplotlib import pyplot as plt  # noqa: PLC0415 -- as above

    figure, axes = plt.subplots(figsize=(8, 3.5))
    for name, series in curves.series.items():
        total, so_far = 0, [0]
        for grants in series:
            total += grants
            so_far.append(total)
        axes.plot([at / 10 for at in range(len(so_far))], so_far, label=name)
    axes.set(xlabel="seconds since the first REGISTER", ylabel="registered")
    axes.set_title(f"{curves.of:,} registrations at once")
    axes.legend()
    figure.tight_layout()
    figure.savefig(folder / "performance-start.svg", metadata={"Date": None})
    figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.5))
    left.loglog(curves.counts, curves.list_ms, marker="o")
    left.set(xlabel="registrations", ylabel="pjsip show registrations, ms")
    right.loglog(curves.counts, curves.memory_mib, marker="o")
    right.set(xlabel="registrations", ylabel="memory, MiB")
    figure.tight_layout()
    figure.savefig(folder / "performance-size.svg", metadata={"Date": None})


def write_page(rows: list[Row], curves: Curves) -> None:
    """docs/performance.md and its pictures."""
    folder = Path(__file__).parents[1] / "docs"
    text = _PAGE.format(
        date=time.strftime("%Y-%m-%d"),
        cores=os.cpu_count(),
        python=sys.version.split()[0],
        rows="\n".join(f"| {' | '.join(row)} |" for row in rows),
    )
    (folder / "performance.md").write_text(text)
    draw(curves, folder)


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="10,000 only")
    parser.add_argument("--page", action="store_true", help="write docs/performance.md")
    arguments = parser.parse_args()
    curves = Curves()
    with tempfile.TemporaryDirectory() as folder:
        rows = table(compiled(Path(folder)), arguments.runs, arguments.quick, curves)
    for figure, value, beside in rows:
        print(f"{figure:<42}{value:>18}   {beside}")
    if arguments.page:
        write_page(rows, curves)
    return 0


if __name__ == "__main__":
    sys.exit(main())
