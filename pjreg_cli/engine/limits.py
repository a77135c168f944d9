"""How often a limit was met, and what came in that was of no use: counters of an instance."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pjreg_cli.counters import Counters
    from pjreg_cli.engine.inbound import Inbound
    from pjreg_cli.engine.timers import Timers
    from pjreg_cli.net.pool import Pool


def watch(counters: Counters, timers: Timers, pool: Pool, inbound: Inbound) -> None:
    """Have them shown by `pjreg show counters`."""
    counters.watch("timer_failures", "timers whose owner failed", lambda: timers.failures.value)
    met, came = pool.counters, inbound.traffic
    for name, meaning, what in (
        ("incoming_refused", "connections of others beyond the limit", "refused for connections"),
        ("incoming_no_descriptor", "connections refused for want of descriptors",
         "refused for descriptors"),
        ("incoming_one_address", "connections beyond the limit of one address",
         "connections of one address"),
        ("incoming_handshakes", "TLS handshakes of others beyond the limit",
         "refused for handshakes"),
        ("incoming_failed", "TLS handshakes of others that failed or took too long",
         "handshakes that failed"),
        ("incoming_useless", "connections of others closed for what they sent", "useless"),
        ("incoming_idle", "connections of others closed for their silence", "idle"),
    ):  # fmt: skip
        counters.watch(name, meaning, partial(met.__getitem__, what))
    for name, meaning, what in (
        ("responses_stray", "responses that belong to no request of ours", "stray"),
        ("requests_malformed", "requests that could not be read", "malformed"),
        ("requests_unanswered", "requests beyond the answers that strangers get", "unanswered"),
        ("messages_garbage", "messages that were no SIP", "garbage"),
    ):
        counters.watch(name, meaning, partial(came.__getitem__, what))
