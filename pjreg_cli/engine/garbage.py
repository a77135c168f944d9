"""The collector of cycles, kept from walking through a fleet that is no garbage.

Of fifty thousand registrations it would walk through a million objects, and the event loop would
stand still for half a second.  What a fleet consists of is set aside once it is made: it is freed
as ever when nothing refers to it any more, but no longer searched.
"""

from __future__ import annotations

import gc

#: objects made but not freed before the young are looked through, and how often that before the
#: older ones are: a collection takes a few milliseconds at most
THRESHOLDS = (20_000, 20, 100)


def tune() -> None:
    """For a process that holds a fleet: collect seldom, and a little at a time; from now on, if
    the start went without."""
    gc.set_threshold(*THRESHOLDS)
    gc.enable()


def set_aside() -> None:
    """All that there is now stays: do not search it again."""
    gc.freeze()
