"""The action that tells of a fleet of machines."""

from __future__ import annotations

from collections.abc import Iterator

from pjreg_cli.ami.listing import Pairs, block
from pjreg_cli.ami.request import Request
from pjreg_cli.api.cluster import ClusterView, MachineRow
from pjreg_cli.errors import StoreError


async def show(request: Request) -> bool:
    """List the machines of the fleet."""
    fleet = request.context.port().cluster
    if fleet is None or not fleet.name:
        return request.refuse("This is no machine of a fleet.")
    try:
        view = await fleet.view()
    except StoreError as error:
        return request.refuse(f"The fleet cannot be asked: {error}")

    def pieces() -> Iterator[str]:
        for machine in view.machines:
            yield block([("Event", "PjregInstance"), *request.action_id, *fields(machine)])
        yield block([("Event", "PjregClusterShowComplete"), *request.action_id, *whole(view)])

    request.respond(
        "Success",
        ("EventList", "start"),
        ("Message", "Following are Events for each machine of the fleet"),
    )
    await request.session.stream(pieces())
    return True


def fields(machine: MachineRow) -> Pairs:
    """What PjregInstance tells of a machine."""
    numbers = (machine.registered, machine.rejected, machine.unregistered)
    registered, rejected, unregistered = (str(number or 0) for number in numbers)
    return (
        ("Instance", machine.name),
        ("State", machine.state),
        ("Host", machine.host),
        ("Shards", str(machine.shards)),
        ("Registered", registered),
        ("Rejected", rejected),
        ("Unregistered", unregistered),
        ("LastBeat", f"{machine.beat_s:.1f}"),
        ("EndedBy", machine.ended_by),
    )


def whole(view: ClusterView) -> Pairs:
    """What PjregClusterShowComplete tells of the fleet."""
    this = view.this
    found = [
        ("EventList", "Complete"),
        ("ListItems", str(len(view.machines))),
        ("Schema", view.schema),
        ("Shards", str(view.shards)),
        ("Unowned", str(view.unowned)),
    ]
    if this is not None:
        found += [
            ("ThisInstance", this.name),
            ("LeaseTrust", f"{this.trust_s:.1f}"),
            ("JournalBehind", f"{this.behind_s:.1f}"),
        ]
    return found
