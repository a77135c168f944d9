"""The commands of pjsip, against transcripts kept in fixtures/console."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pjreg_cli.commands.pjsip import starting
from pjreg_cli.commands.tree import Console, execute
from pjreg_cli.dialects import TWELVE
from tests.support.fake_port import Fake, FakeConfiguration, auth, registration, transport
from tests.support.golden import FIXTURES, Golden
from tests.support.transcript import console, said, transcript

REGISTRAR = "sip:127.0.0.1:15060"


def states() -> Fake:
    return Fake(
        views=[
            registration("good", "Registered", 29, server_uri=REGISTRAR),
            registration("later", "Rejected", 19, server_uri=REGISTRAR, outbound_auth=("x",)),
            registration("never", "Rejected", -1, server_uri=REGISTRAR),
            registration("gone", "Unregistered", 0, server_uri=REGISTRAR),
            registration("forgotten", None, None, server_uri=REGISTRAR),
            registration("leaving", "Stopped", 7, server_uri=REGISTRAR),
        ]
    )


def everything() -> Fake:
    return Fake(
        views=[
            registration(
                "alice",
                "Unregistered",
                12,
                server_uri=REGISTRAR,
                client_uri="sip:alice@127.0.0.1",
                outbound_auth=("one", "two"),
                contact_header_params='+sip.instance="<urn:x>"',
                security_mechanisms="sdes-srtp;mediasec, dtls-srtp;mediasec",
                security_negotiation="mediasec",
            ),
            registration("bob", "Registered", 3590, server_uri=REGISTRAR),
        ],
        configuration=FakeConfiguration(
            auth_views=[
                auth("one", username="u", password="********"),
                auth("two", username="someone", realm="atlanta.example.com", auth_type="md5"),
                auth("three", username="u3"),
                auth("n" * 73, username="u" * 71),
            ],
            transport_views=[
                transport("udp", bind="127.0.0.1:5060"),
                transport(
                    "tls",
                    protocol="tls",
                    bind="127.0.0.1:5061",
                    cos="5",
                    tos="96",
                    local_net=("10.0.0.0/255.0.0.0", "192.168.0.0/255.255.0.0"),
                ),
                transport("six", bind="[::1]:5062"),
            ],
        ),
    )


async def test_tables_of_registrations(golden: Golden) -> None:
    lines = ["pjsip show registrations", "pjsip list registrations", "pjsip show registrations x y"]
    golden.check(FIXTURES / "console/registrations.txt", await transcript(console(states()), lines))


async def test_registrations_by_pattern(golden: Golden) -> None:
    lines = [f"pjsip show registrations like {p}" for p in ("^g", "o", "r$", "GOOD", "zzz", "[")]
    lines += [
        "pjsip show registrations like ^(good|never)$ more",
        "pjsip list registrations LIKE e",
    ]
    lines += ["pjsip show registrations like", 'pjsip show registrations like ""']
    lines += ["pjsip show registrations like (?:o)", "pjsip show registrations lik o"]
    golden.check(FIXTURES / "console/like.txt", await transcript(console(states()), lines))


async def test_one_registration(golden: Golden) -> None:
    lines = ["pjsip show registration alice", "pjsip show registration bob and more"]
    lines += ["pjsip show registration nope", "pjsip show registration ALICE"]
    lines += [
        "pjsip show registration like",
        "pjsip show registration",
        'pjsip show registration ""',
    ]
    golden.check(
        FIXTURES / "console/registration.txt", await transcript(console(everything()), lines)
    )


async def test_auth_sections(golden: Golden) -> None:
    lines = ["pjsip show auths", "pjsip list auths like o", "pjsip show auths like T"]
    lines += ["pjsip list auths like", "pjsip show auths bogus", "pjsip show auth one"]
    lines += ["pjsip show auth two extra", "pjsip show auth ONE", "pjsip show auth"]
    lines += ["pjsip list auth"]
    golden.check(FIXTURES / "console/auths.txt", await transcript(console(everything()), lines))


async def test_transports(golden: Golden) -> None:
    lines = ["pjsip show transports", "pjsip list transports like ^t", "pjsip show transports like"]
    lines += ["pjsip list transports like nothing", "pjsip show transport tls"]
    lines += ["pjsip show transport UDP", "pjsip show transport", "pjsip list transport"]
    golden.check(
        FIXTURES / "console/transports.txt", await transcript(console(everything()), lines)
    )


async def test_settings_and_version(golden: Golden) -> None:
    lines = ["pjsip show settings", "pjsip show version"]
    golden.check(FIXTURES / "console/settings.txt", await transcript(console(states()), lines))


@pytest.mark.parametrize("table", ["registrations", "auths", "transports"])
async def test_with_nothing_to_show_there_is_no_table(table: str) -> None:
    for verb in ("show", "list"):
        assert await said(console(Fake()), f"pjsip {verb} {table}") == "No objects found.\n\n"


# -- the dialect of Asterisk 12 ---------------------------------------------------------------


def documented() -> Console:
    """The configuration behind the documentation of 2014."""
    server, client = "sip:registrar@example.com", "sip:client@example.com"
    provider = registration(
        "my_provider",
        None,
        None,
        outbound_auth=("provider_auth",),
        auth_rejection_permanent="false",
        retry_interval="30",
        forbidden_retry_interval="300",
        max_retries="20",
        server_uri=server,
        client_uri=client,
        contact_user="inbound-calls",
    )
    other = registration("outreg", "Unregistered", 3, server_uri=server, client_uri=client)
    fake = Fake(views=[provider, other])
    return console(fake, dialect=TWELVE)


async def test_tables_of_asterisk_12(golden: Golden) -> None:
    asker = documented()
    golden.check(
        FIXTURES / "console/twelve-registrations.txt", await said(asker, "pjsip show registrations")
    )
    golden.check(
        FIXTURES / "console/twelve-registration.txt",
        await said(asker, "pjsip show registration my_provider"),
    )


# -- steering ---------------------------------------------------------------------------------


async def test_send_tells_the_instance_and_is_silent() -> None:
    fake = states()
    asker = console(fake)
    assert await said(asker, "pjsip send unregister good") == ""
    assert await said(asker, "pjsip send register later") == ""
    assert await said(asker, "pjsip send unregister *all") == "Unregister all queued\n"
    assert await said(asker, "pjsip send register *all") == "Re-register all queued\n"
    assert fake.sent == ["unregister good", "register later", "unregister all", "register all"]


@pytest.mark.parametrize("verb", ["register", "unregister"])
@pytest.mark.parametrize("name", ["nope", "forgotten", "*ALL", "Good"])
async def test_send_to_what_has_no_state_fails(verb: str, name: str) -> None:
    fake = states()
    reply = await execute(f"pjsip send {verb} {name}", console(fake))
    assert "".join(reply.output) == (
        f"Unable to retrieve registration {name}\nCommand 'pjsip send {verb} {name}' failed.\n"
    )
    assert (reply.ok, reply.failed, fake.sent) == (False, True, [])


@pytest.mark.parametrize("line", ["pjsip send unregister", "pjsip send register a b"])
async def test_send_needs_one_name(line: str) -> None:
    reply = await execute(line, console(states()))
    assert "".join(reply.output).startswith("Usage: pjsip send ")
    assert (reply.ok, reply.failed) == (False, True)


async def test_unknown_object_is_a_failure_to_scripts_and_a_success_to_the_manager() -> None:
    reply = await execute("pjsip show registration nope", console(states()))
    assert "".join(reply.output) == "Unable to find object nope.\n\n"
    assert (reply.ok, reply.failed) == (False, False)


# -- JSON -------------------------------------------------------------------------------------


async def parsed(fake: Fake, line: str) -> Any:  # a test looks into whatever comes
    return json.loads(await said(console(fake, json=True), line))


async def test_registrations_as_json() -> None:
    rows = await parsed(states(), "pjsip show registrations")
    assert rows[0] == {
        "name": "forgotten",
        "server_uri": REGISTRAR,
        "auth": None,
        "status": "Unregistered",
        "has_state": False,
        "scheduled_in_s": None,
        "scheduled_at": None,
    }
    assert rows[3]["auth"] == "x"
    assert rows[3]["scheduled_at"] == "2026-08-01T12:00:19Z"
    assert [row["name"] for row in await parsed(states(), "pjsip list registrations like ^g")] == [
        "gone",
        "good",
    ]


async def test_one_registration_as_json() -> None:
    shape = await parsed(everything(), "pjsip show registration alice")
    assert shape["options"]["outbound_auth"] == ["one", "two"]
    assert shape["options"]["expiration"] == "3600"
    assert shape["source"] == "pjsip.conf:1"
    assert await parsed(everything(), "pjsip show registration nope") == {
        "error": "Unable to find object nope."
    }


async def test_json_never_shows_a_secret_even_where_the_table_does() -> None:
    fake = Fake()
    fake.configuration.auth_views = [auth("one", username="u", password="hunter2")]
    shape = await parsed(fake, "pjsip show auth one")
    assert shape["options"]["password"] == "********"
    assert shape["options"]["md5_cred"] == ""
    assert "hunter2" in await said(console(fake), "pjsip show auth one")


async def test_transports_and_settings_as_json() -> None:
    rows = await parsed(everything(), "pjsip show transports")
    assert rows[1] == {
        "name": "tls",
        "type": "tls",
        "cos": 5,
        "tos": 96,
        "bind": "127.0.0.1:5061",
        "source": "pjsip.conf:30",
    }
    one = await parsed(everything(), "pjsip show transport tls")
    assert one["options"]["local_net"] == ["10.0.0.0/255.0.0.0", "192.168.0.0/255.255.0.0"]
    both = await parsed(everything(), "pjsip show settings")
    assert both["global"]["keep_alive_interval"] == "90"
    assert await parsed(everything(), "pjsip show version") == {"version": "1.2.3"}


# -- completion -------------------------------------------------------------------------------


def test_names_are_found_without_looking_at_the_others() -> None:
    names = sorted(f"reg{number:04d}" for number in range(2000))
    assert [choice.word for choice in starting(names, "reg199")] == names[1990:]
    assert list(starting(names, "zzz")) == []
