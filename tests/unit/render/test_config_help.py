"""The explanations of modules, sections and options, for readers and for machines."""

from __future__ import annotations

from pjreg_cli.api.configuration import ModuleHelp, OptionHelp, TypeHelp
from pjreg_cli.render import config_help

OPTION = OptionHelp("bind", "Address to listen on", "With or without a port.", "String", "")
SECTION = TypeHelp("transport", "How we are reached", "A socket.", (OPTION,))
MODULE = ModuleHelp("res_pjsip", (SECTION,))


def test_modules_and_their_sections_are_listed_a_line_each() -> None:
    assert "".join(config_help.modules([MODULE])).endswith("\tres_pjsip\n")
    assert "".join(config_help.module(MODULE)) == (
        f"Sections of res_pjsip:\n\n{'transport':<25} -- How we are reached\n"
    )


def test_a_section_tells_its_options() -> None:
    text = "".join(config_help.section("res_pjsip/transport", SECTION))
    assert "-= Info about Config Type 'res_pjsip/transport' =-" in text
    assert f"{'bind':<25} -- Address to listen on" in text


def test_an_option_tells_its_type_and_default() -> None:
    text = "".join(config_help.option("res_pjsip/transport/bind", OPTION))
    assert "bind = [String] (Default: n/a) (Regex: false)" in text


def test_machines_get_the_same_as_one_object() -> None:
    assert config_help.module_shape(MODULE) == {
        "name": "res_pjsip",
        "types": [
            {
                "name": "transport",
                "synopsis": "How we are reached",
                "description": "A socket.",
                "options": [
                    {
                        "name": "bind",
                        "synopsis": "Address to listen on",
                        "description": "With or without a port.",
                        "type": "String",
                        "default": "",
                    }
                ],
            }
        ],
    }
