"""Configurations as they grow in the field, read as Asterisk reads them."""

from __future__ import annotations

import pytest

from pjreg_cli.config.check import check
from pjreg_cli.config.load import load
from pjreg_cli.config.settings import Settings
from tests.support.golden import FIXTURES, Golden

FIELD = FIXTURES / "field"
NAMES = sorted(one.name for one in FIELD.iterdir() if one.name != "scripts")


def configuration(number: str) -> Settings:
    (name,) = (name for name in NAMES if name.startswith(number))
    return load(FIELD / name)


@pytest.mark.parametrize("name", NAMES)
def test_what_check_says_of_it_is_as_before(name: str, golden: Golden) -> None:
    found = check(FIELD / name)
    lines = [f"{p.where}: {p.level.value}: {p.message}\n" for p in found]
    text = "".join(lines).replace(f"{FIELD / name}/", "")
    golden.check(FIELD / name / "check.txt", text)


def test_generated_split_is_read_in_the_order_of_its_includes() -> None:
    settings = configuration("60")
    trunk = settings.registrations["TRUNK1"]
    assert (trunk.transport, trunk.line, trunk.max_retries) == ("0.0.0.0-udp", True, 10)
    # the semicolon of the password begins a comment
    assert settings.auths["TRUNK1"].password.get_secret_value() == "Secret"
    assert len(settings.transports["0.0.0.0-udp"].local_net) == 2


def test_section_without_a_type_sets_no_defaults() -> None:
    settings = configuration("62")
    assert list(settings.registrations) == ["provider"]
    assert settings.registrations["provider"].max_retries == 10


def test_wizard_makes_a_registration_for_each_host() -> None:
    settings = configuration("65")
    assert [(r.name, r.server_uri) for r in settings.registrations.values()] == [
        ("apac-reg-0", "sip:pbx.sip.singapore.example.com"),
        ("apac-reg-1", "sip:pbx.sip.tokyo.example.com"),
        ("star-reg-0", "sip:sip.example.net:5060"),
    ]
    assert settings.auths["apac-oauth"].password.get_secret_value() == "my%Pass$1"
    star = settings.registrations["star-reg-0"]
    assert (star.client_uri, star.contact_user) == (
        "sip:12345*200@sip.example.net:5060",
        "12345*200",
    )


def test_flow_transport_needs_no_bind() -> None:
    settings = configuration("68")
    assert settings.registrations["gv1"].transport == "gv1"
    assert settings.transports["gv1"].protocol == "flow"


def test_letter_case_and_variables_are_kept_as_they_are() -> None:
    settings = configuration("71")
    branch = settings.registrations["branch-3888-reg"]
    assert branch.server_uri == "sip:vpbx-company-3075.CLOUDPBX.EXAMPLE.KZ"
    assert branch.outbound_proxy == "sip:198.51.100.231:6050;lr"
    secret = settings.auths["branch-3888-auth"].password.get_secret_value()
    assert secret == "${BRANCH_PASSWORD}"
    assert settings.registrations["e5550100"].contact_user == "+34985550100"


def test_header_inside_a_line_opens_no_section() -> None:
    settings = configuration("75")
    (trunk,) = settings.registrations.values()
    assert (trunk.name, trunk.server_uri) == ("trunk-reg", "sip:example.com")
