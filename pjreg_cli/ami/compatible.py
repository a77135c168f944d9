"""Actions that programs made for Asterisk send whatever it is used for.

Lists of channels, which are empty here, events of their own, filters for one session, the rotation
of logs.
"""

from __future__ import annotations

from collections.abc import Callable

from pjreg_cli.ami.events import Event
from pjreg_cli.ami.request import Request
from pjreg_cli.config import manager_classes as classes
from pjreg_cli.config.eventfilter import Filters, compiled

#: headers of a UserEvent action that are not the event's
_OWN = frozenset({"action", "actionid", "userevent"})


def _empty(message: str, complete: str, *count: str) -> Callable[[Request], bool]:
    """A list without elements: its beginning and its end."""

    def run(request: Request) -> bool:
        request.respond("Success", ("EventList", "start"), ("Message", message))
        numbers = tuple((key, "0") for key in ("ListItems", *count))
        request.session.send(
            (("Event", complete), *request.action_id, ("EventList", "Complete"), *numbers)
        )
        return True

    return run


core_show_channels = _empty("Channels will follow", "CoreShowChannelsComplete")
status = _empty("Channel status will follow", "StatusComplete", "Items")


def user_event(request: Request) -> bool:
    """Tell everybody who may see events of class `user`."""
    name = request.get("UserEvent")
    if not name:
        return request.refuse("Missing UserEvent header")
    more = [(key, value) for key, value in request.message.headers if key.lower() not in _OWN]
    fields = (("UserEvent", name), *more)
    request.context.broadcast.send(Event("UserEvent", classes.CLASSES["user"], fields))
    return request.done("Event Sent")


def add_filter(request: Request) -> bool:
    """One more filter for this session alone."""
    if request.get("Operation").lower() != "add":
        return request.refuse("Unknown operation")
    text, criteria = request.get("Filter"), request.get("MatchCriteria")
    new, complaints = compiled([f"eventfilter({criteria}) = {text}" if criteria else text])
    if complaints or not (text or criteria):
        return request.refuse("Filter did not compile.  Check the syntax of the filter given.")
    request.context.broadcast.flush()  # what happened before goes by the old ones
    session = request.session
    old = session.filters
    session.filters = Filters(
        (*old.include, *new.include),
        (*old.exclude, *new.exclude),
    )
    return request.done("Filter added successfully")


async def logger_rotate(request: Request) -> bool:
    """As `logger rotate` does."""
    if why := await request.context.port().instance.rotate_logs():
        return request.refuse(why)
    return request.done("Reloaded the logger and rotated log files")
