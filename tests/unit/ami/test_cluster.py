"""A fleet as a manager sees it."""

from __future__ import annotations

from pjreg_cli.ami.cluster import fields, whole
from tests.unit.commands.test_cluster import VIEW


def test_machines_have_their_numbers_as_text() -> None:
    alive, ended = (dict(fields(machine)) for machine in VIEW.machines)
    assert (alive["Instance"], alive["Shards"], alive["Registered"]) == ("sip-1", "128", "500")
    assert (ended["State"], ended["EndedBy"], ended["LastBeat"]) == ("fenced", "sip-1", "14.0")


def test_who_is_asked_without_being_in_it_says_nothing_of_itself() -> None:
    told = dict(whole(VIEW))
    assert (told["ListItems"], told["Unowned"], told["LeaseTrust"]) == ("2", "0", "4.6")
    assert "LeaseTrust" not in dict(whole(VIEW._replace(this=None)))
