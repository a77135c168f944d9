"""Actions on registrations and auth sections."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pjreg_cli.ami.codec import Verbatim
from pjreg_cli.ami.listing import Layout
from pjreg_cli.ami.request import Request
from pjreg_cli.api.port import Api

#: origin: these messages end with a line feed before their line end
_NO_REGISTRATION = Verbatim("Unable to retrieve registration entry\n")
_NO_AUTHS = Verbatim("No Auths found\n")


#: auth sections whose text is kept during a list
_SHARED = 256


async def show_registrations(request: Request) -> bool:
    """List all registrations, each with its auth sections."""
    port = request.context.port()
    layout = Layout(request.context.dialect, request.get("ActionID"))
    words: dict[str | None, int] = {}
    auths = _Auths(port, layout)

    def pieces() -> Iterator[str]:
        for view in port.registrations.views():
            words[view.row.word] = words.get(view.row.word, 0) + 1
            yield layout.registration(view)
            if layout.with_auths:
                yield from map(auths.text, view.auths)
        registered = words.get("Registered", 0)
        others = sum(words.values()) - registered - words.get(None, 0)
        yield layout.registrations_complete(registered, others)

    request.respond(
        "Success",
        ("EventList", "start"),
        ("Message", "Following are Events for each Outbound registration"),
    )
    await request.session.stream(pieces())
    return True


class _Auths:
    """Auth sections of one list: many registrations may share a few."""

    def __init__(self, port: Api, layout: Layout) -> None:
        self._port = port
        self._layout = layout
        self._texts: dict[str, str] = {}

    def text(self, name: str) -> str:
        """AuthDetail of the section of this name; nothing if there is none."""
        text = self._texts.get(name)
        if text is None:
            section = self._port.configuration.auth(name)
            text = self._layout.auth(section) if section is not None else ""
            if len(self._texts) < _SHARED:
                self._texts[name] = text
        return text


async def show_auths(request: Request) -> bool:
    """List all auth sections."""
    sections = request.context.port().configuration.auths()
    if not sections:
        return request.refuse(_NO_AUTHS)
    layout = Layout(request.context.dialect, request.get("ActionID"))

    def pieces() -> Iterator[str]:
        for section in sections:
            yield layout.auth(section, "AuthList")
        yield layout.complete("AuthListComplete", len(sections))

    request.respond(
        "Success",
        ("EventList", "start"),
        ("Message", "A listing of Auths follows, presented as AuthList events"),
    )
    await request.session.stream(pieces())
    return True


def unregister(request: Request) -> bool:
    """Unregister one or all."""
    registrations = request.context.port().registrations
    return _ordered(
        request, registrations.unregister, registrations.unregister_all, "Unregistration"
    )


def register(request: Request) -> bool:
    """Unregister one or all, and register anew."""
    registrations = request.context.port().registrations
    return _ordered(request, registrations.register, registrations.register_all, "Reregistration")


def _ordered(
    request: Request, one: Callable[[str], bool], every: Callable[[], None], what: str
) -> bool:
    name = request.get("Registration")
    if not name:
        return request.refuse("Registration parameter missing.")
    if name == "*all":
        every()
        return request.done(f"{what}s queued.")
    if not one(name):
        return request.refuse(_NO_REGISTRATION)
    return request.done(f"{what} sent")
