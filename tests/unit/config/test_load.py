"""Files to settings, and what each kind of change means on a reload."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pjreg_cli.api.configuration import Level
from pjreg_cli.config.load import Scope, Settings, load, reload
from pjreg_cli.config.plan import plan
from pjreg_cli.errors import ConfigError

UDP = "[udp]\ntype=transport\nbind=127.0.0.1:5060\n"
_ticks = iter(range(1, 10**9))


def registration(name: str, *lines: str) -> str:
    body = "\n".join(lines)
    return (
        f"[{name}]\ntype=registration\nserver_uri=sip:10.0.0.1\n"
        f"client_uri=sip:{name}@10.0.0.1\n{body}\n"
    )


def auth(name: str, *lines: str) -> str:
    return "\n".join([f"[{name}]", "type=auth", "username=u", *lines, ""])


Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes files into a configuration directory; each writing is a later one."""

    def writer(*main: str, **others: str) -> Path:
        files = {"pjsip.conf": "".join(main)} if main else {}
        files |= {name.replace("__", "/") + ".conf": text for name, text in others.items()}
        for name, text in files.items():
            file = tmp_path / name
            file.parent.mkdir(exist_ok=True)
            file.write_text(text, encoding="utf-8")
            moment = 10**18 + next(_ticks) * 10**9
            os.utime(file, ns=(moment, moment))
        return tmp_path

    return writer


def lines(settings: Settings) -> list[str]:
    return [f"{Path(p.path).name}:{p.line}" for p in settings.problems]


# -- the start --------------------------------------------------------------------------------


def test_directory_and_file_mean_the_same(write: Write) -> None:
    directory = write(UDP, registration("a"))
    by_file = load(directory / "pjsip.conf")
    assert by_file.registrations == load(directory).registrations
    assert by_file.directory == directory


@pytest.mark.parametrize("missing", ["nothere", "nothere/pjsip.conf", "\0"])
def test_missing_configuration_is_an_error(tmp_path: Path, missing: str) -> None:
    with pytest.raises(ConfigError):
        load(tmp_path / missing)


def test_directory_without_pjsip_conf_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"pjsip\.conf"):
        load(tmp_path)


def test_sections_keep_the_order_and_the_place_of_the_file(write: Write) -> None:
    directory = write(UDP, registration("b"), registration("a"), auth("b", "password=p"))
    settings = load(directory)
    assert list(settings.registrations) == ["b", "a"]
    assert settings.registrations["a"].source == f"{directory}/pjsip.conf:9"
    assert list(settings.auths) == ["b"]
    assert settings.problems == ()


def test_broken_file_leaves_nothing_and_one_problem(write: Write) -> None:
    settings = load(write(UDP, registration("a"), "[broken\n"))
    assert not settings.registrations
    assert not settings.transports
    assert lines(settings) == ["pjsip.conf:9"]


def test_two_registrations_of_one_name_leave_none_but_spare_the_rest(write: Write) -> None:
    both = registration("a") + registration("a") + registration("b")
    settings = load(write(UDP, both, auth("a", "password=p")))
    assert not settings.registrations
    assert list(settings.auths) == ["a"]
    assert list(settings.transports) == ["udp"]
    assert lines(settings) == ["pjsip.conf:9"]


def test_same_name_for_objects_of_different_type_is_normal(write: Write) -> None:
    settings = load(write("[x]\ntype=transport\nbind=::\n", auth("x", "password=p")))
    assert (list(settings.transports), list(settings.auths)) == (["x"], ["x"])


def test_invalid_double_does_not_count(write: Write) -> None:
    settings = load(write(UDP, registration("a", "expiration=x"), registration("a")))
    assert list(settings.registrations) == ["a"]


def test_templates_and_sections_for_calls_are_no_registrations(write: Write) -> None:
    calls = "[e]\ntype=endpoint\ncontext=x\n[n]\nfoo=bar\n[r]\ntype=Registration\n"
    settings = load(write(UDP, registration("t").replace("]", "](!)", 1), calls))
    assert not settings.registrations
    assert settings.problems == ()


def test_global_decides_about_algorithms_of_auth_sections(write: Write) -> None:
    text = "[g]\ntype=global\ndefault_auth_algorithms_uac=SHA-256\nuser_agent=x\n"
    settings = load(write(auth("a", "password=p"), text))
    assert settings.global_.user_agent == "x"
    assert settings.auths["a"].supported_algorithms_uac == ("SHA-256",)
    assert settings.auths["a"].supported_algorithms_uas == ("MD5",)


def test_timers_are_raised_to_the_least(write: Write) -> None:
    settings = load(write("[s]\ntype=system\ntimer_t1=10\ntimer_b=200\n"))
    assert (settings.system.timer_t1, settings.system.timer_b) == (100, 6400)
    assert lines(settings) == ["pjsip.conf:3", "pjsip.conf:4"]


def test_companion_files_are_read(write: Write) -> None:
    settings = load(
        write(
            UDP,
            manager="[general]\nenabled=yes\n[admin]\nsecret=a-long-one\n",
            statsd="[general]\nenabled=yes\nserver=127.0.0.1:99\n",
            resolver_unbound="[general]\nnameserver=127.0.0.1@53\nresolv=\n",
            cli_aliases="[general]\ntemplate=t\n[t]\nr=pjsip show registrations\n",
            cli="[startup_commands]\ncore set verbose 3 = yes\nnot this = no\n",
            pjreg="[general]\nkeep_nonce=yes\n",
        )
    )
    assert (settings.manager.enabled, settings.manager.users[0].name) == (True, "admin")
    assert (settings.statsd.server, settings.statsd.port) == ("127.0.0.1", 99)
    assert (settings.resolver.nameservers, settings.resolver.resolv) == (
        (("127.0.0.1", 53),),
        False,
    )
    assert settings.console.aliases == {"r": "pjsip show registrations"}
    assert settings.console.startup_commands == ("core set verbose 3",)
    assert settings.pjreg.keep_nonce
    assert settings.problems == ()


def test_bytes_that_are_no_utf_8_keep_their_values(write: Write, tmp_path: Path) -> None:
    write(UDP)
    text = registration("a", "user_agent=M\xfcnchen", "outbound_auth=\xe9").encode("latin-1")
    text += auth("\xe9", "password=p\xe9").encode("latin-1")
    with (tmp_path / "pjsip.conf").open("ab") as file:
        file.write(text)
    settings = load(tmp_path)
    (name,) = settings.auths
    secret = settings.auths[name].password.get_secret_value()
    agent = settings.registrations["a"].user_agent
    assert [os.fsencode(text) for text in (name, secret, agent)] == [
        b"\xe9",
        b"p\xe9",
        b"M\xfcnchen",
    ]
    assert settings.registrations["a"].outbound_auth == (name,)


def test_users_are_held_to_the_lists_of_acl_conf(write: Write) -> None:
    manager = "[general]\nenabled=yes\nbindaddr=127.0.0.1\n[a]\nsecret=x\nacl=ten\n"
    nobody = load(write(UDP, manager=manager))
    assert not nobody.manager.users[0].access.admits("10.1.1.1")
    assert lines(nobody) == ["manager.conf:6"]
    write(acl="[ten]\ndeny=0.0.0.0/0\npermit=10.0.0.0/8\n")
    outcome = reload(nobody, Scope.MANAGER)
    access = outcome.settings.manager.users[0].access
    assert (access.admits("10.1.1.1"), access.admits("127.0.0.1")) == (True, False)
    assert outcome.ok
    assert outcome.problems == ()
    write(acl="[ten\n")
    broken = reload(outcome.settings, Scope.MANAGER)
    assert [(Path(e.path).name, e.line) for e in broken.errors] == [("acl.conf", 1)]
    assert broken.settings.manager == outcome.settings.manager
    assert not reload(broken.settings, Scope.MANAGER).ok


def test_broken_lists_at_the_start_let_nobody_in(write: Write) -> None:
    manager = "[general]\nenabled=yes\nbindaddr=127.0.0.1\n[a]\nsecret=x\nacl=ten\n"
    settings = load(write(UDP, manager=manager, acl="[ten]\npermit=0.0.0.0/0\n[x\n"))
    assert not settings.manager.users[0].access.admits("10.1.1.1")
    assert lines(settings) == ["manager.conf:6", "acl.conf:3"]


# -- reload -----------------------------------------------------------------------------------

BOTH = pytest.mark.parametrize("scope", [Scope.REGISTRATIONS, Scope.PJSIP, Scope.ALL])


@BOTH
def test_untouched_files_are_not_read(write: Write, scope: Scope) -> None:
    old = load(write(UDP, registration("a")))
    outcome = reload(old, scope)
    assert not outcome.difference.touched
    assert outcome.settings.registrations is old.registrations
    assert outcome.difference.auths_read is (scope is not Scope.REGISTRATIONS)


@BOTH
def test_moved_section_is_the_same(write: Write, scope: Scope) -> None:
    old = load(write(UDP, registration("a")))
    write("; a comment\n\n", UDP, registration("a"))
    outcome = reload(old, scope)
    assert outcome.ok
    assert outcome.difference.touched
    assert not outcome.difference.changed
    assert outcome.settings.registrations["a"].source.endswith(":6")


@BOTH
def test_each_kind_of_change_is_told(write: Write, scope: Scope) -> None:
    old = load(write(UDP, registration("same"), registration("less"), registration("other")))
    changed = registration("other", "retry_interval=5", "outbound_auth=x,y")
    write(UDP, registration("same"), registration("more"), changed)
    outcome = reload(old, scope)
    assert outcome.difference.added == ("more",)
    assert outcome.difference.removed == ("less",)
    assert outcome.difference.changed == {
        "other": ("outbound_auth:  -> x,y", "retry_interval: 60 -> 5")
    }
    assert list(outcome.settings.registrations) == ["same", "more", "other"]


@BOTH
def test_section_that_became_invalid_stays_as_it_was(write: Write, scope: Scope) -> None:
    old = load(write(UDP, registration("a", "expiration=60"), registration("b")))
    write(UDP, registration("a", "expiration=soon"), registration("c", "expiration=soon"))
    outcome = reload(old, scope)
    assert outcome.ok
    assert outcome.settings.registrations["a"].expiration == 60
    assert outcome.difference.removed == ("b",)
    assert not outcome.difference.changed
    assert list(outcome.difference.refused) == ["a", "c"]
    assert "form in force stays" in outcome.problems[0].message


@BOTH
@pytest.mark.parametrize("what", ["broken", "gone", "include"])
def test_file_given_up_changes_nothing(
    write: Write, tmp_path: Path, scope: Scope, what: str
) -> None:
    old = load(write(UDP, registration("a")))
    if what == "gone":
        (tmp_path / "pjsip.conf").unlink()
    else:
        write(registration("b"), "[c\n" if what == "broken" else "#include x\n")
    outcome = reload(old, scope)
    assert not outcome.ok
    assert outcome.settings.registrations == old.registrations
    assert outcome.settings.transports == old.transports
    assert not outcome.difference.removed
    write(UDP, registration("b"))
    assert reload(outcome.settings, scope).difference.added == ("b",)


@BOTH
def test_empty_file_removes_everything(write: Write, scope: Scope) -> None:
    old = load(write(UDP, registration("a")))
    write("\n")
    outcome = reload(old, scope)
    assert outcome.ok
    assert outcome.difference.removed == ("a",)


@BOTH
def test_duplicate_keeps_all_old_registrations(write: Write, scope: Scope) -> None:
    old = load(write(UDP, registration("a"), registration("b")))
    write(UDP, registration("a", "expiration=5"), registration("b"), registration("b"))
    outcome = reload(old, scope)
    assert not outcome.ok
    assert outcome.settings.registrations == old.registrations
    assert not outcome.difference.changed


@pytest.mark.parametrize("turned", ["](!)", "]\ntype=endpoint\n;"])
def test_section_turned_into_something_else_is_removed(write: Write, turned: str) -> None:
    old = load(write(UDP, registration("a")))
    text = registration("a").replace("]", turned, 1)
    if "endpoint" in turned:
        text = text.replace("type=registration\n", "")
    write(UDP, text)
    assert reload(old, Scope.REGISTRATIONS).difference.removed == ("a",)


def test_changed_include_counts_as_change_of_the_file(write: Write) -> None:
    old = load(write(UDP, "#include r.conf\n", r=registration("a")))
    write(r=registration("a", "expiration=99"))
    assert list(reload(old, Scope.REGISTRATIONS).difference.changed) == ["a"]


def test_new_match_of_a_wildcard_counts_as_change(write: Write) -> None:
    old = load(write(UDP, "#include d/*.conf\n", d__one=registration("a")))
    assert not reload(old, Scope.ALL).difference.touched
    write(d__two=registration("b"))
    assert reload(old, Scope.ALL).difference.added == ("b",)


def test_module_alone_reads_neither_auths_nor_transports(write: Write) -> None:
    old = load(write(UDP, auth("x", "password=old"), registration("a")))
    added = "[tcp]\ntype=transport\nprotocol=tcp\nbind=127.0.0.1\n"
    by_tcp = registration("b", "server_uri=sip:10.0.0.1\\;transport=tcp")
    write(UDP, added, auth("x", "password=new"), registration("a"), by_tcp)
    first = reload(old, Scope.REGISTRATIONS)
    assert first.settings.auths is old.auths
    assert first.settings.transports is old.transports
    assert list(first.difference.refused) == ["b"]
    # what one reload has not looked at is still new to the other
    second = reload(first.settings, Scope.PJSIP)
    assert second.settings.auths["x"].password.get_secret_value() == "new"
    assert second.difference.auths_changed == ("x",)
    assert set(second.settings.transports) - set(old.transports) == {"tcp"}


def test_changed_transport_waits_for_a_restart_unless_it_allows_reload(write: Write) -> None:
    old = load(write(UDP, UDP.replace("udp", "two")))
    write(
        UDP.replace("5060", "5070"),
        UDP.replace("udp", "two").replace("5060", "5070\nallow_reload=y"),
    )
    outcome = reload(old, Scope.PJSIP)
    ports = {name: one.port for name, one in outcome.settings.transports.items()}
    assert ports == {"udp": 5060, "two": 5070}
    assert "restart" in outcome.problems[0].message


def test_wizard_file_is_looked_at_by_either_scope(write: Write) -> None:
    text = "[w]\ntype=wizard\nsends_registrations=yes\nremote_hosts=10.0.0.1\n"
    old = load(write(UDP, registration("a"), pjsip_wizard=text))
    assert list(old.registrations) == ["a", "w-reg-0"]
    write(pjsip_wizard=text + "registration/expiration=77\n")
    outcome = reload(old, Scope.REGISTRATIONS)
    assert list(outcome.difference.changed) == ["w-reg-0"]
    write("[broken")
    assert list(reload(outcome.settings, Scope.ALL).settings.registrations) == ["a", "w-reg-0"]


def test_manager_alone_is_reloaded(write: Write) -> None:
    old = load(write(UDP, registration("a"), manager="[general]\nenabled=no\n"))
    write(UDP, manager="[general]\nenabled=yes\n")
    outcome = reload(old, Scope.MANAGER)
    assert outcome.settings.manager.enabled
    assert outcome.settings.registrations is old.registrations


# -- plan -------------------------------------------------------------------------------------


def test_plan_tells_each_registration_and_touches_nothing(write: Write) -> None:
    using = registration("with", "outbound_auth=x")
    some = (registration("kept"), using)
    gone = (registration("less"), registration("other"), registration("bad"))
    old = load(write(UDP, auth("x", "password=old"), *some, *gone))
    other = registration("other", "line=yes", "endpoint=e")
    come = (registration("more"), other, registration("bad", "expiration=x"))
    write(UDP, auth("x", "password=new"), *some, *come)
    planned = plan(old)
    assert [(step.name, step.action) for step in planned] == [
        ("bad", "refused"),
        ("kept", "kept"),
        ("less", "unregistered"),
        ("more", "added"),
        ("other", "re-registered"),
        ("with", "kept"),
    ]
    assert planned[4].because == ("endpoint:  -> e", "line: false -> true")
    assert planned[5].because == ("auth section x has changed",)
    assert "new" not in str(planned)


def test_plan_tells_what_would_be_given_up_beside_what_would_not(write: Write) -> None:
    old = load(write(UDP, registration("a"), statsd="[general]\nport=1\n"))
    write(
        UDP, registration("a", "expiration=7"), statsd="[general\n", manager="[general]\nport=9\n"
    )
    told = {(step.name, step.action, step.place) for step in plan(old)}
    assert told == {
        ("a", "re-registered", ""),
        ("manager.conf", "changed", ""),
        ("statsd.conf", "given up", "statsd.conf:1"),
    }


UDP_MOVED = ("port: 5060 -> 5070", "bind: 127.0.0.1:5060 -> 127.0.0.1:5070")


def test_plan_tells_of_transports_and_of_rejected_ones_that_are_tried_again(write: Write) -> None:
    tcp = "[tcp]\ntype=transport\nprotocol=tcp\nallow_reload=yes\nbind=127.0.0.1\n"
    old = load(write(UDP, tcp, registration("a"), registration("b"), registration("c")))
    write(
        UDP.replace("5060", "5070"), tcp + "tos=cs3\n", registration("a"), registration("b"),
        registration("c"), "[global]\ntype=global\nuser_agent=x\n",
    )  # fmt: skip
    told = [(step.name, step.action, step.because) for step in plan(old, {"b"}, {"c"})]
    assert told == [
        ("a", "kept", ()),
        ("b", "tried again", ("it was rejected for good",)),
        ("c", "added", ("it had no state any more",)),
        (
            "udp",
            "needs a restart",
            ("port: 5060 -> 5070", "bind: 127.0.0.1:5060 -> 127.0.0.1:5070"),
        ),
        ("tcp", "reopened", ("tos: 0 -> 96",)),
        ("pjsip.conf [global]", "changed", ("user_agent:  -> x",)),
    ]


def test_plan_tells_no_password(write: Write) -> None:
    old = load(write(UDP, registration("a", "client_uri=sip:u:hunter2@h"), auth("x", "password=p")))
    write(UDP, registration("a", "client_uri=sip:u:hunter3@h"), auth("x", "password=hunter2"))
    (step, *_) = steps = plan(old)
    assert step.action == "re-registered"
    assert step.because == ("client_uri: sip:u:********@h -> sip:u:********@h",)
    assert "hunter" not in str(steps)


def test_of_two_transports_of_one_name_the_first_counts(write: Write) -> None:
    settings = load(write(UDP, UDP.replace("5060", "5061"), registration("a")))
    assert settings.transports["udp"].port == 5060
    assert list(settings.registrations) == ["a"]
    assert settings.errors == ()
    assert "the first one counts" in settings.problems[0].message


def test_no_secret_appears_in_problems_or_representations(write: Write) -> None:
    text = auth("a", "password=hunter2", "nonce_lifetime=x") + auth("b", "md5_cred=hunter2")
    settings = load(
        write(text, auth("c", "password=hunter2"), auth("d", "password_digest=hunter2"))
    )
    assert len(settings.problems) == 3
    assert "hunter2" not in repr(settings)


def test_registrations_without_any_transport_section_leave_by_udp(tmp_path: Path) -> None:
    section = "[r]\ntype=registration\nserver_uri=sip:h\nclient_uri=sip:u@h\n"
    (tmp_path / "pjsip.conf").write_text(section)
    settings = load(tmp_path)
    assert list(settings.registrations) == ["r"]
    assert [(t.protocol, t.bind) for t in settings.transports.values()] == [("udp", "0.0.0.0:5060")]
    assert [(p.line, p.level) for p in settings.problems] == [(1, Level.WARNING)]


def test_a_transport_section_that_is_refused_is_not_replaced(tmp_path: Path) -> None:
    section = "[r]\ntype=registration\nserver_uri=sip:h\nclient_uri=sip:u@h\n"
    (tmp_path / "pjsip.conf").write_text(f"[t]\ntype=transport\nprotocol=udp\n{section}")
    assert load(tmp_path).registrations == {}


def test_only_79_characters_of_a_name_count(tmp_path: Path) -> None:
    name = "n" * 90
    section = f"[{name}]\ntype=registration\nserver_uri=sip:h\nclient_uri=sip:u@h\n"
    (tmp_path / "pjsip.conf").write_text(section)
    assert list(load(tmp_path).registrations) == [name[:79]]


def test_file_that_is_given_up_withholds_no_other(write: Write) -> None:
    old = load(write(UDP, registration("a"), manager="[general]\nenabled=no\n"))
    write(
        UDP, registration("a", "expiration=777"), manager="[general\n", statsd="[general]\nport=9"
    )
    outcome = reload(old, Scope.ALL)
    assert outcome.settings.registrations["a"].expiration == 777
    assert outcome.settings.statsd.port == 9
    assert outcome.settings.manager == old.manager
    assert [(Path(e.path).name, e.line) for e in outcome.errors] == [("manager.conf", 1)]


def test_what_has_not_changed_is_the_same_object_afterwards(write: Write) -> None:
    signed = auth("a", "password=p")
    old = load(write(UDP, signed, registration("r"), registration("s"), registration("t")))
    write(
        UDP,
        signed,
        registration("r"),
        registration("s", "expiration=60", "retry_interval=30"),
        registration("t"),
    )
    new = reload(old, Scope.ALL).settings
    assert new.transports["udp"] is old.transports["udp"]
    assert new.auths["a"] is old.auths["a"]
    assert new.registrations["r"] is old.registrations["r"]
    assert new.registrations["s"].expiration == 60
    # it stands in another line now, which is told where something is wrong with it
    assert new.registrations["t"] == old.registrations["t"]
    assert new.registrations["t"].source != old.registrations["t"].source
