"""Metrics for Prometheus over HTTP, by prometheus-client, which is loaded only where they are
wanted.

A scrape takes a snapshot on the event loop and makes its text in a thread.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
import importlib
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from pjreg_cli.api.cluster import ThisMachine
from pjreg_cli.api.notices import Notice, Notices, Settled
from pjreg_cli.api.registrations import Measure
from pjreg_cli.config.models import HttpSettings, PrometheusSettings
from pjreg_cli.counters import Count, Counters

_log = logging.getLogger("pjreg_cli.metrics")

_WORDS = ("Registered", "Unregistered", "Rejected", "Stopped")
#: bytes of a request, and seconds it may take
_LARGEST = 8_192
_PATIENCE_S = 10.0
#: connections served at once
_MOST = 32
#: how often the loop's delay is measured, in seconds
_BEAT_S = 1.0


class Snapshot(NamedTuple):
    """What one scrape tells."""

    measures: list[Measure]
    failures: dict[tuple[str, str], int]
    attempts: dict[str, int]
    delay_s: float
    scrapes: int
    counts: tuple[Count, ...] = ()
    """What `pjreg show counters` shows."""
    this: ThisMachine | None = None
    """Where this machine stands in its fleet, if it is in one."""


class Prometheus:
    """Offers metrics; `measures` takes a look at all registrations, `this` at the fleet's share,
    `counters` are those of the instance."""

    def __init__(
        self,
        measures: Callable[[], Iterable[Measure]],
        this: Callable[[], ThisMachine | None] = lambda: None,
        counters: Counters | None = None,
    ) -> None:
        self._counters = counters or Counters()
        self._refused = self._counters.declare(
            "metrics_refused", "requests for metrics beyond the limit, or without a right to them"
        )
        self._measures = measures
        self._this = this
        self._failures: Counter[tuple[str, str]] = Counter()
        self._attempts: Counter[str] = Counter()
        self._settings = PrometheusSettings()
        self._http = HttpSettings()
        self._server: asyncio.Server | None = None
        self._library: Any = None  # Any: a module that need not be installed
        self._beat: asyncio.TimerHandle | None = None
        self._delay_s = 0.0
        self._scrapes = 0
        self._open = 0

    def start(self, notices: Notices) -> Callable[[], None]:
        """Count from now on; the result ends that."""
        return notices.subscribe(self.tell, Settled)

    async def apply(self, http: HttpSettings, settings: PrometheusSettings) -> list[str]:
        """Listen as configured; why it cannot, nothing when it can or is not wanted."""
        if (http, settings) == (self._http, self._settings) and self._server is not None:
            return []
        await self.close()
        self._http, self._settings = http, settings
        if not (http.enabled and settings.enabled):
            return []
        try:
            self._library = importlib.import_module("prometheus_client")
            importlib.import_module("prometheus_client.core")
        except ImportError:
            what = "prometheus-client is not installed"
            return [f"prometheus.conf: {what}: pip install 'pjreg-cli[prometheus]'"]
        try:
            self._server = await asyncio.start_server(
                self._serve, http.bindaddr, http.bindport, limit=_LARGEST
            )
        except OSError as error:
            where = f"{http.bindaddr}:{http.bindport}"
            return [f"http.conf: cannot listen on {where}: {error.strerror or error}"]
        loop = asyncio.get_running_loop()
        self._beat = loop.call_at(loop.time() + _BEAT_S, self._measure, loop.time() + _BEAT_S)
        return []

    async def close(self) -> None:
        """Listen no more."""
        if self._beat is not None:
            self._beat.cancel()
            self._beat = None
        if self._server is not None:
            self._server.close()
            self._server = None
            await asyncio.sleep(0)

    def tell(self, notice: Notice) -> None:
        """Count an attempt, and what it failed by."""
        if self._server is None or not isinstance(notice, Settled):
            return
        self._attempts[notice.name] += 1
        if not 200 <= notice.evidence.code < 300:
            self._failures[notice.name, notice.why().cause] += 1

    def _measure(self, due_at: float) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        self._delay_s = max(0.0, now - due_at)
        self._beat = loop.call_at(now + _BEAT_S, self._measure, now + _BEAT_S)

    # -- HTTP ---------------------------------------------------------------------------------

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open += 1
        try:
            if self._open > _MOST:
                self._refused.add()
            else:
                async with asyncio.timeout(_PATIENCE_S):
                    head = await reader.readuntil(b"\r\n\r\n")
                    writer.write(await self._answer(head))
                    await writer.drain()
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # whoever asked has gone, or asks for something else than metrics
        finally:
            self._open -= 1
            writer.close()

    async def _answer(self, head: bytes) -> bytes:
        """The response to one request."""
        first, _, rest = head.decode("latin-1").partition("\r\n")
        method, _, target = first.partition(" ")
        path = target.split(" ")[0].split("?")[0]
        parts = (self._http.prefix.strip("/"), self._settings.uri.strip("/"))
        if path.strip("/") != "/".join(part for part in parts if part):
            return _response(404, "Not Found", b"no such path\n")
        if method not in ("GET", "HEAD"):
            return _response(405, "Method Not Allowed", b"only GET\n", "Allow: GET, HEAD")
        if not self._admitted(rest):
            self._refused.add()
            realm = self._settings.auth_realm.replace('"', "")
            ask = f'WWW-Authenticate: Basic realm="{realm}"'
            return _response(401, "Unauthorized", b"credentials are wanted\n", ask)
        body = await asyncio.to_thread(self._text, self._snapshot())
        kind = f"Content-Type: {self._library.CONTENT_TYPE_LATEST}"
        return _response(200, "OK", body if method == "GET" else b"", kind)

    def _admitted(self, headers: str) -> bool:
        settings = self._settings
        if not settings.auth_username:
            return True
        pair = f"{settings.auth_username}:{settings.auth_password.get_secret_value()}"
        wanted = base64.b64encode(pair.encode())
        for line in headers.split("\r\n"):
            name, _, value = line.partition(":")
            scheme, _, given = value.strip().partition(" ")
            if name.lower() == "authorization" and scheme.lower() == "basic":
                return hmac.compare_digest(given.strip().encode("latin-1"), wanted)
        return False

    # -- metrics ------------------------------------------------------------------------------

    def _snapshot(self) -> Snapshot:
        self._scrapes += 1
        return Snapshot(
            list(self._measures()),
            dict(self._failures),
            dict(self._attempts),
            self._delay_s,
            self._scrapes,
            self._counters.counts(),
            self._this(),
        )

    def _text(self, snapshot: Snapshot) -> bytes:
        """The whole text; called in a thread."""
        library = self._library
        registry = library.CollectorRegistry(auto_describe=False)
        families = _families(
            library.core, snapshot, core_metrics=self._settings.core_metrics_enabled
        )
        registry.register(_Collector(list(families)))
        made: bytes = library.generate_latest(registry)
        return made


class _Collector:
    """What prometheus-client asks for metrics."""

    def __init__(self, families: list[Any]) -> None:
        self._families = families

    def collect(self) -> list[Any]:
        """All of them."""
        return self._families


# Any: classes of a module that need not be installed
def _families(core: Any, snapshot: Snapshot, *, core_metrics: bool = True) -> Iterator[Any]:
    gauge, counter = core.GaugeMetricFamily, core.CounterMetricFamily
    by_name = ["name"]
    status = gauge(
        "pjreg_registration_status", "1 for the status it has", labels=["name", "status"]
    )
    code = gauge("pjreg_registration_last_code", "Status code of the last attempt", labels=by_name)
    rtt = gauge("pjreg_registration_round_trip_seconds", "Of the last answer", labels=by_name)
    expiry = gauge("pjreg_registration_expires_seconds", "Until the binding ends", labels=by_name)
    end = gauge("pjreg_registration_ends_timestamp_seconds", "When it ends", labels=by_name)
    retries = gauge("pjreg_registration_retries", "Failed attempts in a row", labels=by_name)
    for one in snapshot.measures:
        labels = [one.name]
        for word in _WORDS:
            status.add_metric([one.name, word.lower()], 1.0 if one.word == word else 0.0)
        if one.code:
            code.add_metric(labels, one.code)
        if one.took_s is not None:
            rtt.add_metric(labels, one.took_s)
        if one.ends_in_s is not None and one.ends_at is not None:
            expiry.add_metric(labels, one.ends_in_s)
            end.add_metric(labels, one.ends_at)
        retries.add_metric(labels, one.retries)
    yield from (status, code, rtt, expiry, end, retries)
    attempts = counter("pjreg_registration_attempts", "Attempts that have settled", labels=by_name)
    for name, count in snapshot.attempts.items():
        attempts.add_metric([name], count)
    failures = counter(
        "pjreg_registration_failures", "Attempts that failed, by cause", labels=["name", "cause"]
    )
    for (name, cause), count in snapshot.failures.items():
        failures.add_metric([name, cause], count)
    yield from (attempts, failures)
    for one_count in snapshot.counts:
        # where a machine stands in its fleet goes up and down, and is below
        if not one_count.name.startswith("cluster_"):
            met = counter(f"pjreg_{one_count.name}", one_count.meaning)
            met.add_metric([], one_count.value)
            yield met
    if (this := snapshot.this) is not None:
        for name, meaning, value in (
            ("pjreg_shards", "Shards of the fleet that are this machine's", this.shards),
            ("pjreg_lease_trust_seconds", "For how long its lease is trusted", this.trust_s),
            ("pjreg_journal_behind_seconds", "The oldest unwritten state", this.behind_s),
            ("pjreg_unowned_shards", "Shards of the fleet that nobody owns", this.unowned),
        ):
            family = gauge(name, meaning)
            family.add_metric([], value)
            yield family
    if core_metrics:
        delay = gauge("pjreg_loop_delay_seconds", "How late the event loop is")
        delay.add_metric([], snapshot.delay_s)
        scrapes = counter("pjreg_scrapes", "How often metrics were read")
        scrapes.add_metric([], snapshot.scrapes)
        yield from (delay, scrapes)


def _response(code: int, reason: str, body: bytes, *headers: str) -> bytes:
    lines = [
        f"HTTP/1.1 {code} {reason}",
        *headers,
        f"Content-Length: {len(body)}",
        "Connection: close",
        "",
        "",
    ]
    return "\r\n".join(lines).encode("latin-1", "replace") + body
