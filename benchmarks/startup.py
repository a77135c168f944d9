"""What a one-shot command costs, beside a bare interpreter; and how soon an instance answers.

    python benchmarks/startup.py [--runs N]

Prints medians with the ratio to `python -c pass`, measured in turn in one run, and exits with 1
when a budget is missed.  The instance's configuration never sends anything.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.support.instance import PROGRAM, QUIET, Instance, environment, short_folder
from tests.support.ports import free_port

#: at most so many times `python -c pass`
BUDGETS = {
    "show registrations, 10": 1.3,
    "show registration X of 10": 1.4,
    "show registrations, 10000": 5.0,
    "show registration X of 10000": 1.6,
}
#: seconds from the start of an instance with 10 registrations until it can be asked
READY_S = 0.24
#: seconds until a command has been answered: a command of its own, and the commands are loaded
ANSWERED_S = 0.28

_REGISTRATION = """
[reg{number}]
type = registration
server_uri = sip:registrar.invalid
client_uri = sip:reg{number}@registrar.invalid
max_random_initial_delay = 1000000
"""


def configuration(count: int) -> str:
    """A pjsip.conf with `count` registrations; QUIET has one already."""
    more = (_REGISTRATION.format(number=number) for number in range(1, count))
    return QUIET.format(port=free_port()) + "".join(more)


def wall_ms(command: list[str], home: Path) -> float:
    """Milliseconds a command takes, with its output thrown away as it comes."""
    begun = time.perf_counter()
    subprocess.run(
        command,
        env=environment(home, PYTHONWARNINGS=""),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return (time.perf_counter() - begun) * 1000


def side_by_side(commands: dict[str, list[str]], home: Path, runs: int) -> dict[str, float]:
    """The median of each command, all of them taking turns."""
    taken: dict[str, list[float]] = {name: [] for name in commands}
    for run in range(runs + 1):
        for name, command in commands.items():
            milliseconds = wall_ms(command, home)
            if run:  # the first one warms the caches
                taken[name].append(milliseconds)
    return {name: statistics.median(values) for name, values in taken.items()}


def one_shots(count: int, runs: int) -> bool:
    """Measure one-shots to an instance with `count` registrations; whether the budgets are kept."""
    with short_folder() as home:
        instance = Instance(home, configuration(count))
        instance.start()
        try:
            ask = [*PROGRAM, "-s", str(instance.socket), "-rx"]
            medians = side_by_side(
                {
                    "python -c pass": [sys.executable, "-c", "pass"],
                    f"show registrations, {count}": [*ask, "pjsip show registrations"],
                    f"show registration X of {count}": [
                        *ask,
                        "pjsip show registration my_provider",
                    ],
                },
                home,
                runs,
            )
        finally:
            instance.stop()
    bare = medians["python -c pass"]
    kept = True
    for name, milliseconds in medians.items():
        ratio = milliseconds / bare
        budget = BUDGETS.get(name)
        within = budget is None or ratio <= budget
        kept = kept and within
        print(
            f"{name:<30} {milliseconds:7.1f} ms  {ratio:4.2f} x"
            + (f"  (budget {budget} x)" if budget else "")
            + ("" if within else "  MISSED")
        )
    return kept


def start_to_answer(runs: int) -> bool:
    """Measure from the start of an instance until it can be asked, and to its first answer; whether
    the budgets are kept."""
    ready, answered = [], []
    for _ in range(runs):
        with short_folder() as home:
            instance = Instance(home, configuration(10))
            begun = time.perf_counter()
            instance.start()
            ready.append(time.perf_counter() - begun)
            instance.ask("pjsip show registrations")
            answered.append(time.perf_counter() - begun)
            instance.stop()
    kept = True
    for name, taken, budget_s in (
        ("start to listening, 10", ready, READY_S),
        ("start to an answer, 10", answered, ANSWERED_S),
    ):
        median = statistics.median(taken)
        within = median <= budget_s
        kept = kept and within
        print(
            f"{name:<30} {median * 1000:7.1f} ms  (budget {budget_s * 1000:.0f} ms)"
            + ("" if within else "  MISSED")
        )
    return kept


def main() -> int:
    """Run all measurements; 1 when a budget is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=21, help="runs of each command")
    runs = parser.parse_args().runs
    kept = [one_shots(10, runs), one_shots(10_000, runs), start_to_answer(max(3, runs // 4))]
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
