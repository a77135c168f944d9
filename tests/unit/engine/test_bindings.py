"""What a registrar may hold of ours."""

from __future__ import annotations

from pjreg_cli.engine.bindings import Binding, bound, doubt
from pjreg_cli.engine.entry import Entry
from pjreg_cli.registration.request import Template
from pjreg_cli.sip.address import Address
from tests.support.registrations import entry

NOW = 1000.0


def template(made: Entry, host: str) -> Template:
    """What `made` offers from the address `host`."""
    address = Address(host, 5060)
    return Template(
        made.settings,
        "",
        call_id="c",
        line="",
        protocol="udp",
        sent_by=address,
        contact=address,
    )


def granted(host: str, until_at: float = NOW + 60) -> Binding:
    return Binding(f"sip:s@{host}:5060", 60, until_at - 60)


def test_nothing_is_named_that_goes_without_saying() -> None:
    made = entry()
    assert bound(made, template(made, "192.0.2.1"), 60, NOW) == ()
    made.binding = granted("192.0.2.1")
    assert bound(made, template(made, "192.0.2.1"), 60, NOW) == ()
    assert bound(made, template(made, "192.0.2.1"), 0, NOW) == ()


def test_another_contact_names_the_old_one_while_it_lasts() -> None:
    made = entry()
    made.binding = granted("192.0.2.1")
    now_here = template(made, "192.0.2.2")
    assert bound(made, now_here, 60, NOW) == ("sip:s@192.0.2.1:5060",)
    assert bound(made, now_here, 60, NOW + 60) == ()
    assert bound(made, now_here, 0, NOW + 60) == ("sip:s@192.0.2.1:5060",), "better once too often"


def test_what_was_not_answered_is_remembered_once_and_bounded() -> None:
    made = entry()
    made.binding = granted("192.0.2.1")
    doubt(made, template(made, "192.0.2.1"), 60, NOW)
    assert not made.strays
    for number in (2, 2, 3, 4, 5, 6):
        doubt(made, template(made, f"192.0.2.{number}"), 60, NOW)
    assert [one.contact for one in made.strays] == [f"sip:s@192.0.2.{n}:5060" for n in (3, 4, 5, 6)]
    assert bound(made, template(made, "192.0.2.6"), 0, NOW)[0] == "sip:s@192.0.2.1:5060"
    assert len(bound(made, template(made, "192.0.2.6"), 0, NOW)) == 5
