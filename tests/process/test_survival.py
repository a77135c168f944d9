"""What instances live through: kills, storms of signals, reloads, losses, clocks that step."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.background import in_background
from tests.support.instance import Instance
from tests.support.nameserver import nameserver
from tests.support.namespaces import OUTSIDE, nat, require_namespaces
from tests.support.outside import outside
from tests.support.ports import free_port
from tests.support.registrar import Registrar, Seen, grant
from tests.support.waiting import all_kept, all_registered, becomes, until

#: what a router of namespaces does that loses three datagrams in ten
LOSSY = """\
table ip lossy {
    chain way {
        type filter hook forward priority 0;
        numgen random mod 10 < 3 drop
    }
}
"""
NAMES = tuple(f"t{number}" for number in range(40))


def configuration(registrar: int, names: tuple[str, ...] = NAMES, **options: object) -> str:
    given = {"max_random_initial_delay": 0, "retry_interval": 1, **options}
    more = "".join(f"{name}={value}\n" for name, value in given.items())
    text = f"[udp]\ntype=transport\nprotocol=udp\nbind=127.0.0.1:{free_port()}\n"
    for name in names:
        text += (
            f"[{name}]\ntype=registration\nserver_uri=sip:127.0.0.1:{registrar}\n"
            f"client_uri=sip:{name}@127.0.0.1\n{more}"
        )
    return text


@contextmanager
def started(home: Path, text: str, *options: str) -> Iterator[Instance]:
    """An instance with its state, ended with the block."""
    instance = Instance(home, text)
    instance.start(*options)
    try:
        yield instance
    finally:
        instance.stop()


def by_user(seen: list[Seen]) -> Counter[str]:
    return Counter(one.user for one in seen)


@pytest.mark.parametrize("resume", ["no", "yes"])
def test_killed_and_started_again_without_a_storm(home: Path, resume: str) -> None:
    with in_background(Registrar.open()) as registrar:
        text = configuration(registrar.port)
        (home / "etc").mkdir()
        (home / "etc" / "pjreg.conf").write_text(f"[general]\nresume={resume}\n")
        instance = Instance(home, text)
        calls: list[set[str]] = []
        for _ in range(3):
            before = len(registrar.seen)
            instance.start()
            all_registered(instance, len(NAMES))
            fresh = registrar.seen[before:]
            # nobody registers twice for having been killed
            assert max(by_user(fresh).values(), default=0) <= 1
            calls.append({one.header("call-id") for one in registrar.of("t0")})
            if resume == "yes":
                all_kept(home / "state", len(NAMES))
            instance.signal(signal.SIGKILL)
            instance.wait()
        if resume == "yes":
            assert calls[0] == calls[-1]
            numbers = [one.cseq for one in registrar.of("t0")]
            assert numbers == sorted(set(numbers))
        else:
            assert len(calls[-1]) == 3


def test_a_storm_of_hangups_changes_nothing(home: Path) -> None:
    with (
        in_background(Registrar.open()) as registrar,
        started(home, configuration(registrar.port)) as instance,
    ):
        all_registered(instance, len(NAMES))
        before = len(registrar.seen)
        for _ in range(300):
            instance.signal(signal.SIGHUP)
        until(lambda: instance.told("core show uptime").status == 0, "an answer")
        assert instance.ask("core reload").status == 0
        all_registered(instance, len(NAMES))
        assert len(registrar.seen) == before


def test_reloads_while_everything_is_under_way_lose_nobody(home: Path) -> None:
    with in_background(Registrar.open()) as registrar:
        for name in NAMES:
            registrar.script(name, grant(4))
        text = configuration(registrar.port)
        with started(home, text) as instance:
            all_registered(instance, len(NAMES))
            for number in range(15):
                changed = text.replace("[t7]\n", f"[t7]\nexpiration={600 + number}\n")
                renamed = changed.replace("[t9]", f"[t9-{number}]")
                instance.configure(renamed)
                assert instance.ask("core reload").status == 0
            all_registered(instance, len(NAMES))
            # what unregisters the last t9 may come after what registers its successor
            kept = registrar.bindings
            until(lambda: {one for one in kept if kept[one]} == set(NAMES), "all are kept")


def test_three_datagrams_in_ten_lost_on_the_way(home: Path) -> None:
    require_namespaces()
    with nat() as network:
        subprocess.run(
            [*network.within(network.router), "nft", "-f", "-"],
            input=LOSSY, text=True, check=True, env={"PATH": "/usr/sbin:/sbin:/usr/bin:/bin"},
        )  # fmt: skip
        text = configuration(5060).replace("127.0.0.1:5060", f"{OUTSIDE}:5060")
        text = text.replace("bind=127.0.0.1", "bind=0.0.0.0")
        with outside(network.within(network.outside), OUTSIDE, 5060):
            instance = Instance(home, text, prefix=network.within(network.inside))
            instance.start()
            try:
                all_registered(instance, len(NAMES), patience_s=60)
            finally:
                instance.stop()


def refreshed(registrar: Registrar, names: tuple[str, ...], times: int) -> None:
    """Wait until each of them has registered so many times more."""
    before = by_user(registrar.seen)

    def done() -> bool:
        now = by_user(registrar.seen)
        return all(now[name] >= before[name] + times for name in names)

    until(done, f"{times} more of everybody", 40)


@pytest.mark.long
def test_name_servers_that_go_cost_nobody_a_refresh(home: Path) -> None:
    names = NAMES[:5]
    zone = {"registrar.example": {"A": ["127.0.0.1"]}}
    with (
        in_background(Registrar.open()) as registrar,
        in_background(nameserver(zone, ttl=1)) as names_of,
    ):
        for name in names:
            registrar.script(name, grant(4))
        text = configuration(registrar.port, names)
        text = text.replace(f"sip:127.0.0.1:{registrar.port}\n", "sip:registrar.example:PORT\n")
        text = text.replace("PORT", str(registrar.port))
        (home / "etc").mkdir()
        (home / "etc" / "resolver_unbound.conf").write_text(
            f"[general]\nnameserver=127.0.0.1@{names_of.port}\nresolv=\nhosts=\n"
        )
        names_of.mood = "silent"
        with started(home, text) as instance:
            until(lambda: len(names_of.asked) > 0, "a question")
            assert registrar.seen == []
            names_of.mood = "well"
            all_registered(instance, len(names), 60)
            for mood in ("silent", "broken", "well"):
                names_of.mood = mood
                refreshed(registrar, names, 2)
            all_registered(instance, len(names))


def test_a_halt_longer_than_the_bindings_is_made_up_for_at_once(home: Path) -> None:
    names = NAMES[:20]
    with in_background(Registrar.open()) as registrar:
        for name in names:
            registrar.script(name, grant(3))
        with started(home, configuration(registrar.port, names)) as instance:
            all_registered(instance, len(names))
            instance.signal(signal.SIGSTOP)
            last = max(one.at for one in registrar.seen)
            time.sleep(5)
            sent = len(registrar.seen)
            instance.signal(signal.SIGCONT)
            refreshed(registrar, names, 1)
            fresh = registrar.seen[sent:]
            assert last < fresh[0].at
            # one each for what was missed, not one for every time it was due
            at_once = [one for one in fresh if one.at < fresh[0].at + 1]
            assert max(by_user(at_once).values()) == 1
            all_registered(instance, len(names))


def faketime() -> str:
    """The library that lies about the time; skips the test where there is none."""
    found = next(iter(Path("/usr/lib").glob("*/faketime/libfaketime.so.1")), None)
    if found is None or sys.platform != "linux":
        pytest.skip("libfaketime is not installed: apt-get install libfaketime")
    return str(found)


@pytest.mark.parametrize("step", ["+1d", "-1d"])
def test_a_clock_that_steps_a_day_loses_nobody(home: Path, step: str) -> None:
    clock = home / "clock"
    clock.write_text("+0d")
    prefix = [
        "env", f"LD_PRELOAD={faketime()}", f"FAKETIME_TIMESTAMP_FILE={clock}",
        "FAKETIME_DONT_FAKE_MONOTONIC=1", "FAKETIME_NO_CACHE=1",
    ]  # fmt: skip
    with in_background(Registrar.open()) as registrar:
        for name in NAMES[:5]:
            registrar.script(name, grant(3))
        instance = Instance(home, configuration(registrar.port, NAMES[:5]), prefix=prefix)
        instance.start()
        try:
            all_registered(instance, 5)
            clock.write_text(step)
            told = len(registrar.of("t0"))
            # refreshes go on at their pace, and are no storm
            until(lambda: len(registrar.of("t0")) >= told + 4, "four refreshes")
            assert len(registrar.of("t0")) <= told + 8
            for name in NAMES[:5]:
                becomes(instance, name, "Registered")
        finally:
            instance.stop()
