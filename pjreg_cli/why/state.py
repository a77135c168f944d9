"""Causes that no single answer explains: the configuration, the operator, the whole attempt."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING

from pjreg_cli.api.findings import BY_DESIGN, Fix, Tried
from pjreg_cli.config.changes import place
from pjreg_cli.config.shards import shard_of
from pjreg_cli.why.case import Case, inert, span
from pjreg_cli.why.cause import Cause, nothing, section_of, theirs, was_refused
from pjreg_cli.why.challenges import CHALLENGES
from pjreg_cli.why.network import NAMES, NETWORK
from pjreg_cli.why.refusals import REFUSALS
from pjreg_cli.why.tls import TLS

if TYPE_CHECKING:
    from pjreg_cli.config.settings import Unusable

#: what a section is refused for when an option is not there at all
_WANTED = re.compile(r"no transport for (\w+)")
_MISSING = re.compile(r"is refused: (\w+) is missing")
_ANSWERED = (*CHALLENGES, *REFUSALS)
#: what stands in the way before anything is answered; TLS first, as it is the more telling
_UNANSWERED = (*NAMES, *TLS, *NETWORK)
_BY_CODE = {row.code: row for row in (*_UNANSWERED, *_ANSWERED)}


def of_attempt(case: Case) -> Cause | None:
    """What the last attempt failed by; None where it did not fail."""
    rows = _ANSWERED if case.heard is not None and case.facts.trouble is None else _UNANSWERED
    return next((row for row in rows if row.when(case)), None)


def targets(case: Case) -> list[tuple[Tried, Cause | None]]:
    """Each target of the last attempt and what it failed by, had it been the only one."""
    found = []
    for target, last in case.by_target.items():
        own = tuple(one for one in case.facts.tried if one.target == target)
        found.append((last, of_attempt(Case(case.facts._replace(tried=own), case.settings))))
    return found


# -- conditions -------------------------------------------------------------------------------


def unknown_name(case: Case) -> bool:
    """there is no such registration"""
    return (
        case.registration is None
        and case.facts.name not in case.settings.refused
        and (not case.facts.word)
    )


def owned_elsewhere(case: Case) -> bool:
    """another machine of the fleet has its shard"""
    held = case.settings.shards
    return unknown_name(case) and held is not None and shard_of(case.facts.name) not in held


def holding(case: Case) -> bool:
    """it is due, and this machine does not trust its lease in the fleet"""
    facts = case.facts
    due = facts.next_at is not None and facts.next_at <= facts.now_at
    return facts.holding and due and not facts.in_flight


def config_refused(case: Case) -> bool:
    """its section was refused when the configuration was read"""
    return case.registration is None and case.facts.name in case.settings.refused


def transport_absent(case: Case) -> bool:
    """its section was refused, as nothing is configured for what server_uri or transport asks"""
    refused = case.settings.refused.get(case.facts.name, ())
    return case.registration is None and any("no transport for" in why for why in refused)


def stopped(case: Case) -> bool:
    """an operator told it to unregister"""
    facts = case.facts
    idle = facts.next_at is None and not facts.in_flight
    return (
        facts.live
        and idle
        and facts.word == "Unregistered"
        and (facts.told_at is not None or facts.attempts == 0)
    )


def unregister_refused(case: Case) -> bool:
    """an unregister was refused, or nobody answered it"""
    return case.facts.method == "unregister" and case.facts.rule in ("refused", "leaving")


def under_way(case: Case) -> bool:
    """a request is on its way, and no attempt has come to an outcome yet"""
    return bool(case.facts.in_flight) and case.facts.settled_at is None


def waiting(case: Case) -> bool:
    """nothing was tried yet: the initial delay, or nothing runs"""
    return case.facts.settled_at is None


def closes_after_answer(case: Case) -> bool:
    """registered, but the other side closes each connection soon after its answer"""
    return case.facts.losses >= BY_DESIGN and case.facts.rule in ("granted", "")


def contact_missing(case: Case) -> bool:
    """registered, and the bindings that the answer lists are all somebody else's"""
    return case.facts.word == "Registered" and case.facts.contact_missing


def fine(case: Case) -> bool:
    """registered"""
    return case.facts.word == "Registered"


def retries_used_up(case: Case) -> bool:
    """a failure that would be tried again, but max_retries is reached"""
    section, facts = case.registration, case.facts
    if facts.rule == "exhausted":
        return True
    if section is None or facts.rule not in ("hopeless", "permanent") or facts.next_at is not None:
        return False
    interval = section.fatal_retry_interval or (
        section.forbidden_retry_interval if facts.code == 403 else 0
    )
    return interval > 0 and facts.retries >= int(section.max_retries)


def all_failed(case: Case) -> bool:
    """several targets were tried, and they failed by different causes"""
    if len(case.by_target) < 2:
        return False
    found = targets(case)
    return len({cause.code if cause else "" for _, cause in found}) > 1


# -- sentences --------------------------------------------------------------------------------


def _near(case: Case) -> list[str]:
    known = [*case.settings.registrations, *case.settings.refused]
    return get_close_matches(case.facts.name, known, 3, 0.5)


def _says_unknown(case: Case) -> str:
    """Nothing of this name is configured; where a file was given up, it may be in that."""
    near = _near(case)
    hint = f"; there is {', '.join(map(inert, near))}" if near else ""
    for error in case.settings.errors[:1]:
        why = f"{place(error.path, error.line)} was given up: {inert(error.message)}"
        hint += f"; it may be in a file that cannot be read: {why}"
    return f"there is no registration of this name{hint}"


def _says_elsewhere(case: Case) -> str:
    """If the fleet has it, another machine registers it."""
    shard = shard_of(case.facts.name)
    return f"shard {shard}, to which it would belong, is another machine's"


def _says_holding(_case: Case) -> str:
    """The database of the fleet does not answer; another machine may have taken over."""
    return "nothing is sent: the database of the fleet does not answer, and its lease has run out"


def _says_refused(case: Case) -> str:
    """The section has a mistake that Asterisk does not accept either."""
    return (
        f"its section was refused: {inert('; '.join(case.settings.refused[case.facts.name]), 300)}"
    )


def _says_no_transport(case: Case) -> str:
    """Nothing is configured that could send to this registrar."""
    why = inert("; ".join(case.settings.refused[case.facts.name]), 200)
    refused = _refused_transport(case)
    if refused is not None:
        return f"nothing leads to the registrar: {why}; {was_refused(refused)}"
    return f"nothing is configured that leads to the registrar: {why}"


def _refused_transport(case: Case) -> Unusable | None:
    """The transport that would have led from a section that was refused for want of it."""
    wanted = _WANTED.search("; ".join(case.settings.refused[case.facts.name]))
    return case.unusable(wanted[1]) if wanted is not None else None


def _says_stopped(case: Case) -> str:
    """Somebody wanted it so."""
    if case.facts.told_at is None:
        return "all registrations were told to unregister (`send unregister *all`)"
    return f"an operator told it to unregister, {span(case.facts.now_at - case.facts.told_at)} ago"


def _says_unregister_refused(case: Case) -> str:
    """The binding should be gone, and the registrar did not take it off: it lasts until it runs out
    by itself.  Nothing more is sent."""
    why = of_attempt(case)
    return f"the unregister failed: {why.says(case) if why is not None else case.line}"


def _says_under_way(case: Case) -> str:
    """The first attempt has no outcome yet."""
    protocol, _, address = case.facts.in_flight_to.partition(":")
    what = f"an answer from {inert(address)} {protocol}" if address else "name servers"
    trouble = case.facts.in_flight_trouble
    known = trouble.kind if trouble is not None else ""
    so_far = "; so far ICMP says that nobody listens there" if known == "refused" else ""
    if known == "unreachable" and trouble is not None:
        so_far = f"; so far it cannot be reached: {inert(trouble.text)}"
    return f"the first attempt is under way and waits for {what}{so_far}"


def _says_waiting(case: Case) -> str:
    """It will be tried by itself, after the random delay of max_random_initial_delay."""
    if not case.facts.live:
        return "no instance runs; its section can be used, and nothing was sent"
    if case.facts.next_at is None:
        return "it waits for its turn"
    return f"the first attempt is due in {span(case.facts.next_at - case.facts.now_at)}"


def _says_closes(case: Case) -> str:
    """The registrar grants the binding and closes the connection, time after time: calls cannot
    come in that way, and each loss costs a new REGISTER."""
    return (
        f"it registers, but {case.target} closes the connection each time"
        f" ({case.facts.losses} times in a row)"
    )


def _says_contact_missing(case: Case) -> str:
    """The registrar says that it granted something, but lists only others' bindings: calls go
    there, not here."""
    listed = case.heard.contacts if case.heard is not None else ()
    others = inert(", ".join(listed[:2]))
    if len(listed) == 1:
        return (
            f"the registrar lists one binding, and it is not ours ({others}), unless something on"
            " the way changed all of it"
        )
    return f"the registrar lists bindings, and none of them is ours: {others}"


def _says_fine(case: Case) -> str:
    """All is well."""
    return f"bound at {case.target}" if case.last is not None else "all is well"


def _says_used_up(case: Case) -> str:
    """It was tried as often as it may be, and nothing more happens by itself."""
    why = of_attempt(case)
    count = case.registration.max_retries if case.registration is not None else case.facts.retries
    last = f"; the last time {why.says(case)}" if why is not None else ""
    return f"all {count} retries are used up (max_retries){last}"


def _says_all_failed(case: Case) -> str:
    """Each of the registrar's targets failed in its own way."""
    parts = [
        f"{tried.target.partition(':')[2]} {cause.code if cause is not None else 'failed'}"
        for tried, cause in targets(case)
    ]
    return f"all {len(parts)} targets failed: {', '.join(parts)}"


# -- fixes ------------------------------------------------------------------------------------


def _fix_name(case: Case) -> Sequence[Fix]:
    """Use a name that exists: `pjreg status` lists all; mend a file that was given up."""
    unread = tuple(
        Fix("the file, then `pjsip reload`", "", f"{error.path}:{error.line}")
        for error in case.settings.errors[:1]
    )
    return (*unread, theirs("`pjreg status` lists all names"))


def _fix_elsewhere(case: Case) -> Sequence[Fix]:
    """Ask the fleet: `pjreg cluster find NAME`."""
    return (theirs(f"`pjreg cluster find {inert(case.facts.name)}` says which machine has it"),)


def _fix_holding(_case: Case) -> Sequence[Fix]:
    """Bring the database back: `pjreg cluster show` says what it answers."""
    return (theirs("`pjreg cluster show` says what the database answers"),)


def _fix_section(case: Case) -> Sequence[Fix]:
    """Mend the section; `check` names the place."""
    for problem in case.settings.problems:
        if problem.message.startswith(f"[{case.facts.name}] is refused: "):
            where = f"{problem.path}:{problem.line}"
            missing = _MISSING.search(problem.message)
            option = missing[1] if missing is not None else ""
            return (Fix("the section, then `pjsip reload`", option, where),)
    return (theirs("`pjreg check` names the place"),)


def _fix_transport(case: Case) -> Sequence[Fix]:
    """Mend the transport of that protocol that was refused, or add one, or ask for another one in
    server_uri."""
    refused = _refused_transport(case)
    if refused is not None:
        return (section_of(refused),)
    text = "server_uri, or add such a transport, then `pjsip reload`"
    return (Fix(text, "server_uri", _fix_section(case)[0].where),)


def _fix_register(case: Case) -> Sequence[Fix]:
    """`pjsip send register NAME` brings it back."""
    return (theirs(f"`pjsip send register {case.facts.name}` brings it back"),)


def _fix_unregister(case: Case) -> Sequence[Fix]:
    """`pjsip send unregister NAME` tries again to take the binding off, `pjsip send register NAME`
    goes on with it; mend why it was refused."""
    why, name = of_attempt(case), case.facts.name
    return (
        theirs(f"`pjsip send unregister {name}` tries it again"),
        theirs(f"`pjsip send register {name}` goes on with it"),
        *(why.fix(case) if why is not None else ()),
    )


def _fix_closing(case: Case) -> Sequence[Fix]:
    """Have the registrar keep connections open, or use UDP; `keep_alive_interval` helps where only
    silence is punished."""
    return (
        theirs(f"the operator of {case.host}: connections must stay open for calls to come in"),
        case.here(f"or another transport in {case.uri_option}", case.uri_option),
    )


def _fix_contact(case: Case) -> Sequence[Fix]:
    """The registrar's operator must say why our Contact is not bound; a limit on the number of
    bindings, or a gateway that rewrites the Contact, does this."""
    return (
        theirs(
            f"the operator of {case.host}: why is our Contact {inert(case.facts.contact)} not bound"
        ),
    )


def _fix_retries(case: Case) -> Sequence[Fix]:
    """Mend the last cause; `max_retries = forever` never gives up; `pjsip send register NAME` tries
    again now."""
    why = of_attempt(case)
    return (
        *(why.fix(case) if why is not None else ()),
        case.here("max_retries = forever, to never give up", "max_retries"),
        *_fix_register(case),
    )


def _fix_each(case: Case) -> Sequence[Fix]:
    """Mend the causes of the targets, each by its own."""
    fixes: list[Fix] = []
    for tried, cause in targets(case):
        own = tuple(one for one in case.facts.tried if one.target == tried.target)
        if cause is not None:
            fixes += cause.fix(Case(case.facts._replace(tried=own), case.settings))[:1]
    return tuple(dict.fromkeys(fixes))


# fmt: off
BEFORE: Sequence[Cause] = (
    Cause("owned-elsewhere", owned_elsewhere, _says_elsewhere, _fix_elsewhere),
    Cause("unknown-name", unknown_name, _says_unknown, _fix_name),
    Cause("transport-missing", transport_absent, _says_no_transport, _fix_transport),
    Cause("config-refused", config_refused, _says_refused, _fix_section),
    _BY_CODE["auth-section-refused"],
    _BY_CODE["auth-section-missing"],
    Cause("unregister-refused", unregister_refused, _says_unregister_refused, _fix_unregister),
    Cause("stopped-by-operator", stopped, _says_stopped, _fix_register),
    Cause("holding", holding, _says_holding, _fix_holding),
    Cause("under-way", under_way, _says_under_way, nothing),
    Cause("waiting", waiting, _says_waiting, nothing),
    Cause("closes-after-answer", closes_after_answer, _says_closes, _fix_closing),
    Cause("contact-missing", contact_missing, _says_contact_missing, _fix_contact),
    _BY_CODE["granted-nothing"],
    Cause("fine", fine, _says_fine, nothing, ok=True),
    Cause("retries-used-up", retries_used_up, _says_used_up, _fix_retries),
    Cause("all-targets-failed", all_failed, _says_all_failed, _fix_each),
)
# fmt: on
CATALOGUE: Sequence[Cause] = (*BEFORE, *_UNANSWERED, *_ANSWERED)
"""All causes; the first that holds is the finding."""
