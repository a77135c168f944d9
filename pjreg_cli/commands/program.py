"""The commands of `module` and `logger`, and `reload` for those who type."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pjreg_cli.api.instance import ReloadReport
from pjreg_cli.commands.command import (
    USAGE,
    Answer,
    Call,
    Choice,
    Command,
    Console,
    Verdict,
    failed,
    say,
    tell,
    usage,
)
from pjreg_cli.render import evidence, facts, json

_LEVELS = ("DEBUG", "NOTICE", "WARNING", "ERROR", "VERBOSE", "DTMF")
#: what takes up changes of registrations, auth sections and transports
_SIP_MODULE = "res_pjsip.so"


def _show_modules(call: Call) -> Answer:
    keyword = ""
    if call.args:
        if len(call.args) != 2 or call.args[0].casefold() != "like":
            return USAGE
        keyword = call.args[1].casefold()
    found = [row for row in sorted(call.port.instance.modules()) if keyword in row[0].casefold()]
    return tell(found, facts.modules, json.each(facts.module_shape))


async def _reload(call: Call) -> Answer:
    """Reload the modules named, or everything without a word."""
    return await reloaded(call, call.args, bool(call.args))


async def reloaded(call: Call, modules: Sequence[str], named: bool = True) -> Answer:
    """Reload, and tell it as Asterisk does; what failed is no success, whatever Asterisk says."""
    reports = await call.port.instance.reload(modules)
    ok = all(one.ok for one in reports)
    verdict = Verdict.DONE if ok else Verdict.NEGATIVE
    # consoles read it in the log
    remarks = tuple(map(_remark, filter(_good, reports))) if call.console.follows else ()
    if named:
        return Answer([f"{_outcome(one)}\n" for one in reports], verdict, remarks=remarks)
    failures = tuple(dict.fromkeys(why for one in reports for why in one.failures))
    return Answer((), verdict, complaints=failures, remarks=remarks)


def _good(report: ReloadReport) -> bool:
    return report.known and report.ok


def _remark(report: ReloadReport) -> str:
    return f"{report.module.lower()}: {evidence.summary(report.steps, ())}"


def _outcome(report: ReloadReport) -> str:
    if not report.known:
        return f"No such module '{report.module}'"
    if report.failures:
        return f"Module '{report.module}' failed to reload: {'; '.join(report.failures)}"
    return f"Module '{report.module}' reloaded successfully."


async def _reload_sip(call: Call) -> Answer:
    if call.args:
        return USAGE
    return await reloaded(call, (_SIP_MODULE,))


# -- logger -----------------------------------------------------------------------------------


def _show_channels(call: Call) -> Answer:
    channels = call.port.instance.log_channels()
    return tell(channels, facts.log_channels, json.each(facts.log_channel_shape))


def _set_level(call: Call) -> Answer:
    if len(call.args) != 2:
        return USAGE
    level, state = call.args[0].upper(), call.args[1].casefold()
    if not call.port.instance.set_log_level(level, state == "on"):
        return failed(f"Nothing is ever logged with level '{level}'.")
    return say(f"Logger status for '{level}' has been set to '{state}'.")


def _mute(call: Call) -> Answer:
    words = [word.casefold() for word in call.args]
    if words not in ([], ["silent"]):
        return USAGE
    call.console.muted = not call.console.muted
    if words:
        return Answer()
    return say(f"Console is {'muted' if call.console.muted else 'not muted anymore'}.")


async def _rotate(call: Call) -> Answer:
    if call.args:
        return USAGE
    why = await call.port.instance.rotate_logs()
    return failed(f"The log could not be rotated: {why}") if why else Answer()


async def _reload_logger(call: Call) -> Answer:
    return await reloaded(call, ("logger",), named=False)


# -- completion -------------------------------------------------------------------------------


def module_names(console: Console, args: Sequence[str], _partial: str) -> Iterator[Choice]:
    """Modules that were not named yet."""
    for name, description, _uses in sorted(console.port.instance.modules()):
        if name not in args:
            yield Choice(name, description)


def _silent(_console: Console, args: Sequence[str], _partial: str) -> Iterator[Choice]:
    if not args:
        yield Choice("silent", "without a word")


_RELOAD_LINES = (
    "Reads the files of the modules named again, or everything if none is named.",
    "What did not change is left alone.",
)
ROWS = (
    Command(
        "module show [like]",
        usage(
            "Usage: module show [like keyword]",
            "Lists the parts of the program under the names Asterisk has for them;",
            "with a keyword, those whose name contains it.",
        ),
        "List modules",
        _show_modules,
    ),
    Command(
        "module reload",
        usage("Usage: module reload [module ...]", *_RELOAD_LINES),
        "Reload modules by name",
        _reload,
        module_names,
    ),
    Command(
        "reload",
        usage("Usage: reload [module ...]", *_RELOAD_LINES),
        "Reload everything, or modules by name",
        _reload,
        module_names,
        interactive=True,
    ),
    Command(
        "pjsip reload",
        usage("Usage: pjsip reload", "Reads registrations, auth sections and transports again."),
        "Reload registrations, auth sections and transports",
        _reload_sip,
        interactive=True,
    ),
    Command(
        "logger show channels",
        usage("Usage: logger show channels", "Lists where log messages go, and which ones."),
        "Where log messages go",
        _show_channels,
    ),
    Command(
        f"logger set level {{{'|'.join(_LEVELS)}}} {{on|off}}",
        usage(
            f"Usage: logger set level {{{'|'.join(_LEVELS)}}} {{on|off}}",
            "Switches the messages of one level on or off for consoles.",
        ),
        "Switch a log level on or off",
        _set_level,
    ),
    Command(
        "logger mute",
        usage(
            "Usage: logger mute [silent]",
            "Stops log messages on this console, or lets them come again.",
            "With silent nothing is answered.",
        ),
        "Stop log messages on this console, or let them come again",
        _mute,
        _silent,
    ),
    Command(
        "logger rotate",
        usage("Usage: logger rotate", "Begins new log files and keeps the old under other names."),
        "Begin new log files",
        _rotate,
    ),
    Command(
        "logger reload",
        usage("Usage: logger reload", "Opens the log files again; nothing else is read."),
        "Open the log files again",
        _reload_logger,
    ),
)
