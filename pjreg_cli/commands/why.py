"""The commands that tell why."""

from __future__ import annotations

from pjreg_cli.commands import health, watch
from pjreg_cli.commands.command import USAGE, Answer, Call, Command, Verdict, absent, tell, usage
from pjreg_cli.commands.pjsip import registration_names
from pjreg_cli.render import explanation, json, ladder, registration_history

#: how much of the past is looked at
_TRANSITIONS = 500
_EVENTS = 50


async def _explain(call: Call) -> Answer:
    if len(call.args) != 1:
        return USAGE
    finding = call.port.registrations.finding(call.args[0])
    if not call.port.instance.view().live:
        # what an instance has left behind is all that is known of what happened
        past = await call.port.history.of(finding.name, 1)
        finding = finding._replace(steps=(*finding.steps, *map(registration_history.step, past)))
    verdict = Verdict.NEGATIVE if finding.cause == "unknown-name" else Verdict.DONE
    view = call.port.instance.view()
    return tell(
        finding,
        lambda told: explanation.explanation(
            told, view.now_at, view.config_dir, call.console.width
        ),
        json.whole(explanation.shape),
        verdict,
    )


async def _history(call: Call) -> Answer:
    if len(call.args) != 1:
        return USAGE
    name = call.args[0]
    port = call.port
    transitions = await port.history.of(name, _TRANSITIONS, "transition")
    events = await port.history.of(name, _EVENTS)
    known = bool(transitions or events) or port.registrations.row(name) is not None
    verdict = Verdict.DONE if known else Verdict.NEGATIVE
    # without an instance its last word is the present
    now_at = port.instance.view().now_at or max((one.at for one in events), default=0.0)
    return tell(
        name,
        lambda of: registration_history.page(of, events, transitions, now_at, call.console.width),
        json.whole(lambda of: registration_history.shape(of, events, transitions, now_at)),
        verdict,
    )


def _ladder(call: Call) -> Answer:
    words = list(call.args)
    full = words[-1:] == ["full"]
    if full:
        words.pop()
    count = words.pop() if len(words) == 2 else "0"
    if len(words) != 1 or not count.isdigit():
        return USAGE
    registrations = call.port.registrations
    if registrations.row(words[0]) is None:
        return absent(f"Unable to find object {words[0]}.", "")
    tried = registrations.tried(words[0])[-int(count) :]
    messages = ladder.of(tried, registrations.messages(words[0])) if full else ()
    return tell(
        tried,
        lambda shown: [*ladder.ladder(shown), *(ladder.messages(messages) if full else ())],
        json.whole(lambda shown: ladder.shape(shown, messages if full else None)),
    )


COMMANDS = (
    health.ROW,
    watch.ROW,
    Command(
        "pjreg ladder",
        usage(
            "Usage: pjreg ladder <registration> [<count>] [full]",
            "The last exchange with its registrar as a ladder: what was sent and answered, when,",
            "and how often.  With a count only the last requests of it, with full the messages",
            "themselves, as far as they are still remembered.",
        ),
        "The last exchange as a SIP ladder",
        _ladder,
        registration_names,
    ),
    Command(
        "pjreg history",
        usage(
            "Usage: pjreg history <registration>",
            "What has happened to a registration, also before this start: its attempts and",
            "changes, the newest last, and how much of the time it was registered.",
        ),
        "What has happened to a registration",
        _history,
        registration_names,
    ),
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
