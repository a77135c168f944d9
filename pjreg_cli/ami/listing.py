"""Registrations and auth sections as events of a list; pure.

This is what decides how fast a list of many thousands comes: text is put together whole, and
looked through for line ends that do not belong there only when there are too many of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pjreg_cli.ami import codec
from pjreg_cli.dialects import Dialect, ami_key, ordered
from pjreg_cli.port import ObjectView, Option, RegistrationView

Pairs = Sequence[tuple[str, str]]


class Layout:
    """How the objects of one list are written: one dialect, one ActionID."""

    __slots__ = ("_dialect", "_head", "_id_fields", "_keys")

    def __init__(self, dialect: Dialect, action_id: str) -> None:
        self._dialect = dialect
        self._id_fields = (("ActionID", action_id),) if action_id else ()
        self._keys = tuple((key, f"\r\n{ami_key(key)}: ") for key in dialect.registration_keys)
        self._head = "".join(
            codec.line(key, value)
            for key, value in (
                ("Event", "OutboundRegistrationDetail"),
                *self._id_fields,
                ("ObjectType", "registration"),
            )
        )

    @property
    def with_auths(self) -> bool:
        """Whether auth sections follow their registration."""
        return bool(self._dialect.auth_keys)

    def registration(self, view: RegistrationView) -> str:
        """OutboundRegistrationDetail of one registration."""
        row = view.row
        values = dict(view.options)
        parts = [self._head, "ObjectName: ", row.name]
        for option, start in self._keys:
            if (given := values.get(option)) is not None:
                parts += (start, given[0] if len(given) == 1 else ",".join(given))
        if row.word is not None:
            # origin: always 0; the documentation promises the seconds until the next REGISTER
            parts += ("\r\nStatus: ", row.word, "\r\nNextReg: ", str(view.next_attempt_s))
        parts.append("\r\n\r\n")
        text = "".join(parts)
        ends = self._head.count("\n") + len(parts) // 2
        if _sound(text, ends):
            return text
        parts[2::2] = map(codec.clean, parts[2::2])  # every other part is a value
        return "".join(parts)

    def auth(self, view: ObjectView, event: str = "AuthDetail") -> str:
        """An auth section."""
        fields = [
            ("Event", event),
            *self._id_fields,
            ("ObjectType", "auth"),
            ("ObjectName", view.name),
            *_auth_fields(self._dialect.auth_keys, view.options),
        ]
        return block(fields)

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


def _auth_fields(keys: Iterable[str], options: Iterable[Option]) -> tuple[tuple[str, str], ...]:
    """Options that are there several times (digests) become one value."""
    merged: dict[str, tuple[str, ...]] = {}
    for name, values in options:
        merged[name] = merged.get(name, ()) + values
    return ordered(keys, ((name, tuple(filter(None, parts))) for name, parts in merged.items()))


def block(fields: Pairs) -> str:
    """A message whose values cannot split it."""
    text = "".join([f"{key}: {value}\r\n" for key, value in fields]) + "\r\n"
    if _sound(text, len(fields) + 1):
        return text
    return "".join([codec.line(key, value) for key, value in fields]) + "\r\n"


def _sound(text: str, ends: int) -> bool:
    """Whether there are no more line ends than there should be."""
    return text.count("\n") == ends and text.count("\r") == ends and "\0" not in text
