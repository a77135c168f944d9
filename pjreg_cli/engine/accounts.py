"""Auth sections as accounts that answer challenges; their HA1 is kept between reloads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pjreg_cli.sip.digest import Account, Secret

if TYPE_CHECKING:
    from pjreg_cli.config.models import Auth


def account_of(auth: Auth) -> Account:
    """What an auth section can answer with; secrets are fetched when they are needed."""
    digests: dict[str, Secret] = {
        algorithm: digest.get_secret_value for algorithm, digest in auth.password_digest
    }
    if auth.md5_cred.get_secret_value():
        digests.setdefault("MD5", auth.md5_cred.get_secret_value)
    password = auth.password.get_secret_value
    return Account(
        name=auth.name,
        realm=auth.realm,
        username=auth.username,
        algorithms=auth.supported_algorithms_uac,
        password=password if password() else None,
        digests=digests,
    )


class Accounts:
    """The accounts of all auth sections, by name."""

    def __init__(self) -> None:
        self._auths: dict[str, Auth] = {}
        self._accounts: dict[str, Account] = {}
        self._named: dict[tuple[str, ...], Sequence[Account]] = {}

    def update(self, auths: Mapping[str, Auth]) -> None:
        """Take over the sections of a new configuration; unchanged ones keep their HA1."""
        self._accounts = {
            name: self._accounts[name] if self._auths.get(name) == auth else account_of(auth)
            for name, auth in auths.items()
            if auth.auth_type != "google_oauth"  # no digest: cannot answer a registrar
        }
        self._auths = dict(auths)
        self._named.clear()

    def named(self, names: tuple[str, ...]) -> Sequence[Account]:
        """The accounts of these sections, in this order; names without a section are left out."""
        known = self._named.get(names)
        if known is None:
            found = (self._accounts.get(name) for name in names)
            known = self._named[names] = [account for account in found if account is not None]
        return known
