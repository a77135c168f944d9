"""`!` and `!command`: the operator's shell."""

from __future__ import annotations

import asyncio
import os
import signal

_DEFAULT = "/bin/sh"
_INTERRUPTED = 128 + signal.SIGINT
"""What a shell exits with whose command ended by SIGINT."""
_PATIENCE_S = 1.0
"""How long a shell may take to end."""


async def run_shell(command: str) -> bool:
    """Run one command, or with an empty one an interactive shell, on this terminal; wait for it.

    Whether it ended by Ctrl-C.
    """
    shell = os.environ.get("SHELL") or _DEFAULT
    words = [shell, "-c", command] if command else [shell]
    process = await asyncio.create_subprocess_exec(*words)
    try:
        return await process.wait() in (-signal.SIGINT, _INTERRUPTED)
    except asyncio.CancelledError:
        await _hang_up(process)
        raise


async def _hang_up(process: asyncio.subprocess.Process) -> None:
    """End a shell whose console ends; interactive ones heed SIGHUP and not SIGTERM."""
    process.send_signal(signal.SIGHUP)
    try:
        async with asyncio.timeout(_PATIENCE_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
