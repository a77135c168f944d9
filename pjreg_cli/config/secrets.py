"""What is secret in a configuration and what stands in its place: the one owner of both (pure)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pydantic import SecretStr

SECRETS: Final = frozenset(
    {
        "password", "md5_cred", "password_digest", "oauth_secret", "refresh_token", "secret",
        "auth_password", "dbpass",
    }
)  # fmt: skip
"""Options whose value is never repeated anywhere."""

MASK: Final = "********"
"""What stands for every secret, however long."""

_SCHEME: Final = re.compile(r"sips?:", re.IGNORECASE)


def is_secret(option: str) -> bool:
    """Whether the value of an option (in any letter case, also `outbound_auth/password`) is one."""
    return option.lower().rpartition("/")[2] in SECRETS


def secret(value: SecretStr, reveal: bool) -> str:
    """A secret, or the mask; nothing for none."""
    text = value.get_secret_value()
    return text if reveal or not text else MASK


def masked_uri(text: str, reveal: bool = False) -> str:
    """A SIP URI, whether or not in angle brackets, without the password it may hold (RFC 3261
    section 19.1.1); every other text as it is."""
    if reveal or "@" not in text:
        return text
    scheme = _SCHEME.search(text)
    start = scheme.end() if scheme is not None else 0
    # nothing behind the user may hold an at sign, so the last one ends it
    end = text.rfind("@")
    colon = text.find(":", start, end)
    return text if colon < 0 else f"{text[: colon + 1]}{MASK}{text[end:]}"
