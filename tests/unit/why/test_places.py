from __future__ import annotations

from pathlib import Path

from pjreg_cli.api.findings import Fix
from pjreg_cli.why.places import located, option_line
from tests.support.fake_port import finding

FILE = """\
[base](!)
max_retries = 5

[common](!,base)
expiration = 60
[alice](common)
type = registration
outbound_auth = a
outbound_auth => b
[wizard]
outbound_auth/password = x
""".splitlines()


def test_the_last_line_that_sets_an_option() -> None:
    assert option_line(FILE, 6, "outbound_auth") == 9


def test_templates_set_options_too() -> None:
    assert option_line(FILE, 6, "expiration") == 5
    assert option_line(FILE, 6, "max_retries") == 2


def test_an_option_of_a_table_is_a_column() -> None:
    fix = located(
        finding(
            "x", fix=(Fix("p", "password", "ps_auths[a:1]"), Fix("all of it", "", "ps_auths[a]"))
        )
    ).fix
    assert [one.where for one in fix] == ["ps_auths[a:1].password", "ps_auths[a]"]


def test_what_a_wizard_sets() -> None:
    assert option_line(FILE, 10, "password") == 11


def test_what_is_set_nowhere() -> None:
    assert option_line(FILE, 6, "retry_interval") == 0
    assert option_line(FILE, 99, "retry_interval") == 0


def test_fixes_lead_to_the_option_else_to_the_section(tmp_path: Path) -> None:
    path = tmp_path / "pjsip.conf"
    path.write_text("\n".join(FILE), "utf-8")
    fixes = (
        Fix("x", "expiration", f"{path}:6"),
        Fix("x", "retry_interval", f"{path}:6"),
        Fix("x", "expiration", f"{tmp_path}/none.conf:6"),
        Fix("theirs"),
    )
    shown = located(finding("alice", "silent", fix=fixes)).fix
    assert [fix.where for fix in shown] == [f"{path}:5", f"{path}:6", f"{tmp_path}/none.conf:6", ""]
