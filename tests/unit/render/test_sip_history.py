"""The history of SIP messages."""

from __future__ import annotations

from pjreg_cli.api.tracing import HistoryEntry
from pjreg_cli.render.sip_history import entry, table

TEXT = "SIP/2.0 200 \x1b[2JOK\r\nA: b\r\n\r\nbody"


def one(text: str = TEXT) -> HistoryEntry:
    return HistoryEntry(12, 1785585600.9, False, "192.0.2.1:5060", "REGISTER", "x", text)


def test_row_has_the_first_line_and_whole_seconds() -> None:
    assert list(table([one()]))[1] == (
        "00012 1785585600 * <== 192.0.2.1:5060           SIP/2.0 200 \\x1b[2JOK\n"
    )


def test_entry_ends_with_an_empty_line_and_shows_no_control_characters() -> None:
    assert entry(one()) == [
        "<--- History Entry 12 Received from 192.0.2.1:5060 at 1785585600 --->\n"
        "SIP/2.0 200 \\x1b[2JOK\nA: b\n\nbody\n\n"
    ]


def test_long_addresses_push_the_message_to_the_right() -> None:
    long = one()._replace(address="[2001:db8:1111:2222:3333:4444:5555:6666]:5060", sent=True)
    assert "==> [2001:db8:1111:2222:3333:4444:5555:6666]:5060 SIP/2.0" in list(table([long]))[1]


def test_empty_history_has_its_head() -> None:
    assert "".join(table([])).count("\n") == 2
