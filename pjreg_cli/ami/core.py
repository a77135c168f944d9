"""What the manager interface tells of the program itself: `CoreStatus`, `CoreSettings`."""

from __future__ import annotations

from datetime import UTC, datetime

from pjreg_cli.ami.request import Request

#: the version of the protocol, as the banner and CoreSettings tell it
AMI_VERSION = "13.0.0"


def status(request: Request) -> bool:
    view = request.context.port().instance.view()
    started, reloaded = _local(view.started_at), _local(view.reloaded_at)
    return request.respond(
        "Success",
        ("CoreStartupDate", f"{started:%Y-%m-%d}"),
        ("CoreStartupTime", f"{started:%H:%M:%S}"),
        ("CoreReloadDate", f"{reloaded:%Y-%m-%d}"),
        ("CoreReloadTime", f"{reloaded:%H:%M:%S}"),
        ("CoreCurrentCalls", "0"),
        ("CoreProcessedCalls", "0"),
    )


def _local(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC).astimezone()


def settings(request: Request) -> bool:
    return request.respond(
        "Success",
        ("AMIversion", AMI_VERSION),
        ("AsteriskVersion", request.context.port().instance.view().version),
        ("SystemName", ""),
        ("CoreMaxCalls", "0"),
        ("CoreMaxLoadAvg", "0.000000"),
        ("CoreRunUser", ""),
        ("CoreRunGroup", ""),
        ("CoreMaxFilehandles", "0"),
        ("CoreRealTimeEnabled", "No"),
        ("CoreCDRenabled", "No"),
        ("CoreHTTPenabled", "No"),
        ("SoundsSearchCustomDir", "No"),
    )
