"""A bounded run of what `make fuzz` does at length: inputs that are known, their mutations, and so
many that coverage leads to."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.corpus import folders, inputs
from tests.fuzz.targets import TARGETS

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


@pytest.mark.parametrize("name", TARGETS)
def test_what_coverage_leads_to_is_taken(name: str, tmp_path: Path) -> None:
    pytest.importorskip("atheris", reason="there is no coverage-guided fuzzer for this Python")
    found = tmp_path / "found"
    found.mkdir()
    corpora = [str(folder) for folder in folders(name) if folder.is_dir()]
    options = [f"-runs={RUNS}", "-seed=1", "-max_len=4096", f"-artifact_prefix={tmp_path}/"]
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz", name, *options, str(found), *corpora],
        capture_output=True,
        timeout=55,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode("utf-8", "replace")[-3000:]
