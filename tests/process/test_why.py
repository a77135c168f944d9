"""`pjreg explain` as an operator sees it: of an instance, of a configuration alone, as JSON."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.instance import run
from tests.support.ports import free_port
from tests.support.waiting import becomes, running_instance

CONFIGURATION = """\
[udp]
type = transport
protocol = udp
bind = 127.0.0.1:{port}

[alice]
type = registration
server_uri = sip:127.0.0.1:{registrar}
client_uri = sip:alice@127.0.0.1
max_random_initial_delay = 0
"""


def configuration() -> str:
    """A registrar at which nobody listens."""
    return CONFIGURATION.format(port=free_port(), registrar=free_port())


def test_a_running_instance_tells_why(home: Path) -> None:
    with running_instance(home, configuration()) as instance:
        becomes(instance, "alice", "Rejected", 60)
        done = instance.ask("pjreg explain alice")
        assert done.status == 0
        assert done.out.startswith("alice is Rejected since ")
        assert "\n! failed      refused" in done.out
        assert "\n  next        attempt in " in done.out
        assert "server_uri, if they are wrong, pjsip.conf:8\n" in done.out
        assert max(map(len, done.out.splitlines())) <= 80
        found = json.loads(instance.ask("pjreg explain alice", "--json").out)
        assert found["cause"] == "refused"
        assert found["fix"][0]["option"] == "server_uri"
        assert found["fix"][0]["where"].endswith("pjsip.conf:8")
        rows = json.loads(instance.ask("pjreg status --sort trouble", "--json").out)
        assert [row["cause"] for row in rows] == ["refused"]


def test_without_an_instance_the_configuration_is_judged(home: Path) -> None:
    (home / "pjsip.conf").write_text(configuration(), "utf-8")
    done = run("-C", str(home), "pjreg", "explain", "alice", home=home)
    assert done.status == 0
    assert done.out.startswith("alice is Unregistered: no instance runs")
    done = run("-C", str(home), "pjreg", "explain", "alcie", home=home)
    assert done.status == 1
    assert "there is no registration of this name; there is alice" in " ".join(done.out.split())
