"""The ownership protocol under random schedules, and each of its rules left out in turn.

A rule that no schedule misses when it is gone would not be known to be needed: those that random
schedules do not reach have schedules of their own.
"""

from __future__ import annotations

import copy
import os
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from pjreg_cli.cluster import lease, messages
from tests.support.fleet_simulation import DATABASE_MUTANTS, Database, Node, Simulation

SOURCE = Path(lease.__file__)
SCHEDULES = int(os.environ.get("PJREG_SCHEDULES", "8"))
"""How many random schedules are played; thousands by `make soak`."""

TRUST = "lease.asked_at + lease.times.trust_s"
RULES = {
    "trust from the answer": (TRUST, "now + lease.times.trust_s"),
    "trust longer than the lease": (TRUST, "lease.asked_at + lease.times.lease_s + 1.5"),
    "the database's clock alone": (
        "now - was[1] >= lease.times.lease_s and member.expired",
        "member.expired",
    ),
    "answers that were given up": (
        "if number != lease.number or lease.asked is None:\n",
        "if lease.asked is None:\n",
    ),
    "released before it is dropped": ("if n not in given}", "}"),
    "trust that has lapsed comes back": (
        "if not _is_settled(lease, now) and now >= lease.trust_until:",
        "if False:",
    ),
    "a lease of our own clock after a failover": (
        "return not lease.quarantined and now >= lease.quiet_until",
        "return not lease.quarantined",
    ),
    "only what the table says is held": (
        "and lease.asked_at > tenure.asked_at",
        "and False",
    ),
    "silence counts while we listen": (
        "lease.seen if now - lease.heard_at <= lease.times.listening_s else {}",
        "lease.seen",
    ),
}


def without(rule: str) -> ModuleType:
    """`cluster.lease` with one of its rules left out."""
    old, new = RULES[rule]
    text = SOURCE.read_text("utf-8")
    assert text.count(old) == 1, old
    module = ModuleType("lease_without_a_rule")
    sys.modules[module.__name__] = module
    exec(compile(text.replace(old, new), module.__name__, "exec"), module.__dict__)
    return module


# -- random schedules -------------------------------------------------------------------------


@pytest.mark.exhaustive
@pytest.mark.parametrize("seed", range(SCHEDULES))
def test_no_two_hold_one_shard(seed: int) -> None:
    played = Simulation(seed).run(120.0 if SCHEDULES < 100 else 240.0)
    assert played.violations == []
    assert played.gains


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("rule", "seed"),
    [
        ("trust from the answer", 28),
        ("the database's clock alone", 4),
        ("answers that were given up", 0),
        ("released before it is dropped", 0),
    ],
)
def test_a_rule_of_an_instance_that_is_left_out_is_missed(rule: str, seed: int) -> None:
    assert Simulation(seed, module=without(rule)).run().violations


def test_a_failover_without_quarantine_is_missed() -> None:
    assert Simulation(143, mutant="no quarantine").run().violations


# -- schedules of their own -------------------------------------------------------------------


class Scene:
    """Two instances, a database, and time that is set; requests arrive when they are told to."""

    def __init__(self, mutant: str = "", module: ModuleType = lease) -> None:
        self.simulation = Simulation(0, module=module, mutant=mutant, nodes=2)
        self.database: Database = self.simulation.database
        self.one, self.two = self.simulation.nodes
        for node in (self.one, self.two):
            node._drift = node._offset = 0.0
        self.module = module

    def beat(self, node: Node, at: float) -> None:
        """A beat and all that follows from it, each answered at once."""
        asked = self.event(node, messages.Due(), at)
        while asked:
            number, request = asked
            answer = self.serve(node, request, at)
            asked = self.event(node, messages.Answered(number, answer), at)

    def event(self, node: Node, event: Any, at: float) -> tuple[int, Any] | None:
        """One event; what is asked then.  Any: of whichever module plays."""
        self.simulation.now = at
        node.lease, effects = self.module.react(node.lease, event, at)
        self.simulation.check()
        asked = [e for e in effects if type(e).__name__ == "Ask"]
        return (asked[0].number, asked[0].request) if asked else None

    def serve(self, node: Node, request: Any, at: float) -> Any:
        """Let a request arrive."""
        return self.database.serve(at, node, node.lease.incarnation, request)

    def until_request(self, node: Node, kind: str, at: float) -> tuple[int, Any]:
        """A beat that stops at a request of this kind, which does not arrive."""
        asked = self.event(node, messages.Due(), at)
        while asked:
            number, request = asked
            if type(request).__name__ == kind:
                return number, request
            answer = self.serve(node, request, at)
            asked = self.event(node, messages.Answered(number, answer), at)
        raise AssertionError(f"{kind} was not asked")

    @property
    def violated(self) -> bool:
        return bool(self.simulation.violations)

    def snapshot(self) -> Any:
        """What a standby has."""
        return copy.deepcopy(self.database.tables)

    def fail_over(self, to: Any) -> None:
        """A standby that has this is promoted."""
        self.database.tables = copy.deepcopy(to)
        self.database.timeline += 1


def two_alive(scene: Scene) -> None:
    """Both have beaten at 0 and have their shares."""
    for at in (0.0, 0.1, 0.2):
        scene.beat(scene.one, at)
        scene.beat(scene.two, at)
    assert scene.one.lease.held
    assert scene.two.lease.held


def silent_for_longer_than_trust(scene: Scene) -> None:
    """One is cut off after its beat at 0.2; two ends it and claims what it had."""
    two_alive(scene)
    for at in range(1, 8):
        scene.beat(scene.two, 0.3 + at)
    assert set(scene.two.lease.held) == {0, 1, 2, 3}


def test_trust_that_outlives_the_lease_is_missed() -> None:
    real = Scene()
    silent_for_longer_than_trust(real)
    assert not real.violated
    mutant = Scene(module=without("trust longer than the lease"))
    silent_for_longer_than_trust(mutant)
    assert mutant.violated


def fenced_by_a_lost_commit(scene: Scene) -> None:
    """One was cut off and ended, which the standby does not know: it is alive there."""
    two_alive(scene)
    before = scene.snapshot()
    for at in range(1, 8):
        scene.beat(scene.two, 0.3 + at)
    scene.fail_over(before)
    scene.beat(scene.one, 7.5)


def test_lapsed_trust_that_comes_back_in_a_quarantine_is_missed() -> None:
    real = Scene()
    fenced_by_a_lost_commit(real)
    assert not real.violated
    mutant = Scene(module=without("trust that has lapsed comes back"))
    fenced_by_a_lost_commit(mutant)
    assert mutant.violated


def fence_that_comes_late(scene: Scene) -> None:
    """Two asks to end one, which beats before that arrives; then the database's clock jumps."""
    two_alive(scene)
    for at in range(1, 6):
        scene.beat(scene.two, 0.3 + at)
    _, fence = scene.until_request(scene.two, "Fence", 6.6)
    scene.beat(scene.one, 6.7)
    scene.database.offset += 100.0
    scene.serve(scene.two, fence, 6.8)
    scene.beat(scene.two, 6.9)


def test_a_fence_that_does_not_name_the_beat_is_missed() -> None:
    real = Scene()
    fence_that_comes_late(real)
    assert not real.violated
    mutant = Scene("fence without beat")
    fence_that_comes_late(mutant)
    assert mutant.violated


def release_that_comes_late(scene: Scene) -> None:
    """One's release of an earlier tenure arrives when it owns the shard again."""
    scene.beat(scene.one, 0.0)
    scene.beat(scene.one, 0.1)
    scene.beat(scene.two, 0.2)
    number, release = scene.until_request(scene.one, "Release", 0.3)
    scene.serve(scene.one, release, 0.35)  # carried out, its answer lost
    scene.event(scene.one, messages.NotAnswered(number), 0.4)
    for row in scene.database.tables.rows.values():
        row.alive = row.name == scene.one.name  # two has crashed, and was ended
    scene.beat(scene.one, 0.5)
    assert set(scene.one.lease.held) == {0, 1, 2, 3}
    scene.two.lease = scene.module.Lease()
    scene.serve(scene.one, release, 0.55)  # and once more, late
    scene.beat(scene.two, 0.6)
    scene.beat(scene.two, 0.65)


def test_a_release_that_does_not_name_the_epoch_is_missed() -> None:
    real = Scene()
    release_that_comes_late(real)
    assert not real.violated
    mutant = Scene("release by any epoch")
    release_that_comes_late(mutant)
    assert mutant.violated


def release_after_adopt(scene: Scene) -> None:
    """One gives back what it owns and does not hold, and that is late; it adopts it instead; then
    the late request arrives, and two claims."""
    scene.beat(scene.one, 0.0)
    scene.beat(scene.one, 0.1)
    # the answer to its claim was lost: the table knows of what it does not hold
    scene.one.lease = replace(scene.one.lease, held={})
    shards = scene.database.tables.shards
    scene.beat(scene.two, 0.2)
    number, release = scene.until_request(scene.one, "Release", 0.3)
    scene.event(scene.one, messages.NotAnswered(number), 0.4)
    for row in scene.database.tables.rows.values():
        row.alive = row.name == scene.one.name  # two has crashed, and was ended
    scene.beat(scene.one, 0.5)
    assert set(scene.one.lease.held) == set(shards)
    scene.two.lease = scene.module.Lease()
    scene.serve(scene.one, release, 0.55)
    scene.beat(scene.two, 0.6)
    scene.beat(scene.two, 0.65)


def test_an_adoption_under_the_same_epoch_is_missed() -> None:
    real = Scene()
    release_after_adopt(real)
    assert not real.violated
    mutant = Scene("adopt under the same epoch")
    release_after_adopt(mutant)
    assert mutant.violated


def incarnation_given_twice(scene: Scene) -> None:
    """The standby has not heard of two; whoever joins there is given its number."""
    scene.beat(scene.one, 0.0)
    before = scene.snapshot()
    two_alive(scene)
    scene.fail_over(before)
    third = Node("sip-9", 0.0, 0.0, scene.module)
    scene.simulation.nodes.append(third)
    scene.beat(third, 0.3)
    scene.beat(scene.one, 0.4)
    for tenth in range(70):
        at = 0.5 + tenth / 10
        for node in (third, scene.two, scene.one):
            scene.beat(node, at)


def test_an_incarnation_that_is_given_twice_is_missed() -> None:
    real = Scene()
    incarnation_given_twice(real)
    assert not real.violated
    mutant = Scene("incarnations from a sequence")
    incarnation_given_twice(mutant)
    assert mutant.violated


def clock_that_jumps_in_a_quarantine(scene: Scene) -> None:
    """The standby has not heard that one gave shards to two, which goes on with them; its clock
    jumps over the quarantine."""
    scene.beat(scene.one, 0.0)
    scene.beat(scene.one, 0.1)
    before = scene.snapshot()
    two_alive(scene)
    scene.fail_over(before)
    scene.beat(scene.one, 0.3)
    scene.database.offset += 100.0
    for tenth in range(4, 30):
        scene.beat(scene.one, tenth / 10)


def test_a_quarantine_by_the_clock_of_the_database_alone_is_missed() -> None:
    real = Scene()
    clock_that_jumps_in_a_quarantine(real)
    assert not real.violated
    mutant = Scene(module=without("a lease of our own clock after a failover"))
    clock_that_jumps_in_a_quarantine(mutant)
    assert mutant.violated


def shard_that_moved_in_a_lost_commit(scene: Scene) -> None:
    """Two has given everything to one, which the standby has not heard; both go on there."""
    two_alive(scene)
    before = scene.snapshot()
    for row in scene.database.tables.rows.values():
        row.alive = row.name == scene.one.name  # two drains, say: its share goes to one
    for shard in scene.database.tables.shards.values():
        shard[1] = shard[1] if shard[1] == scene.one.lease.incarnation else None
    scene.two.lease = replace(scene.two.lease, held={})
    scene.beat(scene.one, 0.3)
    scene.beat(scene.one, 0.4)
    assert set(scene.one.lease.held) == {0, 1, 2, 3}
    scene.fail_over(before)
    for tenth in range(5, 80):
        scene.beat(scene.one, tenth / 10)
        scene.beat(scene.two, tenth / 10)


def test_who_holds_what_the_table_gives_to_another_is_missed() -> None:
    real = Scene()
    shard_that_moved_in_a_lost_commit(real)
    assert not real.violated
    assert real.two.lease.held, "it has its own again"
    mutant = Scene(module=without("only what the table says is held"))
    shard_that_moved_in_a_lost_commit(mutant)
    assert mutant.violated


def ended_by_whoever_came_first(scene: Scene) -> bool:
    """The database is gone for a minute, and one is the first to be back."""
    two_alive(scene)
    for at in (0.3, 60.0, 60.1):
        scene.beat(scene.one, at)
    return not all(row.alive for row in scene.database.tables.rows.values())


def test_silence_that_counts_while_nobody_was_heard_is_missed() -> None:
    assert not ended_by_whoever_came_first(Scene())
    assert ended_by_whoever_came_first(Scene(module=without("silence counts while we listen")))


def test_every_rule_that_can_be_left_out_is_missed() -> None:
    """No rule is in a list for nothing."""
    text = Path(__file__).read_text("utf-8")
    assert [rule for rule in RULES if text.count(f'"{rule}"') < 2] == []
    assert [rule for rule in DATABASE_MUTANTS if f'"{rule}"' not in text] == []
