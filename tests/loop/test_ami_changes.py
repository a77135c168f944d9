"""Registrations added, changed and removed over the manager interface."""

from __future__ import annotations

from tests.support.ami_client import account, house, settings
from tests.support.ami_port import FakeInstance

URI = "server_uri=sip:a.example"


async def test_changes_reach_the_instance_with_who_asked() -> None:
    fake = FakeInstance()
    async with house(fake) as running:
        client = await running.user(Events="off")
        assert dict(await client.ask("PjregAdd", Registration="a", Variable=URI)) == {
            "Response": "Success",
            "Message": "Registration added",
        }
        assert (
            dict(await client.ask("PjregSet", Registration="a", Variable="expiration=9"))["Message"]
            == "Registration changed"
        )
        assert dict(await client.ask("PjregRemove", Registration="a"))["Response"] == "Success"
        refused = dict(await client.ask("PjregAdd", Registration="refused", Variable=URI))
        assert refused == {"Response": "Error", "Message": "there is no such option"}
        missing = dict(await client.ask("PjregAdd", Variable=URI))
        assert missing["Message"] == "Registration parameter missing."
        wrong = dict(await client.ask("PjregSet", Registration="a", Variable="expiration"))
        assert wrong["Message"] == "Variable is key=value."
    assert fake.instance.changes == [
        ("add", "a", {"server_uri": "sip:a.example"}, "manager user admin"),
        ("set", "a", {"expiration": "9"}, "manager user admin"),
        ("remove", "a", {}, "manager user admin"),
    ]


async def test_only_those_who_may_configure_may_change() -> None:
    fake = FakeInstance()
    async with house(fake, settings(account("reporter", write=("system", "reporting")))) as running:
        client = await running.user("reporter", Events="off")
        told = dict(await client.ask("PjregAdd", Registration="a", Variable=URI))
    assert told["Message"] == "Permission denied"
    assert fake.instance.changes == []
