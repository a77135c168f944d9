"""The models themselves."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace
from typing import Any

import pytest
from pydantic import ValidationError

from pjreg_cli.config import models
from pjreg_cli.config.models import Auth, Registration
from pjreg_cli.config.types import OURS, explained, validator

ALL: list[Any] = [getattr(models, name) for name in models.__all__]


def test_moved_section_equals_itself() -> None:
    one = Registration(name="a", source="f:1")
    assert one == Registration(name="a", source="g:2")
    assert one != replace(one, retry_interval=61)


def test_unknown_option_is_refused_and_values_cannot_change() -> None:
    with pytest.raises(ValidationError):
        validator(Registration)({"name": "a", "source": "f:1", "colour": "red"})
    with pytest.raises(FrozenInstanceError):
        Registration(name="a", source="f:1").name = "b"  # type: ignore[misc]


def test_secrets_do_not_show() -> None:
    texts = {"password": "hunter2", "password_digest": "MD5:" + "ab" * 16}
    auth = validator(Auth)({"name": "a", "source": "f:1", **texts})
    assert "hunter2" not in repr(auth)
    assert "abab" not in repr(auth)


@pytest.mark.parametrize("model", ALL, ids=models.__all__)
def test_every_model_and_option_is_explained(model: Any) -> None:
    assert model.__doc__.strip().endswith(".")
    for name, field in explained(model).items():
        if name not in OURS | {"aliases", "startup_commands", "resolv", "resolv_file"}:
            assert field.synopsis, name
