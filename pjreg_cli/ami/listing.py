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

    __slots__ = ("_dialect", "_id_fields", "_keys")

    def __init__(self, dialect: Dialect, action_id: str) -> None:
        self._dialect = dialect
        self._id_fields = (("ActionID", action_id),) if action_id else ()
        self._keys = tuple((key, ami_key(key)) for key in dialect.registration_keys)

    @property
    def with_auths(self) -> bool:
        """Whether auth sections follow their registration."""
        return bool(self._dialect.auth_keys)

    def registration(self, view: RegistrationView) -> str:
        """OutboundRegistrationDetail of one registration."""
        row = view.row
        values = dict(view.options)
        fields = [
            ("Event", "OutboundRegistrationDetail"),
            *self._id_fields,
            ("ObjectType", "registration"),
            ("ObjectName", row.name),
        ]
        for option, key in self._keys:
            if (given := values.get(option)) is not None:
                fields.append((key, given[0] if len(given) == 1 else ",".join(given)))
        if row.word is not None:
            fields.append(("Status", row.word))
            # origin: always 0; the documentation promises the seconds until the next REGISTER
            fields.append(("NextReg", str(view.next_attempt_s)))
        return block(fields)

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
    text = "".join([f"{key}: {value}\r\n" for key, value in fields])
    expected = len(fields)
    if text.count("\n") != expected or text.count("\r") != expected or "\0" in text:
        text = "".join([codec.line(key, value) for key, value in fields])
    return text + "\r\n"
