"""The manual page, made of the help."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from pjreg_cli import __version__
from pjreg_cli.options import SPELLINGS, USAGE
from tests.support.golden import PROJECT, Golden
from tests.support.man_page import man_page

PAGE = PROJECT / "packaging" / "pjreg-cli.1"


def test_the_generated_page_is_current(golden: Golden) -> None:
    golden.check(PAGE, man_page(__version__))


def test_every_option_is_told() -> None:
    page = man_page("0").replace("\\-", "-")
    told = [spelling for spelling in SPELLINGS if spelling in USAGE]
    assert [spelling for spelling in told if spelling not in page] == []


def test_groff_has_no_complaint() -> None:
    groff = shutil.which("groff")
    if groff is None:
        pytest.skip("groff is not installed: apt-get install groff-base")
    done = subprocess.run(
        [groff, "-man", "-Tutf8", "-ww", str(PAGE)],
        capture_output=True, text=True, check=True, timeout=30,
    )  # fmt: skip
    assert done.stderr == ""
    # bold is written as a sign, a step back, and the sign again
    assert "--reveal-secrets" in re.sub(".\b|\x1b\\[[0-9]*m", "", done.stdout)
