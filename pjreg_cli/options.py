"""The command line: options that combine as in Asterisk's, then the words of a command.

Written by hand and without dataclasses because every one-shot command runs it: argparse alone
takes longer than a bare interpreter.
"""

from __future__ import annotations

import os
from _collections_abc import Callable

from pjreg_cli import remote
from pjreg_cli.errors import UsageError, excerpt, hint

USAGE = """\
Usage: pjreg-cli [OPTION...] [COMMAND WORD...]
       pjreg-cli demo [--database] [OPTION...] [COMMAND WORD...]
       pjreg-cli check [--strict] [--json] [PATH]
       pjreg-cli init [--provider NAME] [PATH]
       pjreg-cli probe NAME | --uri SIP-URI [--user U] [--password-file FILE] [--json]
       pjreg-cli health [--min-registered PERCENT] [--json] [NAME...]
       pjreg-cli completion bash|zsh|fish

Keeps SIP outbound registrations alive and shows them as Asterisk's console does.
The words are a console command, asked of the running instance; where none runs it
is answered from the configuration alone, and nothing is sent.  Without a command
on a terminal: the console of the running instance, or an instance with a console.

Which instance
  -C, --config PATH    directory of pjsip.conf, or the file itself
                       ($PJREG_CONFIG, ./pjsip.conf, ~/.config/pjreg-cli, /etc/pjreg-cli)
  -s, --socket PATH    control socket ($PJREG_SOCKET, else in the run directory)

Run one
  -f, --foreground     without console, log to stderr
  -c, --console        with its console in this terminal
      --reveal-secrets show passwords where Asterisk does

Ask one
  -r, --remote         only ever talk to a running instance
  -R                   the same, and connect again for 30 s when it goes away
  -x, --execute CMD    run CMD, print its output, exit; may be repeated (-rx CMD)
      --follow         on a terminal: show how it goes, wait for what comes of it
      --register       no instance running: really register, answer, unregister
      --wait SEC       wait so long at most until everything has settled (10)

Output
      --dialect current|12   Asterisk's tables of today, or those of Asterisk 12
      --json           the same for machines
  -n, --no-color       the same as --color never
      --color WHEN     auto (the default), always or never
  -v, -d               more verbose: refreshes, -vv requests, -vvv look-ups and
                       connections; more debug messages: oddities, -dd every message,
                       -ddd every step
  -V, --version        print the version
  -h, --help           print this

Exit status: 0 done; 1 the command failed or no instance answered; 2 bad usage.
"""

#: what a machine is told on which nothing was set up yet
FRESH = """\
there is no pjsip.conf in ., ~/.config/pjreg-cli or /etc/pjreg-cli
  pjreg-cli demo        shows everything, with its own registrar on loopback
  pjreg-cli init        asks a few questions and writes one
  pjreg-cli check PATH  tells what is wrong with one; -C PATH uses it"""

#: the longest `--wait`, in seconds
_LONGEST_WAIT_S = 3600.0

_DIALECTS = ("current", "12")
_COLOURS = ("auto", "always", "never")
#: words that an option takes
CHOICES = {"--dialect": _DIALECTS, "--color": _COLOURS}
#: words that are programs of their own when they come first
PROGRAMS = ("demo", "check", "completion", "init", "probe", "health")


class Options:
    """A command line that was understood."""

    __slots__ = (
        "color",
        "commands",
        "config",
        "database",
        "debug",
        "dialect",
        "execute",
        "follow",
        "help",
        "hung_up",
        "json",
        "mode",
        "provider",
        "reconnect",
        "register",
        "reveal_secrets",
        "socket",
        "strict",
        "verbose",
        "version",
        "wait_s",
        "words",
    )

    def __init__(self) -> None:
        self.config: str | None = None
        """`-C` as given."""
        self.socket: str | None = None
        """`-s` as given."""
        self.mode = "auto"
        """`auto`, `foreground`, `console` or `remote`."""
        self.reconnect = False
        self.execute: list[str] = []
        """The commands of every `-x`, in order."""
        self.words: list[str] = []
        """What follows the options."""
        self.follow = False
        self.register = False
        self.wait_s = 10.0
        self.dialect = "current"
        self.json = False
        self.color = "auto"
        self.verbose = 0
        self.debug = 0
        self.reveal_secrets = False
        self.database = False
        """Of the demo: accounts come from a database."""
        self.strict = False
        self.provider = ""
        self.version = False
        self.help = False
        self.hung_up = False
        """SIGHUP came before the instance could heed it."""

    @property
    def program(self) -> str:
        """One of `PROGRAMS`, when the first word names it and no -x is given."""
        first = self.words[0] if self.words and not self.execute else ""
        return first if first in PROGRAMS and self.mode == "auto" else ""

    @property
    def lines(self) -> list[str]:
        """The commands to execute: every -x, then the words as one."""
        return [*self.execute, as_line(self.words)] if self.words else self.execute

    @property
    def socket_path(self) -> str:
        """The control socket of the instance meant."""
        return self.socket or remote.default_socket()

    def coloured(self, terminal: bool) -> bool:
        """Whether to colour output that goes to a terminal, or not to one."""
        if self.color == "auto":
            return terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        return self.color == "always"


def as_line(words: list[str]) -> str:
    """The words of a shell as one line of the console, in which each is still one word.

    The first may be a whole command (`pjreg-cli "core show uptime" seconds`).
    """
    return " ".join([*words[:1], *map(_quoted, words[1:])])


def _quoted(word: str) -> str:
    """A word that the console reads back as it is; one in quotes of its own stays so."""
    if word and not any(sign in word for sign in ' \t"\\'):
        return word
    if len(word) > 1 and word[0] == word[-1] == '"' and " " in word:
        return word
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'


# -- one function for each option -------------------------------------------------------------


def _config(options: Options, value: str) -> None:
    if not value:
        raise UsageError("option --config needs a path")
    options.config = value


def _socket(options: Options, value: str) -> None:
    if not value:
        raise UsageError("option --socket needs a path")
    options.socket = value


def _mode(options: Options, mode: str) -> None:
    if options.mode not in ("auto", mode):
        raise UsageError(f"{options.mode} and {mode} exclude each other: use one of -f, -c and -r")
    options.mode = mode


def _reconnect(options: Options) -> None:
    _mode(options, "remote")
    options.reconnect = True


def _wait(options: Options, value: str) -> None:
    try:
        seconds = float(value)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= _LONGEST_WAIT_S:
        raise UsageError(f"--wait takes 0 to {_LONGEST_WAIT_S:.0f} seconds, not '{excerpt(value)}'")
    options.wait_s = seconds


def _dialect(options: Options, value: str) -> None:
    options.dialect = _one_of("--dialect", value, _DIALECTS)


def _color(options: Options, value: str) -> None:
    options.color = _one_of("--color", value, _COLOURS)


def _one_of(option: str, value: str, choices: tuple[str, ...]) -> str:
    if value not in choices:
        raise UsageError(f"{option} takes {', '.join(choices)}, not '{excerpt(value)}'")
    return value


def _louder(options: Options) -> None:
    options.verbose += 1


def _debug(options: Options) -> None:
    options.debug += 1


def _set(name: str, value: object = True) -> Callable[[Options], None]:
    return lambda options: setattr(options, name, value)


def _set_value(name: str) -> Callable[[Options, str], None]:
    return lambda options, value: setattr(options, name, value)


#: spellings without a value
_FLAGS: dict[str, Callable[[Options], None]] = {
    "-f": lambda options: _mode(options, "foreground"),
    "-c": lambda options: _mode(options, "console"),
    "-r": lambda options: _mode(options, "remote"),
    "-R": _reconnect,
    "-n": _set("color", "never"),
    "-v": _louder,
    "-d": _debug,
    "-V": _set("version"),
    "-h": _set("help"),
    "--foreground": lambda options: _mode(options, "foreground"),
    "--console": lambda options: _mode(options, "console"),
    "--remote": lambda options: _mode(options, "remote"),
    "--no-color": _set("color", "never"),
    "--follow": _set("follow"),
    "--register": _set("register"),
    "--json": _set("json"),
    "--reveal-secrets": _set("reveal_secrets"),
    "--database": _set("database"),
    "--strict": _set("strict"),
    "--verbose": _louder,
    "--debug": _debug,
    "--version": _set("version"),
    "--help": _set("help"),
}

#: spellings with one
_VALUES: dict[str, Callable[[Options, str], None]] = {
    "-C": _config,
    "-s": _socket,
    "-x": lambda options, value: options.execute.append(value),
    "--config": _config,
    "--socket": _socket,
    "--execute": lambda options, value: options.execute.append(value),
    "--wait": _wait,
    "--provider": _set_value("provider"),
    "--dialect": _dialect,
    "--color": _color,
}

#: words after which anything may be typed
_FREE_TEXT = frozenset(("like", "where"))
#: all spelt-out options
SPELLINGS = sorted(name for name in (*_FLAGS, *_VALUES) if name.startswith("--"))


def parse(arguments: list[str]) -> Options:
    """Read a command line without the program's name; raises UsageError.

    Options may also follow the words, as long as these are not free text (`like`, `where`); one
    that is not known belongs to the command if that is one of ours (`pjreg ...`).  `--` ends
    them for good.
    """
    options = Options()
    rest = arguments[::-1]
    ended = False
    while rest:
        word = rest.pop()
        if ended or word in ("-", "") or not word.startswith("-"):
            options.words.append(word)
        elif word == "--":
            ended = True
        elif word.startswith("--"):
            _long(options, word, rest)
        elif options.words and not options.program and not _follows(options.words, word):
            options.words.append(word)
        else:
            _short(options, word, rest)
    _check(options)
    return options


def _follows(words: list[str], word: str) -> bool:
    """Whether a word such as `-n` behind a command is an option of ours."""
    return word in _FLAGS and not _free(words)


def _long(options: Options, word: str, rest: list[str]) -> None:
    name, assigned, value = word.partition("=")
    if name in _FLAGS:
        if assigned:
            raise UsageError(f"option {name} takes no value")
        _FLAGS[name](options)
    elif name in _VALUES:
        _VALUES[name](options, value if assigned else _value(name, rest))
    elif options.words[:1] == ["pjreg"] or options.program or _free(options.words):
        options.words.append(word)
    else:
        raise UsageError(f"unknown option {excerpt(name)}{hint(name, SPELLINGS)}")


def _free(words: list[str]) -> bool:
    return not _FREE_TEXT.isdisjoint(map(str.lower, words))


def _short(options: Options, word: str, rest: list[str]) -> None:
    for at, letter in enumerate(word[1:], 2):
        name = "-" + letter
        if name in _FLAGS:
            _FLAGS[name](options)
        elif name in _VALUES:
            _VALUES[name](options, word[at:] or _value(name, rest))
            return
        else:
            among = "" if len(word) == 2 else f" in {excerpt(word)}"
            raise UsageError(f"unknown option {excerpt(name)}{among}")


def _value(name: str, rest: list[str]) -> str:
    if not rest:
        raise UsageError(f"option {name} needs a value")
    return rest.pop()


def _check(options: Options) -> None:
    """Raise UsageError for what makes no sense together."""
    if options.mode in ("foreground", "console") and options.lines:
        raise UsageError(f"an instance takes no command: start it with --{options.mode}, then ask")
    if options.register and options.mode != "auto":
        raise UsageError("--register is for a command where no instance runs: not with -f, -c, -r")
    if options.register and (not options.lines or options.program):
        raise UsageError("--register needs a command to answer")
    if options.database and options.program != "demo":
        raise UsageError("--database is for the demo: pjreg-cli demo --database")


# -- defaults ---------------------------------------------------------------------------------


def config_path(options: Options) -> str:
    """The configuration to read, existing or not; never Asterisk's own unless it was named."""
    if options.config:
        return options.config
    if named := os.environ.get("PJREG_CONFIG"):
        return named
    if os.path.exists("pjsip.conf"):
        return "pjsip.conf"
    own = os.path.join(config_home(), "pjreg-cli")
    return own if os.path.isdir(own) else "/etc/pjreg-cli"


def configured(options: Options) -> bool:
    """Whether a configuration was named, or one is where it is looked for."""
    if options.config or os.environ.get("PJREG_CONFIG"):
        return True
    return os.path.exists(config_path(options))


def config_home() -> str:
    """Where a user keeps configurations (XDG Base Directory)."""
    return os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
