"""A bounded run of what `make fuzz` does at length: inputs that are known, their mutations, and so
many that coverage leads to."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.corpus import inputs
from tests.fuzz.targets import TARGETS
from tests.support.instance import ROOT
from tests.support.once import once

#: inputs for each target in the guided part
RUNS = 3000


@pytest.mark.parametrize("name", TARGETS)
def test_known_inputs_are_taken(name: str) -> None:
    known = inputs(name)
    assert len(known) >= 3
    for data in known:
        TARGETS[name](data)


@st.composite
def mutated(draw: st.DrawFn, known: list[bytes]) -> bytes:
    """A known input with some of it cut out, doubled, exchanged or written over."""
    data = draw(st.sampled_from(known))
    for _ in range(draw(st.integers(0, 6))):
        at = draw(st.integers(0, len(data)))
        end = min(len(data), at + draw(st.integers(0, 40)))
        piece = draw(
            st.sampled_from([b"", data[at:end] * 2, b"\r\n", b'"', b"<", b">", b";", b",", b"\0"])
            | st.binary(max_size=8)
        )
        data = data[:at] + piece + data[end:]
    return data


@pytest.mark.parametrize("name", TARGETS)
def test_mutations_are_taken(name: str) -> None:
    @given(mutated(inputs(name)))
    @settings(max_examples=150, deadline=None)
    def run(data: bytes) -> None:
        TARGETS[name](data)

    run()


@pytest.fixture(scope="session")
def guided(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What became of each target, fuzzed once for all tests that run at once."""
    pytest.importorskip("atheris", reason="there is no coverage-guided fuzzer for this Python")

    def fuzz(folder: Path) -> None:
        command = [sys.executable, "-m", "tests.fuzz.bounded", str(folder), str(RUNS)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=170, check=False)
        assert done.returncode == 0, done.stderr.decode("utf-8", "replace")[-3000:]

    return once("guided", fuzz, tmp_path_factory)


# whoever comes first does it for all
@pytest.mark.timeout(180)
@pytest.mark.parametrize("name", TARGETS)
def test_what_coverage_leads_to_is_taken(guided: Path, name: str) -> None:
    log = (guided / f"{name}.log").read_text("utf-8", "replace")
    assert (guided / f"{name}.status").read_text() == "0", log[-3000:]
    done = re.search(r"Done ([0-9]+) runs", log)
    assert done is not None, log[-3000:]
    assert int(done[1]) >= RUNS  # (now and then it makes two or three more)
