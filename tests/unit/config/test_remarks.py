"""What Asterisk takes without a word, and what people then trip over."""

from __future__ import annotations

from pathlib import Path

import pytest

from pjreg_cli.config.check import check

UDP = "[udp]\ntype=transport\nprotocol=udp\nbind=127.0.0.1\n"
SERVER = "server_uri=sip:r.example\n"


def registration(*options: str, server: str = SERVER) -> str:
    lines = "".join(f"{option}\n" for option in options)
    return f"[r]\ntype=registration\n{server}client_uri=sip:u@r.example\n{lines}"


def told(tmp_path: Path, text: str, **others: str) -> list[str]:
    """`file:line: level: message` of each problem."""
    (tmp_path / "pjsip.conf").write_text(UDP + text, "utf-8")
    for name, content in others.items():
        (tmp_path / f"{name}.conf").write_text(content, "utf-8")
    return [f"{Path(p.path).name}:{p.line}: {p.level.value}: {p.message}" for p in check(tmp_path)]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (registration("contact_user=u", "max_retries=0"), 5, "`max_retries = forever`"),
        (registration(), 5, "note: [r] there is no contact_user"),
        (registration(), 5, "`contact_user = u`"),
        (registration("contact_user=u", server="server_uri=sip:x@r.example\n"), 5, "has a user"),
        (registration("user_agent=${AGENT:-x}"), 9, "'${AGENT:-x}' is not expanded"),
        (registration("contact_user={{ .User }}"), 9, "is not expanded"),
        (registration("transport=nothere"), 9, "there is no transport 'nothere'"),
        ("[registration]\nmax_retries=0\n", 5, "'(!)' behind it"),
        ("[a]\ntype=auth\nusername=u\npassword=Secret;12#3\n", 8, "ends at a ';'"),
        ("[a]\ntype=auth\nusername=u\npassword=abc;1\n", 8, "ends at a ';'"),
        ("[a]\ntype=auth\nusername=u\npassword=abc;#\n", 8, "ends at a ';'"),
        ("[a]\ntype=auth\nusername=u;v\npassword=p\n", 7, "';v' is a comment"),
        ("[a]\ntype=auth\nusername=u\npassword=\n", 8, "`password = x`"),
        ("[a]\ntype=auth\nusername=u\npassword=${P}\n", 8, "'${...}' is not expanded"),
        ("[global]\ntype=global\ndefault_realm=x\n", 7, "note: default_realm has no effect here"),
        ("[system]\ntype=system\ntaskpool_max_size=9\n", 7, "note: taskpool_max_size has no"),
        (
            "[t]\ntype=transport\nprotocol=tcp\nbind=127.0.0.1\nexternal_signaling_address=a:b c\n",
            9,
            "neither address nor host name",
        ),
    ],
)
def test_what_bites_people_is_told_at_its_line(
    tmp_path: Path, text: str, line: int, words: str
) -> None:
    found = [one for one in told(tmp_path, text) if one.startswith(f"pjsip.conf:{line}: ")]
    assert any(words in one for one in found), found


@pytest.mark.parametrize(
    "text",
    [
        registration("contact_user=u", "max_retries=forever"),
        registration("contact_user=u", "retry_interval=5;five"),
        "[a]\ntype=auth\nusername=u\npassword=abc ;comment\n",
        "[a]\ntype=auth\nusername=u\npassword=abc\\;1\n",
        "[e]\ntype=endpoint\nset_var=A=${B}\n",
        "[t]\ntype=transport\nprotocol=flow\n",
        "[t]\ntype=transport\nprotocol=tcp\nbind=127.0.0.1\nexternal_signaling_address=a.b\n",
    ],
)
def test_what_is_right_is_not_remarked(tmp_path: Path, text: str) -> None:
    assert told(tmp_path, text) == []


def test_wizards_that_lead_nowhere_are_told(tmp_path: Path) -> None:
    wizards = (
        "[a]\ntype=wizard\nsends_registrations=yes\n"
        "[b]\ntype=wizard\ntransport=nothere\nremote_hosts=x\n"
        "[c]\ntype=wizard\n"
    )
    found = told(tmp_path, "", pjsip_wizard=wizards)
    places = [(one.split(": ")[0], one.split(": ")[1]) for one in found]
    assert places == [
        ("pjsip_wizard.conf:3", "error"),
        ("pjsip_wizard.conf:6", "warning"),
        ("pjsip_wizard.conf:8", "warning"),
    ]


def test_what_a_file_beside_says_in_vain_is_noted(tmp_path: Path) -> None:
    manager = "[general]\nenabled=no\nwebenabled=yes\nhttptimeout=9\n"
    found = told(tmp_path, "", manager=manager, statsd="[general]\nmeter_support=no\n")
    assert sorted(one.split(": ", 2)[0] for one in found) == [
        "manager.conf:3", "manager.conf:4", "statsd.conf:2",
    ]  # fmt: skip
    assert all(": note: " in one for one in found)
