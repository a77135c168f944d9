"""Causes in refusals, and in what only looks like success."""

from __future__ import annotations

from collections.abc import Sequence

from pjreg_cli.api.findings import Fix
from pjreg_cli.why.case import Case, inert
from pjreg_cli.why.cause import Cause, operator, theirs, whence

#: what a 2xx says by its phrase when it means that it failed
_FAILURES = (
    "fail",
    "denied",
    "forbidden",
    "unauthori",
    "reject",
    "not allowed",
    "error",
    "invalid",
)


# -- refusals ---------------------------------------------------------------------------------


def _is(*codes: int) -> set[int]:
    return set(codes)


def forbidden_later(case: Case) -> bool:
    """403 to a request with credentials"""
    return case.code == 403 and case.signed


def forbidden_at_once(case: Case) -> bool:
    """403 before any challenge"""
    return case.code == 403


def account_unknown(case: Case) -> bool:
    """404 or 604"""
    return case.code in _is(404, 604)


def not_a_registrar(case: Case) -> bool:
    """405 or 501"""
    return case.code in _is(405, 501)


def bad_request(case: Case) -> bool:
    """400"""
    return case.code == 400


def extension_required(case: Case) -> bool:
    """420 or 421"""
    return case.code in _is(420, 421)


def too_brief(case: Case) -> bool:
    """423 without a value that can be followed"""
    return case.code == 423


def security_agreement(case: Case) -> bool:
    """494 that cannot be met"""
    return case.code == 494


def busy(case: Case) -> bool:
    """480, 486, 600 or 603"""
    return case.code in _is(480, 486, 600, 603)


def loop(case: Case) -> bool:
    """482 or 483"""
    return case.code in _is(482, 483)


def moved(case: Case) -> bool:
    """a redirection (3xx)"""
    return 300 <= case.code < 400


def overloaded(case: Case) -> bool:
    """503"""
    return case.code == 503


def proxy_failed(case: Case) -> bool:
    """408, 502 or 504 as an answer, or a 5xx whose Server calls itself a proxy or whose Warning
    is from the outbound proxy"""
    server = case.heard.header("server").lower() if case.heard is not None else ""
    of_a_proxy = "proxy" in server or case.by_proxy
    return case.code in _is(408, 502, 504) or (500 <= case.code < 600 and of_a_proxy)


def server_error(case: Case) -> bool:
    """any other 5xx or 6xx"""
    return case.code >= 500


def refused_otherwise(case: Case) -> bool:
    """any other final answer"""
    return case.code >= 300


def granted_nothing(case: Case) -> bool:
    """2xx whose lifetime is 0, or whose phrase says that it failed"""
    if not 200 <= case.code < 300 or case.facts.method != "register":
        return False
    reason = case.heard.reason.lower() if case.heard is not None else ""
    return case.facts.word != "Registered" or any(word in reason for word in _FAILURES)


_SAID = ("warning", "reason", "retry-after", "x-twilio-error", "error-info")


def _says_forbidden(case: Case) -> str:
    """The registrar knows who asks, and does not want to: the account is blocked, has no right to
    register, or the password is wrong and the registrar says it so."""
    return (
        f"the registrar refuses the account after its credentials: {case.line}{case.said(*_SAID)}"
    )


def _says_forbidden_at_once(case: Case) -> str:
    """The registrar refuses without asking for a password: our address or the account is blocked,
    or it does not know the account."""
    return f"the registrar refuses without asking for a password: {case.line}{case.said(*_SAID)}"


def _says_unknown(case: Case) -> str:
    """The registrar has no such account, or is not responsible for its domain."""
    return f"the registrar does not know this account or its domain: {case.line}{case.said(*_SAID)}"


def _says_not_registrar(case: Case) -> str:
    """Whoever answers takes no registrations."""
    return f"who answers at {case.target} takes no REGISTER: {case.line}{case.said('allow')}"


def _says_bad(case: Case) -> str:
    """The registrar does not understand our request, or does not like something in it."""
    return f"the registrar finds fault with the request: {case.line}{case.said(*_SAID)}"


def _says_extension(case: Case) -> str:
    """The registrar wants an extension that we do not offer, or does not know one we ask for."""
    return (
        f"the registrar insists on an extension: {case.line}{case.said('unsupported', 'require')}"
    )


def _says_brief(case: Case) -> str:
    """The registrar wants a longer lifetime and does not say which, or one after another."""
    asked = case.facts.asked_s
    said = case.said("min-expires") or " (no Min-Expires)"
    return (
        f"the registrar finds {asked} s too short, and its answers lead nowhere: {case.line}{said}"
    )


def _says_security(case: Case) -> str:
    """The registrar wants to agree on security mechanisms (RFC 3329), and we cannot."""
    return (
        f"the registrar insists on a security agreement: {case.line}{case.said('security-server')}"
    )


def _says_busy(case: Case) -> str:
    """The registrar is well and reachable; it does not want this account now."""
    return f"the registrar turns the account away for now: {case.line}{case.said(*_SAID)}"


def _says_loop(case: Case) -> str:
    """The request went round in circles, or over too many proxies."""
    return f"the request does not find its way among the proxies: {case.line}{case.said(*_SAID)}"


def _says_moved(case: Case) -> str:
    """The registrar is elsewhere; we do not follow."""
    contact = case.heard.header("contact") if case.heard is not None else ""
    where = f" to {inert(contact)}" if contact else ""
    return f"the registrar sends us elsewhere{where}: {case.line}"


def _says_overloaded(case: Case) -> str:
    """The registrar has too much to do, or is being repaired; where an outbound proxy stands
    before it and no Warning names who answers, that one may have."""
    return f"{case.who} is overloaded or under repair: {case.line}{case.said(*_SAID)}"


def _says_proxy(case: Case) -> str:
    """A proxy on the way does not reach the registrar behind it."""
    return (
        f"a proxy on the way does not reach the registrar: {case.line}{case.said('server', *_SAID)}"
    )


def _says_server(case: Case) -> str:
    """The registrar has a fault of its own; where an outbound proxy stands before it and no Warning
    names who answers, that one may have."""
    return f"{case.who} failed: {case.line}{case.said('server', *_SAID)}"


def _says_otherwise(case: Case) -> str:
    """An answer that is none of the usual ones."""
    return f"the registrar refuses: {case.line}{case.said(*_SAID)}"


def _says_nothing_granted(case: Case) -> str:
    """The answer looks like success, but there is no binding."""
    granted = case.facts.granted_s
    grant = "" if granted is None else f", lifetime {granted} s"
    return f"the registrar answered {case.line}{grant}, which grants nothing"


def _fix_account(case: Case) -> Sequence[Fix]:
    """Compare client_uri (and the user name) with the account; else its operator must unblock
    it."""
    return (
        case.here("client_uri, if it is not the account's", "client_uri"),
        *operator(case),
    )


def _fix_forbidden(case: Case) -> Sequence[Fix]:
    """Compare user name, password and client_uri with the account; else its operator must unblock
    it."""
    return (
        case.at(case.signer, "username and password, if they are not the account's", "username"),
        case.here("client_uri, likewise", "client_uri"),
        *operator(case),
    )


def _fix_registrar(case: Case) -> Sequence[Fix]:
    """Name the registrar, not some other server, in server_uri (and outbound_proxy)."""
    return (case.here(f"{case.uri_option}: the registrar's address", case.uri_option),)


def _fix_expiration(case: Case) -> Sequence[Fix]:
    """Ask for a longer lifetime in `expiration`."""
    return (case.here("a longer expiration", "expiration"), *operator(case))


def _fix_security(case: Case) -> Sequence[Fix]:
    """Set security_negotiation = mediasec and the mechanisms in security_mechanisms."""
    return (
        case.here(
            "security_negotiation = mediasec, and security_mechanisms", "security_negotiation"
        ),
    )


def _fix_extension(case: Case) -> Sequence[Fix]:
    """support_path and support_outbound offer what they name; others we do not have."""
    required = (case.heard.header("require") if case.heard is not None else "").lower()
    for option, tag in (("support_path", "path"), ("support_outbound", "outbound")):
        if tag in required:
            return (case.here(f"{option} = yes", option),)
    return operator(case)


def _fix_moved(case: Case) -> Sequence[Fix]:
    """Name the new place in server_uri or outbound_proxy, if it is right."""
    return (case.here(f"the new place in {case.uri_option}, if it is right", case.uri_option),)


def _fix_wait(case: Case) -> Sequence[Fix]:
    """Nothing here; if it lasts, the registrar's operator must say."""
    return (theirs(f"if it lasts, the operator of {case.host}: `{case.line}`{whence(case)}"),)


# fmt: off
REFUSALS: Sequence[Cause] = (
    Cause("forbidden-with-credentials", forbidden_later, _says_forbidden, _fix_forbidden),
    Cause("forbidden-at-once", forbidden_at_once, _says_forbidden_at_once, _fix_account),
    Cause("account-unknown", account_unknown, _says_unknown, _fix_account),
    Cause("not-a-registrar", not_a_registrar, _says_not_registrar, _fix_registrar),
    Cause("bad-request", bad_request, _says_bad, operator),
    Cause("extension-required", extension_required, _says_extension, _fix_extension),
    Cause("too-brief", too_brief, _says_brief, _fix_expiration),
    Cause("security-agreement", security_agreement, _says_security, _fix_security),
    Cause("busy", busy, _says_busy, _fix_wait),
    Cause("loop", loop, _says_loop, _fix_registrar),
    Cause("moved", moved, _says_moved, _fix_moved),
    Cause("proxy-failed", proxy_failed, _says_proxy, _fix_wait),
    Cause("overloaded", overloaded, _says_overloaded, _fix_wait),
    Cause("server-error", server_error, _says_server, _fix_wait),
    Cause("refused-otherwise", refused_otherwise, _says_otherwise, operator),
    Cause("granted-nothing", granted_nothing, _says_nothing_granted, operator),
)
# fmt: on
