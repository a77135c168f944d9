"""Metrics over HTTP, of a running engine."""

from __future__ import annotations

import asyncio
import base64
import urllib.error
import urllib.request

import pytest
from pydantic import SecretStr

from pjreg_cli.api.findings import Finding
from pjreg_cli.config.models import HttpSettings, PrometheusSettings
from pjreg_cli.metrics.prometheus import Prometheus
from tests.support.clock import VirtualLoop
from tests.support.explaining import World, explain, settled
from tests.support.ports import LOOPBACK, free_port
from tests.support.registrar import Answer, fail, grant


def scrape(
    answer: Answer, *paths: str, user: str = "", given: str = "", prefix: str = ""
) -> list[str]:
    """What metrics say once `alice` has been answered so; `STATUS` where they are refused."""
    found: list[str] = []

    def get(url: str) -> str:
        request = urllib.request.Request(url)
        if given:
            pair = base64.b64encode(given.encode()).decode("ascii")
            request.add_header("Authorization", f"Basic {pair}")
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                return str(response.read().decode("utf-8"))
        except urllib.error.HTTPError as error:
            with error:
                return str(error.code)

    async def act(world: World) -> Finding:
        world.registrar.script("alice", answer)
        async with world.running() as engine:
            metrics = Prometheus(engine.registrations.measures)
            metrics.start(engine.notices)
            http = HttpSettings(
                enabled=True, bindaddr=LOOPBACK, bindport=free_port(), prefix=prefix
            )
            settings = PrometheusSettings(
                enabled=True, auth_username=user, auth_password=SecretStr("secret")
            )
            assert await metrics.apply(http, settings) == []
            finding = await world.until(settled)
            loop = asyncio.get_running_loop()
            assert isinstance(loop, VirtualLoop)
            release = loop.hold()
            for path in paths:
                url = f"http://{LOOPBACK}:{http.bindport}{path}"
                found.append(await asyncio.to_thread(get, url))
            release()
            await metrics.close()
        return finding

    explain(act=act)
    return found


def test_what_a_registration_that_stands_tells() -> None:
    (text,) = scrape(grant(600), "/metrics")
    assert 'pjreg_registration_status{name="alice",status="registered"} 1.0' in text
    assert 'pjreg_registration_status{name="alice",status="rejected"} 0.0' in text
    assert 'pjreg_registration_last_code{name="alice"} 200.0' in text
    assert 'pjreg_registration_attempts_total{name="alice"} 1.0' in text
    assert 'pjreg_registration_expires_seconds{name="alice"} ' in text
    assert "pjreg_loop_delay_seconds" in text


def test_failures_count_by_their_cause() -> None:
    (text,) = scrape(fail(403), "/metrics")
    assert 'failures_total{cause="forbidden-at-once",name="alice"} 1.0' in text
    assert 'pjreg_registration_status{name="alice",status="rejected"} 1.0' in text


def test_other_paths_and_a_prefix() -> None:
    assert scrape(grant(), "/metrics", "/sip/metrics?x=1", prefix="/sip")[0] == "404"


@pytest.mark.parametrize(("given", "refused"), [("", True), ("x:y", True), ("bob:secret", False)])
def test_a_password_is_asked_for_where_one_is_configured(given: str, refused: bool) -> None:
    (text,) = scrape(grant(), "/metrics", user="bob", given=given)
    assert (text == "401") is refused
    assert "secret" not in text


async def test_a_port_that_is_taken_is_told() -> None:
    metrics = Prometheus(lambda: ())
    port = free_port()
    server = await asyncio.start_server(lambda _reader, _writer: None, LOOPBACK, port)
    http = HttpSettings(enabled=True, bindaddr=LOOPBACK, bindport=port)
    (why,) = await metrics.apply(http, PrometheusSettings(enabled=True))
    server.close()
    assert f"cannot listen on {LOOPBACK}:{port}" in why
