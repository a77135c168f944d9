"""The actions that change registrations at run time: `PjregAdd`, `PjregSet`, `PjregRemove`."""

from __future__ import annotations

from pjreg_cli.ami.request import Request, Run
from pjreg_cli.errors import PjregError

_DONE = {
    "add": "Registration added",
    "set": "Registration changed",
    "remove": "Registration removed",
}


def _changing(verb: str) -> Run:
    async def run(request: Request) -> bool:
        name = request.get("Registration")
        if not name:
            return request.refuse("Registration parameter missing.")
        options = {}
        for key, value in request.message.headers:
            if key.lower() == "variable":
                option, sign, text = value.partition("=")
                if not sign:
                    return request.refuse("Variable is key=value.")
                options[option.strip().lower()] = text.strip()
        user = request.session.account.name if request.session.account else ""
        try:
            await request.context.port().instance.change(
                verb, name, options, f"manager user {user}"
            )
        except PjregError as error:
            return request.refuse(str(error))
        return request.done(_DONE[verb])

    return run


add, change, remove = _changing("add"), _changing("set"), _changing("remove")
