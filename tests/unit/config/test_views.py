"""The views of a configuration: sorted, masked, and only of what there is."""

from __future__ import annotations

from pathlib import Path

import pytest

from pjreg_cli.config.load import Settings, load
from pjreg_cli.config.views import ConfigurationViews

TEXT = """
[two]
type=transport
bind=127.0.0.1
[one]
type=transport
protocol=tcp
bind=[::1]:5070
[b]
type=auth
username=ub
password=hidden
[a]
type=auth
username=ua
password=hidden
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "pjsip.conf").write_text(TEXT)
    return load(tmp_path)


def views(settings: Settings, *, opened: tuple[str, ...] = ("two", "one")) -> ConfigurationViews:
    return ConfigurationViews(lambda: settings, lambda: opened, reveal=False)


def test_auth_sections_are_sorted_and_their_secrets_masked(settings: Settings) -> None:
    shown = views(settings).auths()
    assert [(one.name, one.columns) for one in shown] == [("a", ("ua",)), ("b", ("ub",))]
    assert "hidden" not in str(shown)
    assert views(settings).auth("nobody") is None


def test_transports_are_sorted_and_only_those_that_are_open(settings: Settings) -> None:
    assert [one.columns for one in views(settings).transports()] == [
        ("tcp", "0", "0", "[::1]:5070"),
        ("udp", "0", "0", "127.0.0.1:5060"),
    ]
    closed = views(settings, opened=("one",))
    assert [one.name for one in closed.transports()] == ["one"]
    assert closed.transport("two") is None
    assert closed.transport("one") is not None


async def test_a_sound_configuration_has_no_problems_and_plans_nothing(settings: Settings) -> None:
    assert list(await views(settings).plan()) == []
    assert [one.message for one in await views(settings).problems()] == []
