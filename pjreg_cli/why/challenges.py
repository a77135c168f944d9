"""Causes in challenges: who asks for which credentials, and what becomes of ours."""

from __future__ import annotations

from collections.abc import Sequence

from pjreg_cli.api.findings import Fix
from pjreg_cli.errors import excerpt
from pjreg_cli.sip.challenges import algorithm_named
from pjreg_cli.why.case import Case, inert, quoted
from pjreg_cli.why.cause import Cause, operator, theirs

# -- challenges -------------------------------------------------------------------------------


def _unanswered(case: Case) -> bool:
    return case.challenged and not case.signed


def no_credentials(case: Case) -> bool:
    """challenged, and there is no outbound_auth"""
    section = case.registration
    return _unanswered(case) and section is not None and not section.outbound_auth


def auth_refused(case: Case) -> bool:
    """challenged, and the only auth sections named were refused when the file was read"""
    return _without_auth(case) and bool(refused_auths(case))


def auth_missing(case: Case) -> bool:
    """challenged, and none of the auth sections that outbound_auth names exists"""
    return _without_auth(case)


def _without_auth(case: Case) -> bool:
    return (
        (_unanswered(case) or not case.facts.live) and bool(case.missing_auths) and not case.auths
    )


def refused_auths(case: Case) -> list[tuple[str, str, str]]:
    """Name, place and reason of auth sections that it names and that were refused."""
    found = []
    for name in case.missing_auths:
        begins = f"[{excerpt(name)}] is refused: "
        for problem in case.settings.problems:
            if problem.message.startswith(begins) and name not in case.settings.refused:
                why = problem.message.removeprefix(begins).rpartition("; ")[0]
                found.append((name, f"{problem.path}:{problem.line}", why))
                break
    return found


def realm_unknown(case: Case) -> bool:
    """challenged for a realm that no auth section is for"""
    return _unanswered(case) and bool(case.offers) and not case.of_our_realm


def qop_unsupported(case: Case) -> bool:
    """every challenge wants a protection that is not offered here (auth-int alone)"""
    fitting = case.of_our_realm
    return (
        _unanswered(case)
        and bool(fitting)
        and all(offer.qop and "auth" not in offer.qop for offer in fitting)
    )


def algorithm_not_allowed(case: Case) -> bool:
    """challenged only with algorithms that no auth section allows or has a secret for, or without
    any Digest challenge"""
    return _unanswered(case)


def nonce_loop(case: Case) -> bool:
    """credentials were answered with `stale=true` again and again"""
    return case.challenged and case.signed and any(offer.stale for offer in case.offers)


def wrong_password(case: Case) -> bool:
    """credentials were answered with a fresh challenge that is not stale"""
    return case.challenged and case.signed


def _says_no_credentials(case: Case) -> str:
    """The registrar wants a password, and none is configured."""
    return f"the registrar wants credentials{_realms(case)}, and no outbound_auth is configured"


def _realms(case: Case) -> str:
    realms = ", ".join(dict.fromkeys(quoted(offer.realm) for offer in case.offers))
    return f" for realm {realms}" if realms else ""


def _says_auth_missing(case: Case) -> str:
    """outbound_auth names a section that does not exist."""
    names = ", ".join(f"[{inert(name)}]" for name in case.missing_auths)
    return f"outbound_auth names {names}, and there is no such auth section"


def _says_auth_refused(case: Case) -> str:
    """outbound_auth names a section that cannot be used as it is written."""
    name, _, why = refused_auths(case)[0]
    return f"the auth section [{inert(name)}] was refused: {inert(why, 200)}"


def _says_realm(case: Case) -> str:
    """The registrar asks in the name of a realm for which no credentials are configured."""
    ours = ", ".join(f"[{auth.name}] is for {quoted(auth.realm)}" for auth in case.auths)
    return f"the registrar challenges{_realms(case)}, and {ours}"


def _says_qop(case: Case) -> str:
    """The registrar wants the whole message protected (auth-int), which is not offered here."""
    wanted = ", ".join(dict.fromkeys(inert(word) for offer in case.offers for word in offer.qop))
    return f"the registrar offers only protections that we do not ({wanted})"


def _says_algorithm(case: Case) -> str:
    """The registrar does not offer a digest algorithm that our credentials may use."""
    offered = " and ".join(dict.fromkeys(inert(offer.algorithm) for offer in case.offers))
    if not offered:
        return "the registrar wants credentials, but none by Digest"
    known = [
        f"[{auth.name}] allows {', '.join(auth.supported_algorithms_uac) or 'none'}"
        for auth in case.auths
    ]
    return f"the registrar offers only {offered}, and {', '.join(known)}"


def _says_nonce_loop(case: Case) -> str:
    """The registrar says each time that the nonce is too old, also of one that it has just made:
    its clock, its memory, or several servers behind one address that do not know each other's
    nonces."""
    times = sum(
        1 for tried in case.facts.tried if tried.heard and any(o.stale for o in tried.heard.offers)
    )
    return f"the registrar calls every nonce stale, even a fresh one ({times} times in one attempt)"


def _says_wrong_password(case: Case) -> str:
    """The registrar knows nothing of these credentials: wrong password, or wrong user name."""
    signer = case.signer
    who = f"of [{signer.name}], user {quoted(signer.username)}" if signer is not None else ""
    return f"the registrar does not accept the password {who}".rstrip()


def _fix_no_credentials(case: Case) -> Sequence[Fix]:
    """Add an auth section and name it in outbound_auth."""
    return (case.here("outbound_auth: an auth section with a password", "outbound_auth"),)


def _fix_auth_missing(case: Case) -> Sequence[Fix]:
    """Correct the name in outbound_auth, or add the section (type=auth)."""
    return (case.here("the name in outbound_auth, or the auth section it names", "outbound_auth"),)


def _fix_auth_refused(case: Case) -> Sequence[Fix]:
    """Mend the auth section; `check` says what is wrong with it."""
    name, where, _ = refused_auths(case)[0]
    return (Fix(f"the auth section [{inert(name)}], then `pjsip reload`", "", where),)


def _fix_realm(case: Case) -> Sequence[Fix]:
    """Set `realm` of the auth section to the realm that came, or leave it out."""
    auth = case.auths[0] if case.auths else None
    return (
        case.at(
            auth, f"realm: the one that came is{_realms(case).removeprefix(' for realm')}", "realm"
        ),
    )


def _fix_qop(case: Case) -> Sequence[Fix]:
    """The registrar should offer `auth`, too: its operator's move."""
    return (theirs(f"the operator of {case.host}: qop `auth` should be offered, too"),)


def _fix_algorithm(case: Case) -> Sequence[Fix]:
    """Name one of the offered algorithms in supported_algorithms_uac, with a secret for it."""
    ours = [offer.algorithm for offer in case.offers if algorithm_named(offer.algorithm)]
    if not ours:
        return (theirs(f"the operator of {case.host}: a Digest algorithm that we know"),)
    auth = case.auths[0] if case.auths else None
    name = algorithm_named(ours[0]) or ours[0]
    lacks = auth is not None and name in auth.supported_algorithms_uac
    if lacks:
        return (case.at(auth, f"a password, or password_digest for {name}", "password_digest"),)
    return (case.at(auth, f"{name} in supported_algorithms_uac", "supported_algorithms_uac"),)


def _fix_password(case: Case) -> Sequence[Fix]:
    """Correct password (or password_digest, md5_cred) and username of the auth section, then
    reload."""
    signer = case.signer
    if signer is None:
        return operator(case)
    secret = "password"
    if not signer.password.get_secret_value():
        secret = "password_digest" if signer.password_digest else "md5_cred"
    return (
        case.at(signer, f"{secret} of [{signer.name}], then `pjsip reload`", secret),
        case.at(signer, "or username, if that is not the account's", "username"),
    )


# fmt: off
CHALLENGES: Sequence[Cause] = (
    Cause("no-credentials", no_credentials, _says_no_credentials, _fix_no_credentials),
    Cause("auth-section-refused", auth_refused, _says_auth_refused, _fix_auth_refused),
    Cause("auth-section-missing", auth_missing, _says_auth_missing, _fix_auth_missing),
    Cause("realm-unknown", realm_unknown, _says_realm, _fix_realm),
    Cause("qop-unsupported", qop_unsupported, _says_qop, _fix_qop),
    Cause("algorithm-not-allowed", algorithm_not_allowed, _says_algorithm, _fix_algorithm),
    Cause("nonce-loop", nonce_loop, _says_nonce_loop, operator),
    Cause("wrong-password", wrong_password, _says_wrong_password, _fix_password),
)
# fmt: on
