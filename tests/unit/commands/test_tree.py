"""Lines in, replies out: the language itself."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pjreg_cli.commands import tree
from pjreg_cli.commands.tree import Kind, Suggestion, execute, suggest
from pjreg_cli.errors import ConfigError
from tests.support.fake_port import Fake, FakeConfiguration, registration
from tests.support.golden import FIXTURES, PROJECT, Golden
from tests.support.transcript import console, said, transcript


def trunks() -> Fake:
    return Fake(
        views=[
            registration(
                "my_provider", "Rejected", -20, server_uri="sip:registrar@127.0.0.1:15999"
            ),
            registration("outreg", "Rejected", -25, server_uri="sip:registrar@127.0.0.1:15999"),
            registration("My Trunk", "Registered", 50, server_uri="sip:127.0.0.1"),
        ]
    )


def aliased(**aliases: str) -> Fake:
    fake = trunks()
    fake.configuration = FakeConfiguration(
        defined={name.replace("_", " "): command for name, command in aliases.items()}
    )
    return fake


async def test_unknown_commands_are_answered_as_asterisk_does(golden: Golden) -> None:
    lines = ["bogus", "pjsip", "pjsip bogus", "help", "?", "reload", "pjsip reload", "quit"]
    lines += ["pjsip list registration my_provider", "core stop", "core stop bogus", "core restart"]
    lines += ["pjsip show registrations;", '"pjsip show registrations"']
    lines += ["pjsip 'show' registrations", "pjsip set history bogus", "cli a b c"]
    text = await transcript(console(trunks()), lines)
    golden.check(FIXTURES / "console/unknown.txt", text)


@pytest.mark.parametrize("line", ["", "   ", "\t"])
async def test_empty_line_says_nothing(line: str) -> None:
    reply = await execute(line, console(trunks()))
    assert (list(reply.output), reply.ok) == ([], True)


async def test_failed_command_repeats_its_line_as_typed() -> None:
    text = await said(console(trunks()), 'pjsip  send unregister "no such"')
    assert text == (
        "Unable to retrieve registration no such\n"
        "Command 'pjsip  send unregister \"no such\"' failed.\n"
    )


async def test_what_goes_wrong_below_becomes_a_failed_command() -> None:
    fake = trunks()
    fake.configuration.raised = ConfigError("no closing bracket", "pjsip.conf", 3)
    reply = await execute("pjreg reload plan", console(fake))
    assert "".join(reply.output) == (
        "pjsip.conf:3: no closing bracket\nCommand 'pjreg reload plan' failed.\n"
    )
    assert not reply.ok


# -- help -------------------------------------------------------------------------------------


async def test_help_of_every_command_is_kept(golden: Golden) -> None:
    asker = console(trunks(), Kind.CONSOLE)
    rows = json.loads(await said(console(trunks(), Kind.CONSOLE, json=True), "core show help"))
    usages = "".join(row["usage"] + "\n" for row in rows)
    text = await transcript(asker, ["core show help"]) + "\n" + usages
    golden.check(FIXTURES / "console/help.txt", text)


async def test_help_of_words_that_begin_commands_or_none(golden: Golden) -> None:
    lines = [
        "core show help pjsip send",
        "core show help pjsip sh",
        "core show help pjsip list reg",
    ]
    lines += ["core show help bogus", "core show help pjsip show registrations extra"]
    lines += ["core show help pjsip set history", "core show help pjsip set history on"]
    lines += ["core show help core stop", "core show help core stop now", "help core stop now"]
    text = await transcript(console(trunks()), lines)
    golden.check(FIXTURES / "console/help-of-words.txt", text)


@pytest.mark.parametrize(
    ("words", "first"),
    [
        ("pjsip send register", "Usage: pjsip send register <registration> | *all "),
        ("pjsip show registrations", "Usage: pjsip show registrations [ like <pattern> ]"),
        ("pjsip show registration", "Usage: pjsip show registration <id>"),
        ("pjsip list auths", "Usage: pjsip list auths [ like <pattern> ]"),
        ("pjsip show history", "Usage: pjsip show history [entry <num>|where [...]]"),
        ("core set verbose", "Usage: core set verbose [atleast] <level> [silent]"),
        ("core set debug", "Usage: core set debug [atleast] <level> [module]"),
        ("core show uptime", "Usage: core show uptime [seconds]"),
        ("manager show user", " Usage: manager show user <user>"),
    ],
)
async def test_usage_begins_as_asterisks_does(words: str, first: str) -> None:
    text = await said(console(trunks()), f"core show help {words}")
    assert text.splitlines()[0] == first


# -- who asks ---------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [Kind.ONE_SHOT, Kind.MANAGER])
@pytest.mark.parametrize("line", ["help", "?", "quit", "exit", "reload", "pjsip reload"])
async def test_words_for_those_who_type_are_unknown_elsewhere(kind: Kind, line: str) -> None:
    assert (await said(console(trunks(), kind), line)).startswith("No such command")


@pytest.mark.parametrize("kind", [Kind.CONSOLE, Kind.REMOTE])
async def test_those_who_type_can_leave_reload_and_get_help(kind: Kind) -> None:
    fake = trunks()
    asker = console(fake, kind)
    assert (await execute("quit", asker)).quit
    assert (await execute("exit", asker)).quit
    assert (await said(asker, "help pjsip send")).startswith("pjsip send register ")
    assert await said(asker, "? bogus") == "No such command 'bogus'.\n"
    assert await said(asker, "reload") == ""
    assert "reloaded successfully" in await said(asker, "pjsip reload")
    assert fake.instance.log == ["reload", "reload res_pjsip.so"]


# -- aliases ----------------------------------------------------------------------------------


async def test_aliases_stand_for_their_command_and_take_more_words(golden: Golden) -> None:
    fake = aliased(
        regs="pjsip show registrations",
        sip_show_registry="pjsip show registrations",
        u="pjsip send unregister",
        again="regs",
        nothing="bogus words",
        core_reload="bogus",
    )
    lines = ["cli show aliases", "regs", "REGS like nothing", "sip show  registry like out"]
    lines += ["u nobody", 'u "no body"', "again like My", "nothing more", "core reload"]
    lines += ["core show help regs", "core show help sip show registry", "core show help sip"]
    text = await transcript(console(fake), lines)
    golden.check(FIXTURES / "console/aliases.txt", text)


async def test_without_aliases_only_their_head_is_shown() -> None:
    text = await said(console(trunks()), "cli show aliases")
    assert text == f"{'Alias Command':<50} {'Real Command':<50}\n"


async def test_alias_that_leads_back_to_itself_ends() -> None:
    reply = await execute("a", console(aliased(a="b x", b="a y")))
    assert not reply.ok
    assert "leads back to itself" in "".join(reply.output)


async def test_alias_takes_the_place_of_a_word_for_those_who_type_but_not_of_quit() -> None:
    fake = aliased(reload="module reload res_pjsip.so", quit="core stop now")
    asker = console(fake, Kind.REMOTE)
    await said(asker, "reload")
    assert (await execute("quit", asker)).quit
    assert fake.instance.log == ["reload res_pjsip.so"]


# -- JSON -------------------------------------------------------------------------------------


async def test_failure_is_an_error_object() -> None:
    asker = console(trunks(), json=True)
    reply = await execute("pjsip send unregister nope", asker)
    assert json.loads("".join(reply.output)) == {
        "error": "Unable to retrieve registration nope\n"
        "Command 'pjsip send unregister nope' failed."
    }
    assert not reply.ok
    assert "No such command" in json.loads(await said(asker, "bogus"))["error"]


async def test_command_without_a_shape_of_its_own_gives_its_lines() -> None:
    text = await said(console(trunks(), json=True), "pjsip send register *all")
    assert json.loads(text) == {"output": ["Re-register all queued"]}


def every_line() -> list[str]:
    """Every command, in each of its forms, alone and with a name behind it."""
    lines = []
    for row in tree.COMMANDS:
        *fixed, last = row.words.split(" ")
        forms = last.strip("{}[]").split("|") + ([""] if last.startswith("[") else [])
        for form in forms:
            line = " ".join([*fixed, form]).strip()
            lines += [line, f"{line} my_provider"]
    return lines


@pytest.mark.parametrize("line", every_line())
async def test_every_command_answers_a_machine_in_json(line: str) -> None:
    reply = await execute(line, console(trunks(), Kind.CONSOLE, json=True))
    json.loads("".join(reply.output))
    assert reply.complaints == ()


# -- suggestions ------------------------------------------------------------------------------


def texts(typed: str, fake: Fake | None = None, kind: Kind = Kind.CONSOLE) -> list[str]:
    return [found.text for found in suggest(typed, console(fake or trunks(), kind))]


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("pjsip show registr", ["registration", "registrations"]),
        ("pjsip s", ["send", "set", "show"]),
        ("PJSIP S", ["send", "set", "show"]),
        ("pjsip send unregister ", ["*all", "My\\ Trunk", "my_provider", "outreg"]),
        ("pjsip send unregister my", ["my_provider"]),
        ("pjsip send unregister outreg ", []),
        ("pjsip show registration o", ["outreg"]),
        ('pjsip show registration "My', ['"My Trunk"']),
        ("pjsip show registrations ", ["like"]),
        ("pjsip set logger m", ["method", "methodadd"]),
        ("pjsip set logger verbose ", ["on", "off"]),
        ("core stop ", ["gracefully", "now", "when"]),
        ("logger set level E", ["ERROR"]),
        ("core show help pjsip se", ["send", "set"]),
        ("module show ", ["like"]),
        ("bogus ", []),
        ("co", ["config", "core"]),
    ],
)
def test_words_that_may_follow_are_suggested(typed: str, words: list[str]) -> None:
    assert texts(typed) == words


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("pjsip show registration prov", ["my_provider"]),
        ("pjsip show registration YPR", ["my_provider"]),
        ("pjsip show rgs", ["registration"]),
        ("pjsip show registration zzz", []),
        ("pjsip show registrations like my", ["my_provider"]),
        ("pjsip list registrations like My", [r"My\ Trunk"]),
    ],
)
def test_letters_in_their_order_are_enough_for_those_who_type(typed: str, words: list[str]) -> None:
    assert words[0:1] == texts(typed)[0:1]
    if " like " not in typed:
        assert texts(typed, kind=Kind.ONE_SHOT) == []


def test_names_come_with_how_they_stand() -> None:
    found = suggest("pjsip send unregister o", console(trunks()))
    assert [one.description for one in found] == ["Rejected"]


@pytest.mark.exhaustive
def test_of_very_many_words_the_first_the_last_and_their_number_are_told() -> None:
    fake = Fake(views=[registration(f"trunk-{number:04}") for number in range(5000)])
    found = suggest("pjsip show registration tr", console(fake))
    assert (len(found), found.more) == (1000, 4000)
    assert (found[0].text, found[-1].text) == ("trunk-0000", "trunk-4999")


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("pjsip shwo registrations", "pjsip show registrations"),
        ("pjsp show registrations like x", "pjsip show registrations like x"),
        ("pjsip show reg", "pjsip show registration"),
        ("pjsip sho registration my_provider", "pjsip show registration my_provider"),
        ("core stop graceful", "core stop gracefully"),
    ],
)
async def test_those_who_type_are_asked_what_they_meant(line: str, meant: str) -> None:
    told = "".join((await execute(line, console(trunks(), Kind.CONSOLE))).output)
    assert told.startswith(f"No such command '{line}' (type ")
    assert told.endswith(f"\nDid you mean '{meant}'?\n")
    assert "Did you mean" not in await said(console(trunks()), line)


async def test_a_misspelt_name_is_put_right_for_those_who_type() -> None:
    for line in ("pjsip show registration my_privider", "pjsip send register my_provder"):
        told = "".join((await execute(line, console(trunks(), Kind.CONSOLE))).output)
        assert "Did you mean 'my_provider'?" in told
        assert "Did you mean" not in await said(console(trunks()), line)


def test_suggestion_replaces_what_was_begun_and_explains() -> None:
    found = suggest("core rel", console(trunks()))
    assert found == [Suggestion("reload", -3, "Reload everything")]


def test_arguments_of_an_alias_are_those_of_its_command() -> None:
    fake = aliased(u="pjsip send unregister")
    assert texts("u my", fake) == ["my_provider"]


def test_words_for_those_who_type_are_suggested_to_them_alone() -> None:
    assert "quit" in texts("")
    assert "quit" not in texts("", kind=Kind.ONE_SHOT)


@settings(max_examples=200)
@given(st.text(alphabet=st.sampled_from(list('pjsip shownger"\\ *{}[]|')), max_size=30))
async def test_any_line_is_answered_and_any_beginning_completed(line: str) -> None:
    asker = console(trunks(), Kind.CONSOLE)
    assert isinstance("".join((await execute(line, asker)).output), str)
    for found in suggest(line, asker):
        assert -len(line) <= found.start_position <= 0


async def test_every_command_that_shows_something_is_described_in_docs_json() -> None:
    described = (PROJECT / "docs/json.md").read_text(encoding="utf-8")
    rows = json.loads(await said(console(trunks(), json=True), "core show help"))
    shown = [row["command"].split(" [")[0] for row in rows]
    shown = [words for words in shown if {"show", "list", "pjreg"} & set(words.split())]
    assert [words for words in shown if f"`{words}" not in described] == []
