"""What works and is careless."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pjreg_cli.config.load import load
from pjreg_cli.config.security_warnings import careless, is_open
from tests.support.certificates import self_signed

ACCOUNT = """\
[a]
type=auth
username=alice
password=secret
"""


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder that everybody may enter."""
    with tempfile.TemporaryDirectory(prefix="pjreg-") as folder:
        os.chmod(folder, 0o755)
        yield Path(folder)


def told(path: Path) -> list[str]:
    return [problem.message for problem in careless(load(path), datetime.now(tz=UTC))]


def write(path: Path, text: str, mode: int = 0o644) -> Path:
    path.write_text(text)
    path.chmod(mode)
    return path


@pytest.mark.parametrize(("mode", "word"), [(0o644, "chmod o-r"), (0o640, ""), (0o600, "")])
def test_passwords_that_everybody_can_read(public: Path, mode: int, word: str) -> None:
    path = write(public / "pjsip.conf", ACCOUNT, mode)
    found = told(path)
    assert bool(found) is bool(word)
    assert all("the password of [a]" in message and "secret" not in message for message in found)
    write(path, "[udp]\ntype=transport\nbind=127.0.0.1\n")
    assert told(path) == []


def test_a_password_is_looked_for_where_it_is(public: Path) -> None:
    write(public / "pjsip.conf", "[a]\ntype=auth\nusername=a\n#tryinclude more.conf\n")
    write(public / "more.conf", "[a](+)\npassword_file=a.secret\n")
    kept = write(public / "a.secret", "secret\n")
    assert told(public) == [
        f"everybody on this host can read the password of [a]: chmod o-r {kept}"
    ]
    kept.chmod(0o600)
    assert told(public) == []


@pytest.mark.parametrize(
    ("name", "text", "holder"),
    [
        ("prometheus.conf", "[general]\nauth_password=secret\n", "the password of metrics"),
        ("res_pgsql.conf", "[general]\npassword=secret\n", "the password of the database"),
        ("pjreg.conf", "[database]\nurl=postgresql://a:b@h/x\n", "the password of the database"),
        ("pjreg.conf", "[database]\nurl=host=h password = b\n", "the password of the database"),
        ("pjreg.conf", "[database]\nurl=postgresql://a@h/x\n", ""),
    ],
)
def test_passwords_of_other_files(public: Path, name: str, text: str, holder: str) -> None:
    write(public / "pjsip.conf", "")
    tables = "registration = realtime,ps_registrations"
    write(public / "sorcery.conf", f"[res_pjsip_outbound_registration]\n{tables}\n")
    write(public / "extconfig.conf", "[settings]\nps_registrations => pgsql,a\n")
    path = write(public / name, text)
    wanted = [f"everybody on this host can read {holder}: chmod o-r {path}"] if holder else []
    assert told(public) == wanted


def test_a_key_that_everybody_can_read(public: Path) -> None:
    made = self_signed(public, "tls", "IP:127.0.0.1")
    text = "[t]\ntype=transport\nprotocol=tls\nbind=127.0.0.1\nverify_server=yes\n"
    text += f"cert_file={made.certificate}\npriv_key_file={made.key}\n"
    path = write(public / "pjsip.conf", text)
    made.key.chmod(0o644)
    assert any(f"the key of [t]: chmod o-r {made.key}" in message for message in told(path))
    made.key.chmod(0o600)
    assert not any("the key of" in message for message in told(path))


def test_a_folder_that_nobody_may_enter_is_enough(public: Path) -> None:
    path = write(public / "pjsip.conf", ACCOUNT)
    assert is_open(str(path))
    public.chmod(0o700)
    assert not is_open(str(path))
    assert not is_open(str(public / "none"))


def test_tls_that_trusts_everybody_or_ends_soon(tmp_path: Path) -> None:
    made = self_signed(tmp_path, "cert", "IP:127.0.0.1")
    path = write(
        tmp_path / "pjsip.conf",
        f"[tls]\ntype=transport\nprotocol=tls\nbind=127.0.0.1\ncert_file={made.certificate}\n"
        f"priv_key_file={made.key}\n",
    )
    first, second = told(path)
    assert "verify_server=no" in first
    assert f"the certificate in {made.certificate} ends on" in second
