"""Everything that is wrong, at once."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from pjreg_cli.api.configuration import Level
from pjreg_cli.config.check import check
from tests.support.golden import FIXTURES, PROJECT, Golden

MISTAKES = FIXTURES / "config" / "mistakes"

EXPECTED = {
    ("pjsip.conf", 10): "octal and means 24",
    ("pjsip.conf", 11): "no boolean and means no",
    ("pjsip.conf", 24): "did you mean 'retry_interval'",
    ("pjsip.conf", 28): "did you mean 'forbidden_retry_interval'",
    ("pjsip.conf", 32): "option of calls (type=aor)",
    ("pjsip.conf", 36): "not a number",
    ("pjsip.conf", 38): "client_uri is missing",
    ("pjsip.conf", 41): "not a sip: or sips: URI",
    ("pjsip.conf", 45): "endpoint needs line=yes",
    ("pjsip.conf", 49): "no transport for tcp",
    ("pjsip.conf", 53): "';lr' is a comment",
    ("pjsip.conf", 57): "no auth section 'goood' (is 'good' meant?)",
    ("pjsip.conf", 61): "'nothing-secret' is refused",
    ("pjsip.conf", 63): "there is no password",
    ("pjsip.conf", 69): "no transport 'upd' (is 'udp' meant?)",
    ("pjsip.conf", 71): "same account at the same registrar as [good]",
    ("pjsip.conf", 75): "did you mean 'registration'",
    ("pjsip.conf", 78): "has no type",
    ("pjsip.conf", 85): "'tlsv12' is unknown",
    ("pjsip.conf", 89): "as line 90 says",
    ("trunks/north.conf", 1): "template 'trunks' does not exist",
    ("trunks/north.conf", 6): "no such file",
    ("trunks/north.conf", 8): "second registration section named [north]",
    ("trunks/north.conf", 13): "never ends",
    ("pjsip_wizard.conf", 3): "needs remote_hosts",
    ("pjsip_wizard.conf", 5): "has no remote_hosts",
    ("pjsip_wizard.conf", 7): "did you mean 'remote_hosts'",
    ("manager.conf", 3): "port cannot be understood",
    ("manager.conf", 5): "no secret",
    ("cli_aliases.conf", 2): "did you mean 'friendly'",
}


def test_every_mistake_is_told_with_its_file_and_line() -> None:
    found = {
        (str(Path(p.path).relative_to(MISTAKES)), p.line): p.message
        for p in check(MISTAKES)
        if p.level is not Level.NOTE
    }
    assert found.keys() == EXPECTED.keys()
    for place, words in EXPECTED.items():
        assert words in found[place]


def test_mistakes_are_told_in_file_order() -> None:
    places = [(Path(problem.path).name, problem.line) for problem in check(MISTAKES)]
    files = list(dict.fromkeys(name for name, _ in places))
    assert files[:2] == ["pjsip.conf", "north.conf"]
    for file in files:
        numbers = [line for name, line in places if name == file]
        assert numbers == sorted(numbers)


def test_report_reads_as_before(golden: Golden) -> None:
    problems = check(MISTAKES.relative_to(PROJECT) if Path.cwd() == PROJECT else MISTAKES)
    text = "".join(f"{p.path}:{p.line}: {p.level.value}: {p.message}\n" for p in problems)
    golden.check(
        FIXTURES / "config" / "mistakes.txt", re.sub(r"(\S*/)?fixtures/config/mistakes/", "", text)
    )


def problems(tmp_path: Path, text: str) -> list[tuple[int, Level]]:
    (tmp_path / "pjsip.conf").write_text(text, encoding="utf-8")
    found = [problem for problem in check(tmp_path) if problem.level is not Level.NOTE]
    return [(problem.line, problem.level) for problem in found]


CLEAN = """
[udp]
type = transport
bind = 0.0.0.0
[trunk](!)
type = registration
server_uri = sip:r.example.net\\;x=y
outbound_proxy = sip:p.example.net\\;lr   ; loose
line = YES
endpoint = e
max_retries = 3
contact_user = a
expiration = 0x10
[a](trunk)
expiration = 0
expiration = 60
"""


def test_clean_configuration_has_no_problems(tmp_path: Path) -> None:
    text = CLEAN.replace("expiration = 0\n", "client_uri = sip:a@r\n")
    assert problems(tmp_path, text + "[a]\ntype = auth\nusername = u\npassword = p\n") == []


@pytest.mark.parametrize(
    "text",
    [
        "password = hunter2\n",
        "[a]\npassword hunter2\n",
        "[a]\n= hunter2\n",
        "[a]\ntype=auth\nusername=u\npassword=x;hunter2\n",
        "[a]\ntype=auth\nusername=u\nnonce_lifetime=x\npassword=hunter2\n",
        "[a]\ntype=auth\nusername=u\nmd5_cred=hunter2\n",
        "[a]\ntype=auth\nusername=u\npassword_digest=MD5:hunter2\n",
        "[a]\ntype=registration\npassword=hunter2\n",
        "[a]\ntype=auth\nusername=u\npassword=x\nhunter2==\n",
        "[a]\ntype=auth\nusername=u\npassword=${hunter2}\n",
    ],
)
def test_secrets_are_never_repeated(tmp_path: Path, text: str) -> None:
    (tmp_path / "pjsip.conf").write_text(text, encoding="utf-8")
    found = check(tmp_path)
    assert found
    assert "hunter2" not in str(found)


def test_what_a_template_says_is_told_once(tmp_path: Path) -> None:
    text = "[t](!)\ntype=auth\nnonce_lifetime=010\nusername=u\npassword=p\n[a](t)\n[b](t)\n"
    assert problems(tmp_path, text) == [(3, Level.WARNING)]


def test_overriding_a_template_is_no_mistake(tmp_path: Path) -> None:
    text = "[t](!)\ntype=auth\nusername=u\npassword=p\n[a](t)\nusername=v\n"
    assert problems(tmp_path, text) == []


def test_missing_configuration_is_one_error(tmp_path: Path) -> None:
    (problem,) = check(tmp_path / "nothere")
    assert problem.level is Level.ERROR
    assert problem.path.endswith("nothere")


@pytest.mark.parametrize("seed", range(8))
def test_check_survives_cut_files(tmp_path: Path, seed: int) -> None:
    folder = tmp_path / "c"
    shutil.copytree(MISTAKES, folder)
    for number, file in enumerate(sorted(folder.rglob("*.conf"))):
        text = file.read_bytes()
        file.write_bytes(text[(seed * 37 + number) % len(text) :])
    assert check(folder)
