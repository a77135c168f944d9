"""What a 2xx lists, held against what we offered."""

from __future__ import annotations

from typing import NamedTuple

from pjreg_cli.errors import SipParseError
from pjreg_cli.sip.headers import split_list
from pjreg_cli.sip.uri import NameAddress, SipUri, equivalent, parse_name_address, parse_uri
from pjreg_cli.why.case import Case


class Bindings(NamedTuple):
    """The Contacts of an answer, sorted by whose they are."""

    ours: tuple[str, ...]
    """Exactly what we offered."""
    rewritten: tuple[str, ...]
    """Ours, but changed on the way."""
    others: tuple[str, ...]


def bindings(case: Case) -> Bindings:
    """What the last answer lists; nothing where it lists ours alone."""
    heard = case.heard
    contacts = heard.contacts if heard is not None and 200 <= heard.code < 300 else ()
    listed = [item for value in contacts for item in split_list(value)]
    offered = _uri(case.facts.contact)
    ours, rewritten, others = [], [], []
    for text in listed:
        address = _address(text)
        if address is not None and offered is not None and equivalent(address.uri, offered):
            ours.append(text)
        elif offered is not None and (len(listed) == 1 or _may_be_ours(address, offered)):
            rewritten.append(text)
        else:
            others.append(text)
    if ours or case.facts.contact_missing:
        # with ours intact whatever looks alike is another device of the account
        others, rewritten = [*others, *rewritten], []
    return Bindings(tuple(ours), tuple(rewritten), tuple(others))


def _may_be_ours(address: NameAddress | None, offered: SipUri) -> bool:
    """Whether a Contact has our `line` token, or at least our user."""
    if address is None:
        return False
    line = offered.parameter("line")
    if line and address.uri.parameter("line") == line:
        return True
    return address.uri.user == offered.user


def _address(text: str) -> NameAddress | None:
    try:
        return parse_name_address(text)
    except SipParseError:
        return None


def _uri(text: str) -> SipUri | None:
    try:
        return parse_uri(text)
    except SipParseError:
        return None
