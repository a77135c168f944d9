"""Sections of the other files to settings, forgivingly."""

from __future__ import annotations

from typing import Any

import pytest

from pjreg_cli.api.configuration import Problem
from pjreg_cli.config.forgiving import make
from pjreg_cli.config.manager_conf import ManagerSettings
from pjreg_cli.config.observers import HookSettings, HttpSettings, PrometheusSettings
from pjreg_cli.config.other_files import (
    ClusterSettings,
    PjregSettings,
    Resolver,
    StatsdSettings,
)
from pjreg_cli.config.section import Section
from pjreg_cli.config.types import validator

MODELS = (
    ClusterSettings, HookSettings, HttpSettings, ManagerSettings, PjregSettings,
    PrometheusSettings, Resolver, StatsdSettings,
)  # fmt: skip


# Any: each model is another
@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_settings_of_a_file_that_is_not_there_are_those_of_an_empty_one(model: type[Any]) -> None:
    problems: list[Problem] = []
    made = make(model, Section("general", "", 0), {}, problems, "x.conf")
    assert made == validator(model)({"source": ""})
    assert problems == []
