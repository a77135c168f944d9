"""Registrars played by sipp: strange ones, slow ones, several behind one name, lossy ways there."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.background import in_background
from tests.support.instance import Instance
from tests.support.kamailio import REALM, Kamailio, require_kamailio, running
from tests.support.lossy import lossy_relay
from tests.support.nameserver import NameServer, nameserver
from tests.support.ports import LOOPBACK, free_port
from tests.support.sipp import playing, require_sipp
from tests.support.waiting import all_registered, becomes, running_instance, status, until

DOMAIN = "sipp.test"

#: no answer means 6.4 s instead of 32
QUICK = """\
[system]
type = system
timer_t1 = 100
timer_b = 6400

"""


@pytest.fixture(autouse=True)
def _sipp() -> None:
    require_sipp()


def configuration(server_uri: str, *names: str, protocol: str = "udp", **options: object) -> str:
    """Quick timers, a transport, and registrations that retry after a second."""
    own = {
        "server_uri": server_uri.replace(";", "\\;"),
        "outbound_auth": "account",
        "expiration": 60,
        "max_random_initial_delay": 0,
        "retry_interval": 1,
        **options,
    }
    lines = "".join(f"{option} = {value}\n" for option, value in own.items())
    sections = (
        f"[{name}]\ntype = registration\nclient_uri = sip:{name}@{LOOPBACK}\n{lines}\n"
        for name in names or ("alice",)
    )
    return (
        QUICK
        + f"[{protocol}]\ntype = transport\nprotocol = {protocol}\n"
        + f"bind = {LOOPBACK}:{free_port()}\n\n"
        + "[account]\ntype = auth\nusername = alice\npassword = s3cret\n\n"
        + "".join(sections)
    )


def at(port: int, protocol: str = "udp") -> str:
    """The URI of a registrar on loopback."""
    return f"sip:{LOOPBACK}:{port}" + ("" if protocol == "udp" else f";transport={protocol}")


def ended(instance: Instance) -> Mapping[str, Any]:
    """Wait until alice is Rejected and nothing more is due; how she stands then."""
    becomes(instance, "alice", "Rejected")
    until(lambda: status(instance, "alice")["next_attempt_in_s"] is None, "no attempt is due")
    return status(instance, "alice")


# -- 423 --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("scenario", "granted_s"), [("too_brief", 120), ("too_brief_rising", 900)])
def test_a_registrar_that_wants_longer_gets_it(home: Path, scenario: str, granted_s: int) -> None:
    with (
        playing(home, scenario) as registrar,
        running_instance(home, configuration(at(registrar.port))) as instance,
    ):
        found = becomes(instance, "alice", "Registered")
        assert found["last"]["granted_s"] == granted_s
        assert found["attempts"] == 1
        registrar.played()


def test_a_registrar_that_calls_too_brief_what_it_asked_for_is_given_up(home: Path) -> None:
    with (
        playing(home, "too_brief_forever") as registrar,
        running_instance(home, configuration(at(registrar.port))) as instance,
    ):
        assert ended(instance)["last"]["code"] == 423
        registrar.played()


# -- credentials ------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", ["udp", "tcp"])
def test_credentials_convince_sipp(home: Path, protocol: str) -> None:
    with (
        playing(home, "challenged", protocol=protocol) as registrar,
        running_instance(
            home, configuration(at(registrar.port, protocol), protocol=protocol)
        ) as instance,
    ):
        becomes(instance, "alice", "Registered")
        registrar.played()


def test_challenged_again_is_refused_for_good(home: Path) -> None:
    with (
        playing(home, "challenged_twice") as registrar,
        running_instance(home, configuration(at(registrar.port))) as instance,
    ):
        found = ended(instance)
        assert (found["last"]["code"], found["attempts"]) == (401, 1)
        registrar.played()


def test_challenged_again_and_again_is_tried_as_often_as_configured(home: Path) -> None:
    more: dict[str, Any] = {"auth_rejection_permanent": "no", "max_retries": 2}
    with (
        playing(home, "challenged_for_ever") as registrar,
        running_instance(home, configuration(at(registrar.port), **more)) as instance,
    ):
        until(lambda: status(instance, "alice")["attempts"] == 3, "three attempts")
        found = ended(instance)
        assert (found["attempts"], found["last"]["rule"]) == (3, "exhausted")
        registrar.played()


def test_a_nonce_that_is_always_stale_is_renewed_three_times_only(home: Path) -> None:
    with (
        playing(home, "stale_for_ever") as registrar,
        running_instance(home, configuration(at(registrar.port))) as instance,
    ):
        found = ended(instance)
        assert (found["last"]["code"], found["attempts"]) == (401, 1)
        registrar.played()


# -- answers that take their time -------------------------------------------------------------


@pytest.mark.parametrize("protocol", ["udp", "tcp"])
def test_a_late_answer_after_a_provisional_one_counts(home: Path, protocol: str) -> None:
    with (
        playing(home, "late", protocol=protocol) as registrar,
        running_instance(
            home, configuration(at(registrar.port, protocol), protocol=protocol)
        ) as instance,
    ):
        found = becomes(instance, "alice", "Registered")
        assert found["attempts"] == 1
        registrar.played()


def test_trying_alone_is_no_answer(home: Path) -> None:
    with (
        playing(home, "trying_only") as registrar,
        running_instance(home, configuration(at(registrar.port), retry_interval=600)) as instance,
    ):
        found = becomes(instance, "alice", "Rejected")
        assert (found["last"]["code"], found["last"]["cause"]) == (408, "timed-out")
        assert found["next_attempt_in_s"] > 500


def test_an_answer_that_comes_twice_counts_once(home: Path) -> None:
    with (
        playing(home, "doubled") as registrar,
        running_instance(home, configuration(at(registrar.port))) as instance,
    ):
        assert becomes(instance, "alice", "Registered")["attempts"] == 1
        registrar.played()


# -- several registrars behind one name -------------------------------------------------------


def zone(protocol: str, *ports: int) -> Mapping[str, Mapping[str, list[str]]]:
    """A domain whose registrars are tried in this order."""
    targets = [f"{priority} 0 {port} registrar.{DOMAIN}." for priority, port in enumerate(ports, 1)]
    return {
        f"_sip._{protocol}.{DOMAIN}": {"SRV": targets},
        f"registrar.{DOMAIN}": {"A": [LOOPBACK]},
    }


@contextmanager
def at_domain(
    home: Path, protocol: str, *ports: int, **options: object
) -> Iterator[tuple[Instance, NameServer]]:
    """An instance that registers at the domain, which has registrars at these ports."""
    with in_background(nameserver(zone(protocol, *ports))) as server:
        (home / "etc").mkdir(exist_ok=True)
        (home / "etc" / "resolver_unbound.conf").write_text(
            f"[general]\nnameserver = {LOOPBACK}@{server.port}\nresolv =\nhosts =\n"
        )
        suffix = "" if protocol == "udp" else f";transport={protocol}"
        text = configuration(f"sip:{DOMAIN}{suffix}", protocol=protocol, **options)
        with running_instance(home, text) as instance:
            yield instance, server


@pytest.mark.parametrize("protocol", ["udp", "tcp"])
def test_503_leads_to_the_next_target_whatever_retry_after_says(home: Path, protocol: str) -> None:
    with (
        playing(home, "unavailable", protocol=protocol) as first,
        playing(home, "challenged", protocol=protocol) as second,
        at_domain(home, protocol, first.port, second.port) as (instance, _),
    ):
        found = becomes(instance, "alice", "Registered")
        assert found["last"]["target"] == f"{protocol}:{LOOPBACK}:{second.port}"
        assert found["attempts"] == 1
        first.played()
        second.played()


@pytest.mark.parametrize("protocol", ["udp", "tcp"])
def test_silence_leads_to_the_next_target(home: Path, protocol: str) -> None:
    with (
        playing(home, "silent", protocol=protocol) as first,
        playing(home, "granted", protocol=protocol) as second,
        at_domain(home, protocol, first.port, second.port) as (instance, _),
    ):
        found = becomes(instance, "alice", "Registered")
        assert found["last"]["target"] == f"{protocol}:{LOOPBACK}:{second.port}"
        assert found["attempts"] == 1
        second.played()


@pytest.mark.parametrize("protocol", ["udp", "tcp"])
def test_a_refusal_leads_to_the_next_target_at_once(home: Path, protocol: str) -> None:
    with (
        playing(home, "granted", protocol=protocol) as second,
        at_domain(home, protocol, free_port(), second.port) as (instance, _),
    ):
        found = becomes(instance, "alice", "Registered")
        assert found["last"]["target"] == f"{protocol}:{LOOPBACK}:{second.port}"
        exchange = json.loads(instance.ask("pjreg ladder alice", "--json").out)
        assert exchange["requests"][0]["trouble"] == "refused"
        assert found["attempts"] == 1
        second.played()


def test_all_targets_down_count_as_one_try_and_the_first_that_is_back_is_found(home: Path) -> None:
    ports = [free_port(), free_port()]
    with at_domain(home, "tcp", *ports) as (instance, server):
        found = becomes(instance, "alice", "Rejected")
        assert found["retries"] == found["attempts"]
        with playing(home, "granted", protocol="tcp", port=ports[0]) as first:
            found = becomes(instance, "alice", "Registered")
            assert found["last"]["target"] == f"tcp:{LOOPBACK}:{first.port}"
        assert set(server.names("SRV")) == {f"_sip._tcp.{DOMAIN}"}


# -- lossy ways -------------------------------------------------------------------------------

NAMES = tuple(f"r{number}" for number in range(20))


def test_one_message_in_five_lost_by_sipp_in_both_directions(home: Path) -> None:
    with (
        playing(home, "granted", lost=20) as registrar,
        running_instance(home, configuration(at(registrar.port), *NAMES)) as instance,
    ):
        all_registered(instance, len(NAMES), patience_s=60)


def test_one_datagram_in_five_lost_on_the_way_to_a_real_registrar_and_back(home: Path) -> None:
    require_kamailio()
    with (
        running(Kamailio(home, dict.fromkeys(NAMES, "s3cret"))) as registrar,
        in_background(lossy_relay(registrar.port, 0.2)) as relay,
    ):
        # each has an account of its own, called like itself
        sections = (
            f"[{name}](one)\ntype = registration\nclient_uri = sip:{name}@{LOOPBACK}\n"
            f"contact_user = {name}\noutbound_auth = {name}\n"
            f"[{name}]\ntype = auth\nusername = {name}\npassword = s3cret\nrealm = {REALM}\n"
            for name in NAMES
        )
        template = configuration(at(relay.port), "one").replace("[one]", "[one](!)")
        with running_instance(home, template + "".join(sections)) as instance:
            all_registered(instance, len(NAMES), patience_s=60)
            assert {one.user for one in registrar.bindings()} == set(NAMES)
            assert relay.lost > 0
            instance.ask("pjsip send unregister *all")
            until(lambda: not registrar.bindings(), "no bindings", patience_s=60)
