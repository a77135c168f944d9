"""Settings back to the text of a pjsip.conf; reading it gives the same settings (pure).

Secrets are written in clear: the text is a configuration, not something to show.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import SecretStr

from pjreg_cli.config.models import Auth, Global, Registration, System, Transport
from pjreg_cli.config.shown import bind
from pjreg_cli.config.types import FOREVER, explained, option_names

_SEVERAL = frozenset({"local_net", "password_digest"})


def write(
    registrations: Iterable[Registration] = (),
    auths: Iterable[Auth] = (),
    transports: Iterable[Transport] = (),
    global_: Global | None = None,
    system: System | None = None,
) -> str:
    """The text of a pjsip.conf with these sections, options at their defaults left out."""
    lines: list[str] = []
    for kind, single in (("system", system), ("global", global_)):
        if single is not None:
            lines += _section(kind, kind, single, {})
    for transport in transports:
        always = {"bind": bind(transport), "protocol": transport.protocol}
        lines += _section(transport.name, "transport", transport, always)
    for auth in auths:
        # a global section may have other defaults for these
        always = {
            "supported_algorithms_uac": ",".join(auth.supported_algorithms_uac),
            "supported_algorithms_uas": ",".join(auth.supported_algorithms_uas),
        }
        lines += _section(auth.name, "auth", auth, always)
    for registration in registrations:
        lines += _section(registration.name, "registration", registration, {})
    return "\n".join(lines)


def _section(
    name: str,
    kind: str,
    made: Registration | Auth | Transport | Global | System,
    always: Mapping[str, str],
) -> Iterator[str]:
    """The lines of one section and an empty one."""
    yield f"[{_escaped(name)}]"
    yield f"type = {kind}"
    defaults = {name: field.default for name, field in explained(type(made)).items()}
    for option in sorted(option_names(type(made))):
        value = getattr(made, option)
        if option in always:
            yield f"{option} = {_escaped(always[option])}"
        elif value != defaults[option]:
            for text in _texts(option, value):
                yield f"{option} = {_escaped(text)}"
    yield ""


def _texts(option: str, value: Any) -> tuple[str, ...]:
    """A value as the reader understands it: one line, or several."""
    if option == "password_digest":
        return tuple(f"{algorithm}:{digest.get_secret_value()}" for algorithm, digest in value)
    if option in _SEVERAL:
        return tuple(str(one) for one in value)
    if option == "max_retries" and value == FOREVER:
        return ("forever",)
    if isinstance(value, SecretStr):
        return (value.get_secret_value(),)
    if isinstance(value, bool):
        return ("yes" if value else "no",)
    return (",".join(value) if isinstance(value, tuple) else str(value),)


def _escaped(text: str) -> str:
    return text.replace(";", "\\;")
