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
from tests.support.served import Came, served
from tests.support.waiting import all_registered, running_instance, until

pytestmark = pytest.mark.timeout(180)
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


def rounds(came: list[Came]) -> dict[str, int]:
    """How many different REGISTERs have come of each user."""
    numbers: dict[str, set[int]] = defaultdict(set)
    for one in tuple(came):
        numbers[one.user].add(one.cseq)
    return {user: len(found) for user, found in numbers.items()}


def test_losses_doubles_and_overtaking_cost_time_and_nothing_else(home: Path, way: Carried) -> None:
    with served(way.within(way.outside), OUTSIDE, PORT) as came:
        way.becomes(lose=0.3, double=0.2, delay=0.3)
        with running_instance(home, configuration(), prefix=way.within(way.inside)) as instance:
            until(
                lambda: len(found := rounds(came)) == len(NAMES) and min(found.values()) >= 3,
                "three rounds of everybody", 90,
            )  # fmt: skip
            way.becomes(lose=0.0, double=0.0, delay=0.0)
            all_registered(instance, len(NAMES), 60)
            assert "Traceback" not in instance.log()
    branches: dict[tuple[str, int], set[str]] = defaultdict(set)
    for one in came:
        branches[one.call_id, one.cseq].add(one.branch)
    # a number is never used for two requests, and nobody has begun anew
    assert {len(found) for found in branches.values()} == {1}
    assert len({call_id for call_id, _ in branches}) == len(NAMES)


def test_a_connection_that_the_way_has_forgotten_is_replaced(home: Path, way: Carried) -> None:
    """Nobody says so: no RST, no FIN, no ICMP.  What is sent is not acknowledged any more."""
    with (
        served(way.within(way.outside), OUTSIDE, PORT) as came,
        running_instance(
            home, configuration("tcp", NAMES[:3]), prefix=way.within(way.inside)
        ) as instance,
    ):
        all_registered(instance, 3)
        before = {one.port for one in tuple(came)}
        assert len(before) == 1
        way.forget()
        until(lambda: {one.port for one in tuple(came)} > before, "another connection", 60)
        all_registered(instance, 3, 60)
        after = {one.port for one in tuple(came)} - before
        assert len(after) == 1
        assert {one.user for one in tuple(came) if one.port in after} == set(NAMES[:3])


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_an_interface_that_goes_and_comes_back(home: Path, way: Carried, transport: str) -> None:
    names = NAMES[:10]
    with (
        served(way.within(way.outside), OUTSIDE, PORT) as came,
        running_instance(
            home, configuration(transport, names), prefix=way.within(way.inside)
        ) as instance,
    ):
        for _ in range(2):
            all_registered(instance, len(names))
            way.unplug()
            until(lambda: "Rejected" in shown(instance), "somebody has noticed", 60)
            heard_anew = partial(all_heard, came, len(came), names)
            way.plug()
            until(heard_anew, "all again", 60)
        all_registered(instance, len(names), 60)
        assert "Traceback" not in instance.log()


def all_heard(came: list[Came], since: int, names: tuple[str, ...]) -> bool:
    """Whether each of them has sent something after the first so many."""
    return rounds(came[since:]).keys() == set(names)


def shown(instance: Instance) -> str:
    """What the console says."""
    return instance.ask("pjsip show registrations").out
