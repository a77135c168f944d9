"""Registrations and auth sections as events of a list; pure.

This is what decides how fast a list of many thousands comes: text is put together whole, and
looked through for line ends that do not belong there only when there are too many of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from pjreg_cli.ami import codec
from pjreg_cli.api.configuration import ObjectView
from pjreg_cli.api.registrations import RegistrationView
from pjreg_cli.dialects import Dialect, ami_key

Pairs = Sequence[tuple[str, str]]


class Layout:
    """How the objects of one list are written: one dialect, one ActionID."""

    __slots__ = ("_auth_keys", "_dialect", "_heads", "_id_fields", "_keys")

    def __init__(self, dialect: Dialect, action_id: str) -> None:
        self._dialect = dialect
        self._id_fields = (("ActionID", action_id),) if action_id else ()
        self._keys = _starts(dialect.registration_keys)
        self._auth_keys = _starts(dialect.auth_keys)
        self._heads: dict[str, str] = {}

    @property
    def with_auths(self) -> bool:
        """Whether auth sections follow their registration."""
        return bool(self._dialect.auth_keys)

    def registration(self, view: RegistrationView) -> str:
        """OutboundRegistrationDetail of one registration."""
        row = view.row
        head = self._head("OutboundRegistrationDetail", "registration")
        parts = _begun(head, row.name, self._keys, dict(view.options))
        if row.word is not None:
            # origin: always 0; the documentation promises the seconds until the next REGISTER
            parts += ("\r\nStatus: ", row.word, "\r\nNextReg: ", str(view.next_attempt_s))
        return _joined(parts)

    def auth(self, view: ObjectView, event: str = "AuthDetail") -> str:
        """An auth section; an option that is there several times (digests) becomes one value."""
        values: dict[str, tuple[str, ...]] = {}
        for name, given in view.options:
            known = values.get(name)
            values[name] = given if known is None else tuple(filter(None, known + given))
        return _joined(_begun(self._head(event, "auth"), view.name, self._auth_keys, values))

    def _head(self, event: str, kind: str) -> str:
        """All up to the name of the object."""
        head = self._heads.get(event)
        if head is None:
            fields = (("Event", event), *self._id_fields, ("ObjectType", kind))
            lines = [codec.line(key, value) for key, value in fields]
            head = self._heads[event] = "".join(lines) + "ObjectName: "
        return head

    def complete(self, event: str, items: int | None, more: Pairs = ()) -> str:
        """The event that ends a list; `items` None leaves their number out."""
        count = () if items is None else (("ListItems", str(items)),)
        return block([("Event", event), *self._id_fields, ("EventList", "Complete"), *count, *more])

    def registrations_complete(self, registered: int, others: int) -> str:
        """What ends a list of registrations; those without state are in neither number."""
        return self.complete(
            "OutboundRegistrationDetailComplete",
            registered + others if self._dialect.list_items else None,
            (("Registered", str(registered)), ("NotRegistered", str(others))),
        )


def _starts(options: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Each option and the beginning of its line, the end of the line before included."""
    return tuple((option, f"\r\n{ami_key(option)}: ") for option in options)


def _begun(
    head: str, name: str, keys: tuple[tuple[str, str], ...], values: Mapping[str, tuple[str, ...]]
) -> list[str]:
    """A head, nothing, a name, then beginnings of lines and values in turn, of what is there."""
    parts = [head, "", name]
    for option, start in keys:
        given = values.get(option)
        if given is not None:
            parts += (start, given[0] if len(given) == 1 else ",".join(given))
    return parts


def _joined(parts: list[str]) -> str:
    """A message of a head, and values in every other place, which cannot split it."""
    parts.append("\r\n\r\n")
    text = "".join(parts)
    if not _sound(text, parts[0].count("\n") + len(parts) // 2):
        parts[2::2] = map(codec.clean, parts[2::2])
        text = "".join(parts)
    return text


def block(fields: Pairs) -> str:
    """A message whose values cannot split it."""
    text = "".join([f"{key}: {value}\r\n" for key, value in fields]) + "\r\n"
    if _sound(text, len(fields) + 1):
        return text
    return "".join([codec.line(key, value) for key, value in fields]) + "\r\n"


def _sound(text: str, ends: int) -> bool:
    """Whether there are no more line ends than there should be."""
    return text.count("\n") == ends and text.count("\r") == ends and "\0" not in text
