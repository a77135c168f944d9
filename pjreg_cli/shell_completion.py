"""`pjreg-cli completion SHELL`: a script that asks the running instance what may follow.

The shells hold no list of commands: at every Tab they run `pjreg-cli completion suggest -- WORD...`
with the words up to the cursor.  That asks the instance what its own console would suggest, so
registration names are true, and costs no more than a one-shot command.
"""

from __future__ import annotations

from _collections_abc import Callable, Iterable

from pjreg_cli import remote
from pjreg_cli.errors import UsageError, excerpt
from pjreg_cli.options import CHOICES, PROGRAMS, SPELLINGS, Options, as_line, parse

Offline = Callable[[Options, str], list[str]]
"""What the console would suggest after a text if an instance ran, each with a tab before its
explanation."""

_SHELLS = ("bash", "zsh", "fish")

_BASH = """\
# bash completion for pjreg-cli; load it with
#   source <(pjreg-cli completion bash)
_pjreg_cli() {
    local word
    local words=("${COMP_WORDS[@]:1:COMP_CWORD}")
    local at quote=${COMP_WORDS[COMP_CWORD]:0:1}
    for at in "${!words[@]}"; do
        word=${words[at]}
        case $word in
            \\"*) word=${word#\\"}; word=${word%\\"} ;;
            \\'*) word=${word#\\'}; word=${word%\\'} ;;
            *) word=${word//\\\\/} ;;
        esac
        words[at]=$word
    done
    COMPREPLY=()
    while IFS=$'\\t' read -r word _; do
        [[ $quote == [\\"\\'] ]] || printf -v word '%q' "$word"
        COMPREPLY+=("$word")
    done < <("${COMP_WORDS[0]}" completion suggest -- "${words[@]}" 2>/dev/null)
    if declare -F __ltrim_colon_completions >/dev/null; then
        __ltrim_colon_completions "${words[-1]}"
    fi
}
complete -o default -F _pjreg_cli pjreg-cli
"""

_ZSH = """\
#compdef pjreg-cli
# zsh completion for pjreg-cli; load it with
#   source <(pjreg-cli completion zsh)
_pjreg_cli() {
    local line word begun=$PREFIX
    local -a lines found shown
    [[ -n $compstate[quote] ]] || begun="${(Q)PREFIX}"
    lines=("${(@f)$("${words[1]}" completion suggest -- \\
        "${(@Q)words[2,CURRENT-1]}" "$begun" 2>&-)}")
    for line in $lines; do
        word="${line%%$'\\t'*}"
        [[ -n $word ]] || continue
        found+=("$word")
        shown+=("${line/$'\\t'/  -- }")
    done
    if (( ${#found} )); then
        compadd -l -d shown -a found
    else
        _files
    fi
}
compdef _pjreg_cli pjreg-cli
"""

_FISH = """\
# fish completion for pjreg-cli; load it with
#   pjreg-cli completion fish | source
function __pjreg_cli_suggest
    set -l words (commandline -opc)
    set -l begun (commandline -ct)
    if string match -qr '^["\\']' -- "$begun"
        set begun (string sub -s 2 -- "$begun")
    else
        set begun (string unescape -- "$begun")
    end
    command $words[1] completion suggest -- $words[2..-1] "$begun" 2>/dev/null
end
complete -c pjreg-cli -f -a '(__pjreg_cli_suggest)'
complete -c pjreg-cli -s C -l config -r -F
complete -c pjreg-cli -s s -l socket -r -F
"""

_SCRIPTS = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH}


def run(options: Options, unasked: Offline, providers: Callable[[], list[str]]) -> int:
    """Print the script of the shell that the words name, or suggestions; raises UsageError.

    `unasked` suggests where no instance runs; `providers` are those that `init` knows.
    """
    _, *arguments = options.words
    if arguments[:1] == ["suggest"]:
        return _suggest(options, arguments[1:], unasked, providers)
    if len(arguments) != 1 or arguments[0] not in _SCRIPTS:
        given = f", not '{excerpt(' '.join(arguments))}'" if arguments else ""
        raise UsageError(f"completion takes one of {', '.join(_SHELLS)}{given}")
    remote.write(_SCRIPTS[arguments[0]].encode())
    return remote.DONE


def _suggest(
    options: Options, typed: list[str], unasked: Offline, providers: Callable[[], list[str]]
) -> int:
    """What the last of `typed` may become, one a line with a tab before its explanation.

    The words are those of the shell, without its quotes; so are those suggested.
    """
    *before, partial = typed or [""]
    waiting = before[-1] if before else ""
    choices = {**CHOICES, "--provider": providers()} if "init" in before else CHOICES
    try:
        given = parse(before)
    except UsageError:
        # an option that waits for its value: the shell offers files where we have no words
        found = _starting(choices.get(waiting, ()), partial)
    else:
        name, assigned, value = partial.partition("=")
        if assigned and name in choices:
            found = [f"{name}={word}" for word in _starting(choices[name], value)]
        else:
            found = _found(options, given, partial, unasked)
    remote.write("".join(f"{line}\n" for line in found).encode("utf-8", "surrogateescape"))
    return remote.DONE


def _found(options: Options, given: Options, partial: str, unasked: Offline) -> list[str]:
    if partial.startswith("-") and given.words[:1] != ["pjreg"]:
        return _starting(SPELLINGS, partial)
    if given.words[:1] == ["completion"]:
        return _starting(_SHELLS, partial)
    if given.words[:1] in (["check"], ["init"]):
        return []
    words = given.words[1:] if given.program == "demo" else given.words
    line = f"{as_line(words)} {_opened(partial)}" if words else partial
    found = [_plain(suggestion) for suggestion in _console(options, given, line, unasked)]
    if partial.startswith("-"):
        found += _starting(SPELLINGS, partial)
    if not given.words and given.mode == "auto":
        found += _starting(PROGRAMS, partial)
    return found


def _starting(words: Iterable[str], partial: str) -> list[str]:
    return [word for word in words if word.startswith(partial)]


def _plain(suggestion: str) -> str:
    """A suggestion as the word it stands for, without the console's quotes."""
    word, tab, explanation = suggestion.partition("\t")
    if word[:1] == '"':
        word = word[1:].removesuffix('"')
    plain, escaped = "", False
    for sign in word:
        escaped = sign == "\\" and not escaped
        plain += "" if escaped else sign
    return f"{plain}{tab}{explanation}".rstrip("\t")


def _opened(word: str) -> str:
    """A word still being typed, as the console would have it: its quote is not closed."""
    quoted = as_line(["", word]).lstrip()
    return quoted[:-1] if quoted[:1] == '"' and word else word


def _console(options: Options, given: Options, line: str, unasked: Offline) -> list[str]:
    """What the console of the instance suggests; where none runs, what the configuration does."""
    given.socket = given.socket or options.socket
    given.config = given.config or options.config
    try:
        return remote.suggest(given.socket_path, line)
    except remote.Broken:
        return []
    except remote.NoInstance:
        return unasked(given, line)
