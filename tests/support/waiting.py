"""Waiting for what other processes do: they have no manual clock."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pjreg_cli.registration.state import Status
from pjreg_cli.store.state_file import resumable
from tests.support.instance import PATIENCE_S, Instance


def until(
    condition: Callable[[], bool],
    what: str,
    patience_s: float = PATIENCE_S,
    pause_s: float = 0.05,
) -> None:
    """Wait until `condition` holds; fails with `what` when it never does.  `pause_s` is between two
    looks."""
    end = time.monotonic() + patience_s  # noqa: TID251 -- see above
    while not condition():
        assert time.monotonic() < end, f"never came true: {what}"  # noqa: TID251
        time.sleep(pause_s)


@contextmanager
def running_instance(home: Path, configuration: str, **options: Any) -> Iterator[Instance]:
    """An instance with this pjsip.conf, ended with the block.  Any: `options` are Instance's."""
    instance = Instance(home, configuration, **options)
    instance.start()
    try:
        yield instance
    finally:
        instance.stop()


def status(instance: Instance, name: str) -> dict[str, Any]:
    """How a registration stands, and why.  Any: that is JSON."""
    done = instance.told(f"pjreg status {name}", json=True)
    assert done.status == 0, done
    found: dict[str, Any] = json.loads(done.out)
    return found


def becomes(instance: Instance, name: str, word: str, patience_s: float = PATIENCE_S) -> Any:
    """Wait until a registration has this status and its attempt is over; all that is known of it
    then.  Any: that is JSON."""
    found: list[dict[str, Any]] = []

    def reached() -> bool:
        found.append(status(instance, name))
        return found[-1]["status"] == word and found[-1]["last"] is not None

    try:
        until(reached, f"{name} {word}", patience_s)
    except AssertionError as error:
        raise AssertionError(f"{error}\n{found[-1]}\n{instance.log()[-3000:]}") from None
    return found[-1]


def all_registered(instance: Instance, count: int, patience_s: float = PATIENCE_S) -> None:
    """Wait until all registrations are Registered."""

    def reached() -> bool:
        rows = json.loads(instance.told("pjsip show registrations", json=True).out)
        words = [row["status"] for row in rows]
        return words == ["Registered"] * count

    until(reached, f"{count} Registered", patience_s)


def all_kept(folder: Path, count: int) -> None:
    """Wait until the file of states in `folder` has all registrations as registered: from then on
    even a killed instance goes on with them."""

    def reached() -> bool:
        found = [row for path in folder.glob("*.sqlite3") for row in resumable(path, 0.0).values()]
        return [row.status for row in found] == [Status.REGISTERED.value] * count

    until(reached, f"{count} kept")
