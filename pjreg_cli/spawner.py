"""What starts a task, for those who may not create one themselves."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Protocol


class Spawner(Protocol):
    """Creates tasks that are kept until they end."""

    def __call__(self, coroutine: Coroutine[object, object, None], name: str) -> asyncio.Task[None]:
        """Run `coroutine` as a task called `name`."""
        ...
