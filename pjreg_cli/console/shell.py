"""`!` and `!command`: the operator's shell."""

from __future__ import annotations

import asyncio
import os

_DEFAULT = "/bin/sh"


async def run_shell(command: str) -> None:
    """Run one command, or with an empty one an interactive shell, on this terminal; wait for it."""
    shell = os.environ.get("SHELL") or _DEFAULT
    words = [shell, "-c", command] if command else [shell]
    process = await asyncio.create_subprocess_exec(*words)
    try:
        await process.wait()
    except asyncio.CancelledError:
        process.terminate()
        raise
