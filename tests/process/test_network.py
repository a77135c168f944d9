"""Networks that lose, double, reorder and forget, and interfaces that go and come back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.support.bad_way import Carried, bad_way
from tests.support.instance import Instance
from tests.support.namespaces import OUTSIDE, require_namespaces
from tests.support.served import Came, Served, served
from tests.support.waiting import all_registered, running_instance, until

PORT = 5060
NAMES = tuple(f"t{number}" for number in range(40))
#: refreshed after 2 s
GRANTED_S = 12


@pytest.fixture
def way() -> Iterator[Carried]:
    require_namespaces()
    with bad_way() as made:
        yield made


def configuration(transport: str = "udp", names: tuple[str, ...] = NAMES) -> str:
    text = f"[here]\ntype=transport\nprotocol={transport}\nbind=0.0.0.0:5070\n"
    for name in names:
        text += (
            f"[{name}]\ntype=registration\nserver_uri=sip:{OUTSIDE}:{PORT}\\;transport={transport}\n"
            f"client_uri=sip:{name}@{OUTSIDE}\nexpiration={GRANTED_S}\nretry_interval=2\n"
            "max_random_initial_delay=0\nmax_retries=10000\n"
        )
    return text


@pytest.mark.long
def test_losses_doubles_and_overtaking_cost_time_and_nothing_else(home: Path, way: Carried) -> None:
    with served(way.within(way.outside), OUTSIDE, PORT) as registrar:
        way.becomes(lose=0.3, double=0.2, delay=0.3)
        with running_instance(home, configuration(), prefix=way.within(way.inside)) as instance:
            until(partial(all_heard, registrar, 0, NAMES, 3), "three rounds of everybody", 90)
            way.becomes(lose=0.0, double=0.0, delay=0.0)
            all_registered(instance, len(NAMES), 60)
            came = registrar.came()
        assert "Traceback" not in instance.log()
    branches: dict[tuple[str, int], set[str]] = defaultdict(set)
    for one in came:
        branches[one.call_id, one.cseq].add(one.branch)
    # a number is never used for two requests, and nobody has begun anew
    assert {len(found) for found in branches.values()} == {1}
    assert len({call_id for call_id, _ in branches}) == len(NAMES)


@pytest.mark.long
def test_a_connection_that_the_way_has_forgotten_is_replaced(home: Path, way: Carried) -> None:
    """Nobody says so: no RST, no FIN, no ICMP.  What is sent is not acknowledged any more."""
    with (
        served(way.within(way.outside), OUTSIDE, PORT) as registrar,
        running_instance(
            home, configuration("tcp", NAMES[:3]), prefix=way.within(way.inside)
        ) as instance,
    ):
        all_registered(instance, 3)
        before = {one.port for one in registrar.came()}
        assert len(before) == 1
        way.forget()

        def anew() -> list[Came]:
            return [one for one in registrar.came() if one.port not in before]

        until(lambda: {one.user for one in anew()} == set(NAMES[:3]), "all three anew", 60)
        assert len({one.port for one in anew()}) == 1
        all_registered(instance, 3, 60)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_an_interface_that_goes_and_comes_back(home: Path, way: Carried, transport: str) -> None:
    names = NAMES[:10]
    with (
        served(way.within(way.outside), OUTSIDE, PORT) as registrar,
        running_instance(
            home, configuration(transport, names), prefix=way.within(way.inside)
        ) as instance,
    ):
        for _ in range(2):
            all_registered(instance, len(names))
            way.unplug()
            until(lambda: "Rejected" in shown(instance), "somebody has noticed", 60)
            heard_anew = partial(all_heard, registrar, len(registrar.came()), names)
            way.plug()
            until(heard_anew, "all again", 60)
        all_registered(instance, len(names), 60)
    assert "Traceback" not in instance.log()


def all_heard(registrar: Served, since: int, names: tuple[str, ...], rounds: int = 1) -> bool:
    """Whether each of them has sent so many REGISTERs after the first `since` of all."""
    heard: dict[str, set[int]] = defaultdict(set)
    for one in registrar.came()[since:]:
        heard[one.user].add(one.cseq)
    return all(len(heard[name]) >= rounds for name in names)


def shown(instance: Instance) -> str:
    """What the console says."""
    return instance.told("pjsip show registrations").out
