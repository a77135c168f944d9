"""What programs made for Asterisk ask whatever it is used for."""

from __future__ import annotations

import pytest

from tests.support.ami_client import account, house, settings
from tests.support.ami_port import FakeInstance, settled


@pytest.mark.parametrize(
    ("action", "message", "complete", "more"),
    [
        ("CoreShowChannels", "Channels will follow", "CoreShowChannelsComplete", []),
        ("Status", "Channel status will follow", "StatusComplete", [("Items", "0")]),
    ],
)
async def test_lists_of_channels_are_empty(
    action: str, message: str, complete: str, more: list[tuple[str, str]]
) -> None:
    async with house() as running:
        client = await running.user(Events="off")
        first, last = await client.listed(action, ActionID="9")
        assert first == [
            ("Response", "Success"),
            ("ActionID", "9"),
            ("EventList", "start"),
            ("Message", message),
        ]
        assert last == [
            ("Event", complete),
            ("ActionID", "9"),
            ("EventList", "Complete"),
            ("ListItems", "0"),
            *more,
        ]


async def test_event_of_a_user_reaches_those_who_may_see_it() -> None:
    users = settings(account(), account("blind", read=("system",)))
    async with house(None, users) as running:
        client = await running.user()
        blind = await running.user("blind")
        sent = await client.ask("UserEvent", UserEvent="Backup", Host="a", ActionID="1")
        assert ("Message", "Event Sent") in sent
        event = dict(await client.message())
        assert (event["Event"], event["UserEvent"], event["Host"]) == ("UserEvent", "Backup", "a")
        assert event["Privilege"] == "user,all"
        assert dict(await blind.ask("Ping"))["Ping"] == "Pong"
        assert dict(await client.ask("UserEvent"))["Response"] == "Error"


async def test_filter_counts_for_one_session() -> None:
    fake = FakeInstance()
    async with house(fake) as running:
        one, other = await running.user(), await running.user()
        added = await one.ask("Filter", Operation="Add", Filter="Status: Rejected")
        assert ("Message", "Filter added successfully") in added
        fake.notices.tell(settled("alice", "Registered"))
        fake.notices.tell(settled("bob", "Rejected"))
        assert dict(await one.message())["Status"] == "Rejected"
        assert dict(await other.message())["Status"] == "Registered"
        for fields in ({"Filter": "("}, {"Filter": ""}):
            assert dict(await one.ask("Filter", Operation="Add", **fields))["Response"] == "Error"
        assert dict(await one.ask("Filter", Operation="Drop"))["Message"] == "Unknown operation"
