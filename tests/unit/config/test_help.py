"""Explanations, and the page made of them."""

from __future__ import annotations

import pytest

from pjreg_cli.config.help import markdown, modules
from pjreg_cli.config.models import Auth, Global, Registration, System, Transport
from pjreg_cli.config.types import option_names
from tests.support.golden import PROJECT, Golden


@pytest.mark.parametrize(
    ("module", "kind", "model"),
    [
        ("res_pjsip_outbound_registration", "registration", Registration),
        ("res_pjsip", "auth", Auth),
        ("res_pjsip", "transport", Transport),
        ("res_pjsip", "global", Global),
        ("res_pjsip", "system", System),
    ],
)
def test_every_option_is_explained(module: str, kind: str, model: type) -> None:
    (found,) = [one for one in modules() if one.name == module]
    (type_help,) = [one for one in found.types if one.name == kind]
    assert type_help.synopsis
    names = [option.name for option in type_help.options]
    assert names == sorted(names)
    assert set(names) == {"type"} | option_names(model)
    assert all(option.synopsis for option in type_help.options)


def test_type_and_default_are_told() -> None:
    (found,) = [one for one in modules() if one.name == "res_pjsip_outbound_registration"]
    options = {option.name: (option.type_name, option.default) for option in found.types[0].options}
    assert options["retry_interval"] == ("Unsigned Integer", "60")
    assert options["auth_rejection_permanent"] == ("Boolean", "yes")
    assert options["outbound_auth"] == ("List", "")
    assert options["server_uri"] == ("String", "")


def test_documentation_is_current(golden: Golden) -> None:
    golden.check(PROJECT / "docs" / "configuration.md", markdown())
