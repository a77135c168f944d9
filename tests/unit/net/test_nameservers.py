"""Which name servers the system names."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from pjreg_cli.net import nameservers


def test_the_addresses_of_a_resolv_conf_are_read_in_order(tmp_path: Path) -> None:
    path = tmp_path / "resolv.conf"
    path.write_bytes(
        b"# nameserver 192.0.2.1\n; nameserver 192.0.2.2\nsearch example.com\n\n"
        b"nameserver 192.0.2.3\n  nameserver\t2001:db8::1 # the other one\n"
        b"nameserver\nnameserver \xff\nnameserver dns.example.com\noptions ndots:1\n"
    )
    assert nameservers._system(str(path)) == ["192.0.2.3", "2001:db8::1"]
    assert nameservers._system(str(tmp_path / "none")) == []


def test_a_question_does_not_load_what_only_a_resolver_of_the_library_needs() -> None:
    code = "import sys, pjreg_cli.net.dns_client; print([*sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "dns.message" in done.stdout
    assert "dns.resolver" not in done.stdout
    assert "dns.quic" not in done.stdout
