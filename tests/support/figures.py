"""Figures of long runs: `python -m tests.support.figures KIND [OPTION...]`, of
`fuzz SECONDS [TARGET...]`, `soak`, `faults`.

What a run found is kept in `docs/figures.json`; the end of `docs/reliability.md` is made of it.
"""

from __future__ import annotations

import datetime
import json
import logging
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.fuzz.targets import TARGETS
from tests.loop import test_soak
from tests.support.golden import PROJECT

PAGE = Path("docs/reliability.md")
KEPT = PROJECT / "docs" / "figures.json"
_BLOCK = re.compile(r"<!-- figures -->\n.*?<!-- end -->", re.DOTALL)
#: tests in which real instances live through faults of the host, the network, and their operators
FAULTS = (
    "tests/process/test_survival.py",
    "tests/process/test_network.py",
    "tests/process/test_faults.py",
    "tests/process/test_address_change.py",
    "tests/process/test_signals.py",
    "tests/process/test_resume.py",
    "tests/process/test_systemd.py",
    "tests/loop/test_outage.py",
    "tests/loop/test_incoming.py",
    "tests/loop/test_engine_faults.py",
)

# Any: figures are whatever a kind of run has of them
Figures = dict[str, Any]


def fuzz(seconds: str, *names: str) -> tuple[Figures, bool]:
    """Run every target for so long, or those named, beside what is known of the others from runs of
    that length; how many inputs each took, and whether all of them."""
    folder = PROJECT / "build" / "fuzz"
    before = read().get("fuzz", {}) if names and KEPT.exists() else {}
    inputs: dict[str, int] = dict(before.get("inputs", {}))
    if before and before["seconds_each"] != int(seconds):
        raise SystemExit(f"the others ran for {before['seconds_each']} s")
    failed = [name for name in before.get("failed", ()) if name not in names]
    for name in names or TARGETS:
        found = folder / name
        found.mkdir(parents=True, exist_ok=True)
        command = [
            sys.executable, "-m", "tests.fuzz", name, f"-max_total_time={seconds}",
            "-max_len=65535", "-print_final_stats=1", f"-artifact_prefix={folder}/{name}-",
            str(found), f"fixtures/fuzz/{name}",
        ]  # fmt: skip
        done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False, cwd=PROJECT)
        ran = re.findall(r"^stat::number_of_executed_units: (\d+)", done.stderr, re.MULTILINE)
        inputs[name] = int(ran[-1]) if ran else 0
        print(f"{name}: {inputs[name]} inputs", flush=True)
        if done.returncode:
            print(done.stderr[-4000:], flush=True)
            failed.append(name)
    return {"seconds_each": int(seconds), "inputs": inputs, "failed": failed}, not failed


def soak() -> tuple[Figures, bool]:
    """Live through the week once, and count."""
    logging.disable()
    began = time.perf_counter()
    world = test_soak.soak(1)
    took = time.perf_counter() - began
    figures = {
        "registrations": test_soak.COUNT,
        "hours": round(world.loop.now / 3600),
        "requests": world.received,
        "answers": {str(code): count for code, count in sorted(world.answered.items())},
        "took_s": round(took),
    }
    return figures, True


def faults() -> tuple[Figures, bool]:
    """Run what real instances live through; how many of each module's cases they did."""
    report = PROJECT / "build" / "faults.xml"
    report.parent.mkdir(exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n", "2", f"--junitxml={report}", *FAULTS],
        check=False, cwd=PROJECT,
    )  # fmt: skip
    survived: dict[str, int] = {}
    skipped = 0
    for case in ElementTree.parse(report).iter("testcase"):
        module = case.get("classname", "").rpartition(".")[2]
        passed = all(case.find(tag) is None for tag in ("failure", "error", "skipped"))
        survived[module] = survived.get(module, 0) + passed
        skipped += case.find("skipped") is not None
    return {"survived": survived, "skipped": skipped}, done.returncode == 0


def page(text: str, kept: Mapping[str, Figures]) -> str:
    """The page with its figures."""
    block = "\n".join(("<!-- figures -->", *_lines(kept), "<!-- end -->"))
    return _BLOCK.sub(lambda _found: block, text)


def read() -> dict[str, Figures]:
    """What was kept."""
    found: dict[str, Figures] = json.loads(KEPT.read_text("utf-8"))
    return found


def _lines(kept: Mapping[str, Figures]) -> Iterator[str]:
    yield "| run | when | what |"
    yield "|---|---|---|"
    if found := kept.get("fuzz"):
        each = ", ".join(f"{name} {count:,}" for name, count in found["inputs"].items())
        total = sum(found["inputs"].values())
        minutes = found["seconds_each"] / 60
        left = ", ".join(found["failed"]) or "none"
        yield (
            f"| `make fuzz` | {found['date']} | {total:,} inputs, {minutes:g} min for each target; "
            f"targets with a fault: {left} ({each}) |"
        )
    if found := kept.get("soak"):
        answers = ", ".join(f"{count:,} x {code}" for code, count in found["answers"].items())
        yield (
            f"| soak | {found['date']} | {found['registrations']:,} registrations for "
            f"{found['hours']} hours in {found['took_s']} s of ours: {found['requests']:,} "
            f"requests reached the registrar, which answered {answers} |"
        )
    if found := kept.get("faults"):
        each = ", ".join(f"`{name}` {count}" for name, count in found["survived"].items())
        total = sum(found["survived"].values())
        yield (
            f"| faults | {found['date']} | {total} cases lived through by real "
            f"programs and engines, {found['skipped']} that could not be tried there ({each}) |"
        )


def _keep(kind: str, figures: Figures) -> None:
    kept = read() if KEPT.exists() else {}
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    kept[kind] = {"date": today, **figures}
    KEPT.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n", "utf-8")
    written = PROJECT / PAGE
    written.write_text(page(written.read_text("utf-8"), kept), "utf-8")


def main(words: list[str]) -> int:
    """Run one kind, keep its figures, write the page."""
    kinds: dict[str, Callable[..., tuple[Figures, bool]]] = {
        "fuzz": fuzz, "soak": soak, "faults": faults,
    }  # fmt: skip
    figures, whole = kinds[words[0]](*words[1:])
    _keep(words[0], figures)
    return 0 if whole else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
