"""The commands that tell why."""

from __future__ import annotations

from pjreg_cli.commands.command import USAGE, Answer, Call, Command, Verdict, usage
from pjreg_cli.commands.pjsip import registration_names
from pjreg_cli.render import explanation, json


def _explain(call: Call) -> Answer:
    if len(call.args) != 1:
        return USAGE
    finding = call.port.registrations.finding(call.args[0])
    verdict = Verdict.NEGATIVE if finding.cause == "unknown-name" else Verdict.DONE
    if call.json:
        return Answer(json.document(json.finding(finding)), verdict, json=True)
    view = call.port.instance.view()
    return Answer(explanation.explanation(finding, view.now_at, view.config_dir), verdict)


COMMANDS = (
    Command(
        "pjreg explain",
        usage(
            "Usage: pjreg explain <registration>",
            "Tells why a registration stands as it does: what was looked up, sent and answered,",
            "what that means, what happens next by itself, and what to change, and where.",
        ),
        "Why a registration stands as it does, and what to change",
        _explain,
        registration_names,
    ),
)
