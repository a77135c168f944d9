"""Sessions of the manager interface on real sockets."""

from __future__ import annotations

import asyncio

import pytest

from pjreg_cli.ami.session import INBOX_LIMIT, PIECE, Session
from pjreg_cli.api.notices import Ownership, Reloaded, Stopping
from pjreg_cli.dialects import TWELVE
from tests.support.ami_client import Block, Client, account, house, settings
from tests.support.ami_port import FakeInstance, auth_view, settled, view


def error(message: str, *fields: tuple[str, str]) -> Block:
    return [("Response", "Error"), *fields, ("Message", message)]


def success(message: str, *fields: tuple[str, str]) -> Block:
    return [("Response", "Success"), *fields, ("Message", message)]


REGISTERED = [
    ("Event", "Registry"),
    ("Privilege", "system,all"),
    ("ChannelType", "PJSIP"),
    ("Username", "sip:alice@127.0.0.1"),
    ("Domain", "sip:127.0.0.1:5060"),
    ("Status", "Registered"),
]


# -- coming and going -------------------------------------------------------------------------


async def test_banner_names_the_protocol() -> None:
    async with house() as running:
        client = await running.connect()
        assert client.banner == b"Asterisk Call Manager/13.0.0\r\n"


async def test_login_is_greeted_with_fully_booted() -> None:
    async with house() as running:
        client = await running.connect()
        assert await client.ask("Login", Username="ADMIN", Secret="s3cret") == success(
            "Authentication accepted"
        )
        assert await client.message() == [
            ("Event", "FullyBooted"),
            ("Privilege", "system,all"),
            ("Uptime", "200"),
            ("LastReload", "100"),
            ("Status", "Fully Booted"),
        ]
        assert await client.ask("login", username="x") == success("Already authenticated")


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"Username": "admin"},
        {"Username": "admin", "Secret": "wrong"},
        {"Username": "admin", "Secret": "S3CRET"},
        {"Username": "nobody", "Secret": "s3cret"},
        {"Username": "mute"},
        {"Username": "mute", "Secret": ""},
        {"Username": "far", "Secret": "s3cret"},
        {"Username": "admin", "AuthType": "MD5", "Key": "d41d8cd98f00b204e9800998ecf8427e"},
    ],
)
async def test_wrong_login_is_refused_late_and_closed(fields: dict[str, str]) -> None:
    users = (account(), account("mute", ""), account("far", rules=[(False, "127.0.0.0/8")]))
    async with house(manager=settings(*users)) as running:
        client = await running.connect()
        answer = await client.ask("Login", ActionID="1", **fields)
        assert answer == error("Authentication failed", ("ActionID", "1"))
        assert await client.at_end() == b""
        assert running.clock.waits == [1.0]


async def test_login_by_challenge() -> None:
    async with house() as running:
        client = await running.connect()
        assert await client.ask("Challenge") == error("Must specify AuthType")
        assert (await client.login_md5())[0] == ("Response", "Success")
        other = await running.connect()
        assert await other.login_md5(secret="wrong") == error("Authentication failed")


async def test_guessing_is_put_off_more_and_more() -> None:
    async with house() as running:
        for _ in range(8):
            client = await running.connect()
            await client.ask("Login", Username="admin", Secret="wrong")
        assert running.clock.waits == [1.0] * 5 + [1.0, 1.0, 2.0, 1.0, 4.0, 1.0]
        running.clock.waits.clear()
        await running.user()
        assert running.clock.waits == [8.0]
        running.clock.now += 61
        running.clock.waits.clear()
        await running.user()
        assert running.clock.waits == []


async def test_nothing_but_coming_and_going_before_login() -> None:
    async with house() as running:
        client = await running.connect()
        assert await client.ask("Ping") == error("Permission denied")
        assert await client.ask("NoSuchAction") == error("Permission denied")
        assert await client.ask("Logoff", ActionID="x") == [
            ("Response", "Goodbye"),
            ("ActionID", "x"),
            ("Message", "Thanks for all the fish."),
        ]
        assert await client.at_end() == b""


async def test_session_that_does_not_log_in_is_closed() -> None:
    async with house(manager=settings(authtimeout=1)) as running:
        client = await running.connect()
        user = await running.user()
        assert await client.at_end() == b""
        assert dict(await user.ask("Ping"))["Ping"] == "Pong"


async def test_connections_beyond_authlimit_are_refused() -> None:
    async with house(manager=settings(authlimit=2)) as running:
        waiting = [await running.connect() for _ in range(2)]
        reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await reader.readexactly(1)
        writer.close()
        await waiting[0].login()
        await running.user()


async def test_second_login_is_refused_without_allowmultiplelogin() -> None:
    users = settings(account(allowmultiplelogin=False))
    async with house(manager=users) as running:
        first = await running.user()
        second = await running.connect()
        assert await second.login_md5() == error("Login Already In Use")
        assert await second.at_end() == b""
        await first.ask("Logoff")
        await first.at_end()
        await running.user()


async def test_half_closed_connection_is_still_answered() -> None:
    async with house() as running:
        client = await running.connect()
        client.send(("Action", "Login"), ("Username", "admin"), ("Secret", "s3cret"))
        client.send(("Action", "Ping"), ("ActionID", "p"))
        client.writer.write_eof()
        assert b"ActionID: p\r\nPing: Pong" in await client.at_end()


# -- messages ---------------------------------------------------------------------------------


async def test_pipelined_actions_are_answered_in_order() -> None:
    async with house() as running:
        client = await running.user()
        data = b"".join(b"Action:Ping\nActionID:  %d \r\n\r\n" % number for number in range(300))
        client.writer.write(data)
        ids = [dict(await client.message())["ActionID"] for _ in range(300)]
        assert ids == [f"{number} " for number in range(300)]


async def test_messages_beyond_the_limits_are_refused_and_the_next_one_answered() -> None:
    async with house() as running:
        client = await running.user()
        client.writer.write(b"Action: Ping\r\nX: " + b"x" * 100_000 + b"\r\n\r\n")
        assert await client.message() == error("Failed to parse message: line too long")
        client.writer.write(b"ActionID: 5\r\n" + b"X: y\r\n" * 200 + b"\r\n")
        assert await client.message() == error(
            "Too many lines in message or allocation failure", ("ActionID", "5")
        )
        assert dict(await client.ask("Ping"))["Ping"] == "Pong"


async def test_missing_and_unknown_actions() -> None:
    async with house() as running:
        client = await running.user()
        client.send(("ActionID", "44"))
        assert await client.message() == error("Missing action in request", ("ActionID", "44"))
        assert await client.ask("Bogus") == error(
            "Invalid/unknown command: Bogus. Use Action: ListCommands to show available commands."
        )


async def test_action_id_never_splits_a_message() -> None:
    async with house() as running:
        client = await running.user()
        answer = await client.raw(b"Action: Ping\r\nActionID: a\rEvent: x\xff\x00\x85\r\n\r\n")
        lines = answer.split(b"\r\n")
        assert lines[:3] == [b"Response: Success", b"ActionID: aEvent: x\xff\x85", b"Ping: Pong"]
        assert answer.count(b"\n") == 5


# -- actions ----------------------------------------------------------------------------------


async def test_permissions_go_by_the_write_list() -> None:
    users = settings(
        account("reader", read=("system",), write=()),
        account("reporter", read=("reporting",), write=("reporting",)),
        account("caller", write=("call", "command")),
    )
    async with house(manager=users) as running:
        reader = await running.user("reader")
        reporter = await running.user("reporter")
        caller = await running.user("caller")
        denied = error("Permission denied")
        missing = error("Unable to retrieve registration entry\n")
        assert await reader.ask("PJSIPUnregister", Registration="x") == denied
        assert await reporter.ask("PJSIPUnregister", Registration="x") == missing
        assert await caller.ask("PJSIPUnregister", Registration="x") == denied
        assert await reporter.ask("Command", Command="x") == denied
        assert (await caller.ask("Command", Command="bogus"))[0] == ("Response", "Error")
        listed = dict(await reporter.ask("ListCommands"))
        assert "Command" not in listed
        assert listed["Ping"] == "Keepalive command.  (Priv: <none>)"
        assert listed["PJSIPRegister"] == (
            "Register an outbound registration.  (Priv: system,reporting,all)"
        )


async def test_register_and_unregister() -> None:
    fake = FakeInstance(view("alice"), view("idle", None))
    async with house(fake) as running:
        client = await running.user(Events="off")
        for action, done, queued in (
            ("PJSIPUnregister", "Unregistration sent", "Unregistrations queued."),
            ("PJSIPRegister", "Reregistration sent", "Reregistrations queued."),
        ):
            missing = error("Registration parameter missing.")
            absent = error("Unable to retrieve registration entry\n")
            assert await client.ask(action, Registration="alice") == success(done)
            assert await client.ask(action, Registration="*all") == success(queued)
            assert await client.ask(action, Registration="ALICE") == absent
            assert await client.ask(action, Registration="idle") == absent
            assert await client.ask(action, Registration="") == missing
            assert await client.ask(action) == missing
        assert fake.registrations.asked[:2] == ["unregister alice", "unregister *all"]


async def test_list_of_registrations_with_their_auth_sections() -> None:
    fake = FakeInstance(
        view("b", "Rejected", ("zz", "gone", "aa", "zz"), next_attempt_s=17),
        view("A"),
        view("c", None),
        auths=(auth_view("aa"), auth_view("zz", "u2")),
    )
    async with house(fake) as running:
        client = await running.user()
        first, *events, last = await client.listed("PJSIPShowRegistrationsOutbound", ActionID="7")
        assert first == [
            ("Response", "Success"),
            ("ActionID", "7"),
            ("EventList", "start"),
            ("Message", "Following are Events for each Outbound registration"),
        ]
        names = [(event[0][1], dict(event)["ObjectName"]) for event in events]
        assert names == [
            ("OutboundRegistrationDetail", "A"),
            ("OutboundRegistrationDetail", "b"),
            ("AuthDetail", "zz"),
            ("AuthDetail", "aa"),
            ("AuthDetail", "zz"),
            ("OutboundRegistrationDetail", "c"),
        ]
        assert all(event[1] == ("ActionID", "7") for event in events)
        assert events[1][-2:] == [("Status", "Rejected"), ("NextReg", "17")]
        assert "Status" not in dict(events[-1])
        assert last == [
            ("Event", "OutboundRegistrationDetailComplete"),
            ("ActionID", "7"),
            ("EventList", "Complete"),
            ("ListItems", "2"),
            ("Registered", "1"),
            ("NotRegistered", "1"),
        ]


async def test_list_of_auth_sections() -> None:
    async with house(FakeInstance(auths=(auth_view("a"),))) as running:
        client = await running.user()
        _first, event, last = await client.listed("PJSIPShowAuths")
        assert event[:3] == [("Event", "AuthList"), ("ObjectType", "auth"), ("ObjectName", "a")]
        assert dict(event)["Password"] == "********"
        assert last[-1] == ("ListItems", "1")
    async with house() as running:
        client = await running.user()
        assert await client.ask("PJSIPShowAuths") == error("No Auths found\n")


async def test_modules_are_reloaded_and_checked() -> None:
    fake = FakeInstance()
    module = "res_pjsip_outbound_registration"
    async with house(fake) as running:
        client = await running.user()
        assert await client.ask("Reload", Module=f"{module}.so") == success("Module Reloaded")
        assert await client.ask("Reload") == success("Module Reloaded")
        assert await client.ask("Reload", Module="nosuch.so") == error("No such module")
        load = {"LoadType": "reload", "Module": module}
        assert await client.ask("ModuleLoad", **load) == success("Module reloaded.")
        assert await client.ask("ModuleLoad", LoadType="reload") == success("All modules reloaded")
        assert await client.ask("ModuleLoad", LoadType="load") == error("Need module name")
        assert await client.ask("ModuleLoad", Module=module) == error(
            "Incomplete ModuleLoad action."
        )
        assert await client.ask("ModuleCheck", Module=module) == [
            ("Response", "Success"),
            ("Version", ""),
        ]
        assert await client.ask("ModuleCheck", Module="chan_sip") == error("Module not loaded")
        assert fake.instance.reloads == [(f"{module}.so",), (), ("nosuch.so",), (module,), ()]


async def test_command_answers_line_by_line() -> None:
    async with house(FakeInstance(view("alice"))) as running:
        client = await running.user()
        answer = await client.ask("Command", ActionID="c", Command="pjsip show registrations")
        assert answer[:3] == success("Command output follows", ("ActionID", "c"))
        assert answer[3] == ("Output", "")
        assert answer[-2:] == [("Output", "Objects found: 1"), ("Output", "")]
        absent = await client.ask("Command", Command="pjsip show registration nope")
        assert absent[0] == ("Response", "Success")
        assert (await client.ask("Command", Command="bogus"))[0] == ("Response", "Error")
        assert await client.ask("Command") == error("No command provided")
        assert await client.ask("Command", Command="Module  Unload x") == error(
            "Command blacklisted"
        )


async def test_core_status_and_settings() -> None:
    async with house() as running:
        client = await running.user()
        assert [key for key, _ in await client.ask("CoreStatus")] == [
            "Response",
            "CoreStartupDate",
            "CoreStartupTime",
            "CoreReloadDate",
            "CoreReloadTime",
            "CoreCurrentCalls",
            "CoreProcessedCalls",
        ]
        shown = dict(await client.ask("CoreSettings"))
        assert (shown["AMIversion"], shown["AsteriskVersion"]) == ("13.0.0", "9.9")


# -- events -----------------------------------------------------------------------------------


async def test_registry_events_reach_whoever_may_read_system() -> None:
    fake = FakeInstance()
    users = settings(account("system", read=("call", "system")), account("call", read=("call",)))
    async with house(fake, users) as running:
        system, call = await running.user("system"), await running.user("call")
        fake.notices.tell(settled())
        fake.notices.tell(settled(word="Stopped"))
        assert await system.message() == REGISTERED
        assert dict(await system.message())["Status"] == "Unregistered"
        assert await call.synchronize() == []


async def test_masks_switch_events_off_and_on() -> None:
    fake = FakeInstance()
    async with house(fake) as running:
        client = await running.user(Events="off")
        fake.notices.tell(settled())
        assert await client.ask("Events", EventMask="call,system") == [
            ("Response", "Success"),
            ("Events", "On"),
        ]
        fake.notices.tell(settled("bob"))
        assert dict(await client.message())["Username"] == "sip:bob@127.0.0.1"
        answer = await client.ask("Events", EventMask="bogus")
        assert answer == [("Response", "Success"), ("Events", "Off")]
        assert await client.ask("Events") == error("Invalid event mask")
        fake.notices.tell(settled())
        assert await client.synchronize() == []


async def test_reload_and_shutdown_are_told() -> None:
    fake = FakeInstance()
    async with house(fake) as running:
        client = await running.user()
        fake.notices.tell(Reloaded("res_pjsip", True))
        assert (await client.message())[2:] == [("Module", "res_pjsip"), ("Status", "0")]
        fake.notices.tell(Stopping(restart=True))
        await running.server.close()
        assert await client.message() == [
            ("Event", "Shutdown"),
            ("Privilege", "system,all"),
            ("Shutdown", "Cleanly"),
            ("Restart", "True"),
        ]
        assert await client.at_end() == b""


async def test_detail_is_sent_only_to_those_who_ask() -> None:
    fake = FakeInstance()
    users = settings(
        account("plain"),
        account("registry", eventfilter=("Event: Registry",)),
        account("detail", eventfilter=("Event: RegistryDetail",)),
    )
    notice = settled(evidence_reason="Not\r\n\r\nEvent: Fake", evidence_code=403, attempts=3)
    async with house(fake, users) as running:
        clients = [await running.user(name) for name in ("plain", "registry", "detail")]
        fake.notices.tell(notice)
        fake.notices.tell(settled())
        assert (await clients[0].message())[0] == ("Event", "Registry")
        assert await clients[0].message() == REGISTERED
        assert (await clients[1].message())[0] == ("Event", "Registry")
        assert await clients[2].message() == [
            ("Event", "RegistryDetail"),
            ("Privilege", "system,all"),
            ("Registration", "alice"),
            ("Status", "Registered"),
            ("OldStatus", "Unregistered"),
            ("Response", "403"),
            ("Reason", "NotEvent: Fake"),
            ("Cause", "answered"),
            ("Attempt", "3"),
            ("NextAttempt", "3590"),
        ]
    async with house(fake, users, registry_detail=True) as running:
        client = await running.user("plain")
        fake.notices.tell(notice)
        await client.message()
        assert (await client.message())[0] == ("Event", "RegistryDetail")


async def test_ownership_in_a_fleet_is_told_only_to_those_who_ask() -> None:
    fake = FakeInstance()
    users = settings(
        account("plain"), account("owner", eventfilter=("eventfilter(name(PjregOwnership)) =",))
    )
    async with house(fake, users, registry_detail=True) as running:
        plain, owner = [await running.user(name) for name in ("plain", "owner")]
        fake.notices.tell(Ownership("Claimed", 86, 43_000))
        fake.notices.tell(settled())
        assert (await plain.message())[0] == ("Event", "Registry")
        assert await owner.message() == [
            ("Event", "PjregOwnership"),
            ("Privilege", "system,all"),
            ("Change", "Claimed"),
            ("Shards", "86"),
            ("Registrations", "43000"),
        ]


async def test_machines_of_a_fleet_are_listed_where_there_is_one() -> None:
    async with house(FakeInstance()) as running:
        client = await running.user("admin")
        refused = dict(await client.ask("PjregClusterShow"))
        assert refused["Response"] == "Error"
        assert refused["Message"] == "This is no machine of a fleet."


async def test_events_carry_a_timestamp_if_asked_for() -> None:
    fake = FakeInstance()
    async with house(fake, settings(timestampevents=True)) as running:
        client = await running.user()
        fake.notices.tell(settled())
        assert (await client.message())[2] == ("Timestamp", "1700000000.250000")


async def test_wait_event_gathers_what_happens() -> None:
    fake = FakeInstance()
    async with house(fake) as running:
        client = await running.user()
        client.send(("Action", "WaitEvent"), ("ActionID", "w"), ("Timeout", "9"))
        await (await running.user()).synchronize()  # by then the first session waits
        fake.notices.tell(settled())
        assert await client.message() == success("Waiting for Event completed.", ("ActionID", "w"))
        assert await client.message() == REGISTERED
        assert await client.message() == [("Event", "WaitEventComplete"), ("ActionID", "w")]


async def test_wait_event_ends_with_time_or_the_next_action() -> None:
    async with house() as running:
        client = await running.user()
        assert (await client.ask("WaitEvent", Timeout="0"))[0] == ("Response", "Success")
        assert await client.message() == [("Event", "WaitEventComplete")]
        client.send(("Action", "WaitEvent"))
        assert (await client.ask("Ping"))[1] == ("Message", "Waiting for Event completed.")
        await client.message()
        assert dict(await client.message())["Ping"] == "Pong"


async def test_suppressed_events_come_with_the_next_ones() -> None:
    fake = FakeInstance(view("alice"))
    async with house(fake) as running:
        client = await running.user()
        fields = {"Registration": "alice", "SuppressEvents": "yes"}
        assert (await client.ask("PJSIPUnregister", **fields))[0] == ("Response", "Success")
        events = await client.synchronize()
        assert len(events) <= 1
        while len(events) < 1:
            events.append(await client.message())
        assert dict(events[0])["Status"] == "Unregistered"


# -- strength ---------------------------------------------------------------------------------


async def test_client_that_does_not_read_is_closed_and_harms_nobody() -> None:
    fake = FakeInstance()
    async with house(fake) as running:
        deaf = await running.user()
        deaf.deafen()
        client = await running.user()
        notice = settled(client_uri="sip:" + "x" * 2000)
        for _ in range(30):
            for _ in range(200):
                fake.notices.tell(notice)
            for _ in range(200):
                await client.message()
            if len(running.server.sessions()) == 1:
                break
        assert len(running.server.sessions()) == 1
        assert dict(await client.ask("Ping"))["Ping"] == "Pong"


async def test_unread_list_is_not_made_further_and_closed_in_time() -> None:
    fake = FakeInstance(*(view(f"r{number}") for number in range(200)))
    made = 0

    def endless() -> object:
        nonlocal made
        while True:
            made += 1
            yield fake.registrations.found["r1"]

    fake.registrations.views = endless  # type: ignore[method-assign, assignment]
    async with house(fake) as running:
        deaf = await running.user()
        deaf.deafen()
        deaf.send(("Action", "PJSIPShowRegistrationsOutbound"))
        client = await running.user()
        async with asyncio.timeout(60):
            while len(running.server.sessions()) == 2:
                await client.ask("WaitEvent", Timeout="1")
                await client.message()
        assert 0 < made < 50_000


async def test_others_are_answered_during_a_long_list() -> None:
    fake = FakeInstance(*(view(f"r{number:05}") for number in range(10_000)))
    async with house(fake) as running:
        client, other = await running.user(), await running.user()
        client.send(("Action", "PJSIPShowRegistrationsOutbound"), ("ActionID", "long"))
        await client.message()
        answered = await other.ask("Ping")
        assert dict(answered)["Ping"] == "Pong"
        rest = await client.raw(b"", b"NotRegistered: 0\r\n\r\n")
        assert len(rest) > 1_000_000


async def test_hanging_up_amid_an_answer_is_no_matter() -> None:
    fake = FakeInstance(*(view(f"r{number:05}") for number in range(5000)))
    async with house(fake) as running:
        client = await running.user()
        client.send(("Action", "PJSIPShowRegistrationsOutbound"))
        await client.message()
        client.writer.transport.abort()
        other = await running.user()
        async with asyncio.timeout(5):
            while len(running.server.sessions()) > 1:
                await other.synchronize()


# -- settings ---------------------------------------------------------------------------------


async def test_dialect_of_asterisk_12() -> None:
    fake = FakeInstance(view("a", auths=("x",)), auths=(auth_view("x"),))
    async with house(fake, dialect=TWELVE) as running:
        client = await running.user()
        _first, event, last = await client.listed("PJSIPShowRegistrationsOutbound")
        assert [key for key, _ in event][:5] == [
            "Event",
            "ObjectType",
            "ObjectName",
            "SupportPath",
            "AuthRejectionPermanent",
        ]
        assert last == [
            ("Event", "OutboundRegistrationDetailComplete"),
            ("EventList", "Complete"),
            ("Registered", "1"),
            ("NotRegistered", "0"),
        ]


async def test_reload_keeps_sessions_whose_user_remains() -> None:
    async with house(manager=settings(account(), account("gone"))) as running:
        admin, gone = await running.user(), await running.user("gone")
        before = running.port
        await running.server.apply(settings(account(write=()), account("new")))
        assert await admin.ask("PJSIPUnregister") == error("Permission denied")
        assert await gone.at_end() == b""
        assert running.port == before
        await running.user("new")


async def test_reload_switches_detail_on() -> None:
    fake = FakeInstance()
    async with house(fake) as running:
        client = await running.user()
        await running.server.apply(settings(), True)
        fake.notices.tell(settled())
        assert (await client.message())[0] == ("Event", "Registry")
        assert (await client.message())[0] == ("Event", "RegistryDetail")


async def test_reload_moves_the_port_and_switches_off() -> None:
    async with house() as running:
        client = await running.user()
        before = running.port
        await running.server.apply(settings(bindaddr="127.0.0.2"))
        assert running.server.addresses[0][0] == "127.0.0.2"
        with pytest.raises(OSError, match="Connect"):
            await Client.connect(before)
        assert dict(await client.ask("Ping"))["Ping"] == "Pong"
        await running.server.apply(settings(enabled=False))
        assert await client.at_end() == b""
        assert running.server.addresses == ()


async def test_address_that_cannot_be_had_leaves_the_old_one_and_withholds_nothing_else() -> None:
    async with house() as running, house() as other:
        client = await running.user()
        before = running.port
        (why,) = await running.server.apply(settings(account(write=()), port=other.port))
        assert why.startswith(f"AMI cannot listen on 127.0.0.1:{other.port}: Addr")
        assert running.port == before
        assert dict(await client.ask("Ping"))["Ping"] == "Pong"
        assert await client.ask("PJSIPUnregister") == error("Permission denied")
        port = other.port
    async with house() as running:
        await running.server.apply(settings(port=port))
        assert running.port == port


async def test_console_sees_who_is_connected() -> None:
    async with house(manager=settings(account(rules=[(True, "127.0.0.0/8")]))) as running:
        await running.connect()
        await running.user()
        (session,) = running.server.sessions()
        assert (session.username, session.address) == ("admin", "127.0.0.1")
        assert (session.read, session.write) == (2147483647, 2147483647)
        assert session.fileno > 2
        (user,) = running.server.users()
        assert user.has_secret
        assert user.acl == ((True, "127.0.0.0/255.0.0.0"),)
        assert ("Manager (AMI):", "Yes") in running.server.settings()
        assert [each.name for each in running.server.actions()][:2] == ["Challenge", "Command"]


@pytest.mark.parametrize("unit", [b"\n", b"a:\n\n", b":\n" * 20 + b"\n"])
async def test_what_strangers_send_is_not_taken_apart_before_its_time(unit: bytes) -> None:
    session, wire = Session(never, nothing, nothing), Deaf()
    session.connection_made(wire)
    session.data_received(unit * (256 * 1024 // len(unit)))
    assert wire.paused
    assert session.pending <= INBOX_LIMIT + PIECE


async def never(_session: Session, _item: object) -> bool:
    return True


def nothing(_session: Session) -> None:
    return None


class Deaf(asyncio.Transport):
    """A transport that notes whether it is read."""

    paused = False

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        return None


async def test_all_that_was_sent_in_one_piece_is_answered_in_turn() -> None:
    async with house() as running:
        client = await running.user()
        client.writer.write(b"Action: Ping\r\n\r\n" * 500)
        for _ in range(500):
            assert dict(await client.message())["Ping"] == "Pong"
