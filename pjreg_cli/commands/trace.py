"""`pjsip set logger`, `pjsip set history` and `pjsip show history`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from pjreg_cli.api.tracing import HistoryEntry
from pjreg_cli.commands import where
from pjreg_cli.commands.command import (
    USAGE,
    Answer,
    Call,
    Choice,
    Command,
    Console,
    failed,
    kept,
    say,
    tell,
    usage,
)
from pjreg_cli.commands.words import tokenise
from pjreg_cli.render import json, sip_history

_METHODS = ("REGISTER", "OPTIONS", "INVITE", "ACK", "BYE", "CANCEL", "MESSAGE", "NOTIFY")


# -- logger -----------------------------------------------------------------------------------


async def _set_logger(call: Call) -> Answer:
    what, arguments = call.args[0].casefold(), call.args[1:]
    if what in ("on", "off"):
        return USAGE if arguments else _switch(call, what == "on")
    if len(arguments) != 1:
        return USAGE
    argument = arguments[0]
    tracing = call.port.tracing
    if what in ("host", "add"):
        address = tracing.logger_host(argument, add=what == "add")
        return USAGE if address is None else say(f"PJSIP Logging Enabled for host: {address}")
    if what in ("method", "methodadd"):
        methods = tracing.logger_method(argument, add=what == "methodadd")
        return say(f"PJSIP Logging Enabled for SIP Methods: {', '.join(methods)}")
    if what == "verbose":
        on = argument.casefold() == "on"
        tracing.logger_verbose(on)
        return say(f"PJSIP Logging to verbose has been {'enabled' if on else 'disabled'}")
    reason = await tracing.logger_pcap(argument)
    if reason is not None:
        return failed(f"Cannot write to '{argument}': {reason}")
    return say(f"PJSIP Logging to pcap file '{argument}' has been enabled")


def _switch(call: Call, on: bool) -> Answer:
    call.port.tracing.set_logger(on)
    return say(f"PJSIP Logging {'enabled' if on else 'disabled'}")


# -- history ----------------------------------------------------------------------------------


def _set_history(call: Call) -> Answer:
    if len(call.args) > 1:
        return USAGE
    what = call.args[0].casefold()
    if what == "clear":
        call.port.tracing.clear_history()
        return say("PJSIP History cleared")
    call.port.tracing.set_history(what == "on")
    return say(f"PJSIP History {'enabled' if what == 'on' else 'disabled'}")


async def _show_history(call: Call) -> Answer:
    entries = call.port.tracing.history()
    if not call.args:
        return _entries(entries)
    what = call.args[0].casefold()
    if what == "entry" and len(call.args) == 2:
        return _entry(entries, call.args[1])
    if what == "where" and len(call.args) > 1:
        # The raw text: quotes tell text from fields, which the words of the line no longer do.
        passes = where.parse(call.tail[tokenise(call.tail).words[0].end :])
        return _entries(await kept(entries, passes))
    return USAGE


def _entries(entries: Iterable[HistoryEntry]) -> Answer:
    return tell(entries, sip_history.table, json.each(sip_history.shape))


def _entry(entries: Iterable[HistoryEntry], word: str) -> Answer:
    if not (word.isascii() and word.isdigit()):
        return USAGE
    number = int(word[:20])
    for found in entries:
        if found.number == number:
            return tell(found, sip_history.entry, json.whole(sip_history.shape))
    return failed(f"Entry '{number}' does not exist")


# -- completion -------------------------------------------------------------------------------


def _logger_words(_console: Console, args: Sequence[str], _partial: str) -> Iterator[Choice]:
    what = args[0].casefold() if len(args) == 1 else ""
    if what in ("method", "methodadd"):
        yield from map(Choice, _METHODS)
    elif what == "verbose":
        yield from (Choice("on"), Choice("off"))


def _history_words(console: Console, args: Sequence[str], _partial: str) -> Iterator[Choice]:
    if not args:
        yield Choice("entry", "one message in full")
        yield Choice("where", "only messages that pass a filter")
    elif args[0].casefold() == "entry" and len(args) == 1:
        for found in console.port.tracing.history():
            yield Choice(str(found.number), found.text.partition("\r")[0])
    elif args[0].casefold() == "where":
        yield from map(Choice, (*where.FIELDS, "and", "or", "not", "like"))


_LOGGER = "on|off|host|add|method|methodadd|verbose|pcap"
ROWS = (
    Command(
        f"pjsip set logger {{{_LOGGER}}}",
        usage(
            "Usage: pjsip set logger {on|off|host <name/subnet>|add <name/subnet>|"
            "method <method>|methodadd <method>|verbose <on/off>|pcap <filename>}",
            "Shows every SIP message sent and received, or stops doing so.",
            "",
            "host, method   only messages of this host or subnet, of this method",
            "add, methodadd those of one more host or method as well",
            "verbose        whether they appear among the messages of this program",
            "pcap           write them to a file that wireshark reads",
        ),
        "Show SIP messages as they come and go",
        _set_logger,
        _logger_words,
    ),
    Command(
        "pjsip set history {on|off|clear}",
        usage(
            "Usage: pjsip set history {on|off|clear}",
            "Begins or ends keeping SIP messages; clear forgets those kept and counts from 0.",
        ),
        "Keep SIP messages, or forget them",
        _set_history,
    ),
    Command(
        "pjsip show history",
        usage(
            "Usage: pjsip show history [entry <num>|where [...]]",
            "Lists the SIP messages kept since 'pjsip set history on'.",
            "",
            "entry prints the whole message of that number.",
            "where lists only those for which an expression is true, made of",
            "  fields      number, timestamp (seconds since 1970), addr (ADDRESS:PORT),",
            "              sip.msg.request.method, sip.msg.call-id",
            "  operators   =  !=  <  <=  >  >=  like (a regular expression)",
            "  words       and, or, not, parentheses",
            "",
            "  pjsip show history where addr like ^10[.] and not sip.msg.request.method = OPTIONS",
        ),
        "List the SIP messages kept",
        _show_history,
        _history_words,
    ),
)
