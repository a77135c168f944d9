"""When certificates end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from pjreg_cli.config.validity import ending, ends_at
from tests.support.certificates import self_signed

_PEM = """\
-----BEGIN CERTIFICATE-----
MIIBbTCCAROgAwIBAgIUA92cDBFcYLiPJhEEdkZTRePmpzswCgYIKoZIzj0EAwIw
DDEKMAgGA1UEAwwBeDAeFw0yNjExMjUyMzMyNTNaFw0zNjExMjIyMzMyNTNaMAwx
CjAIBgNVBAMMAXgwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAATSfTJJ4dHIIqLc
/oqI9jkCFlUCiQR8nphlv5aN8z/kG50YrvlkAQ/3dbDGEbq00xKIghD48Z0YOecG
C0fZXGc+o1MwUTAdBgNVHQ4EFgQUnKG64Olvc2RQiJcwEkyyqAD5z0YwHwYDVR0j
BBgwFoAUnKG64Olvc2RQiJcwEkyyqAD5z0YwDwYDVR0TAQH/BAUwAwEB/zAKBggq
hkjOPQQDAgNIADBFAiBBAffKmuOa8sC9qCeF90nExAgljHR7onyutut5GLDSdgIh
AIlUrnNl1Z21AeUv9OKJANc2jPchUOkkEXdqoiuOgZxZ
-----END CERTIFICATE-----
"""


def test_who_ends_soon_is_told(tmp_path: Path) -> None:
    made = self_signed(tmp_path, "cert", "IP:127.0.0.1").certificate
    now = datetime.now(tz=UTC)
    assert f"the certificate in {made} ends on " in ending(str(made), now)
    assert "has ended on" in ending(str(made), now + timedelta(days=3))
    assert ending(str(made), now - timedelta(days=29)) == ""
    assert ending(str(tmp_path / "none"), now) == ending("", now) == ""


def test_when_a_certificate_ends(tmp_path: Path) -> None:
    made = self_signed(tmp_path, "cert", "IP:127.0.0.1").certificate.read_text()
    found = ends_at("some words before\n" + made + made)
    assert found is not None
    left = found - datetime.now(tz=UTC)
    assert timedelta(days=1, hours=23) < left <= timedelta(days=2)


@given(st.one_of(st.text(), st.binary().map(lambda data: data.hex())))
def test_what_is_no_certificate_has_no_end(text: str) -> None:
    head, tail = "-----BEGIN CERTIFICATE-----\n", "\n-----END CERTIFICATE-----"
    assert ends_at(text) is None
    assert ends_at(head + text + tail) is None


@given(st.integers(0, 600), st.integers(0, 255))
def test_a_damaged_certificate_is_no_surprise(at: int, byte: int) -> None:
    lines = _PEM.splitlines()
    body = bytearray("".join(lines[1:-1]), "ascii")
    body[at % len(body)] = byte
    text = "\n".join([lines[0], body.decode("latin-1"), lines[-1]])
    found = ends_at(text)
    assert found is None or isinstance(found, datetime)
