"""`pjreg-cli completion SHELL`: a script that asks the running instance what may follow.

The shells hold no list of commands: at every Tab they run `pjreg-cli completion suggest -- WORD...`
with the words up to the cursor.  That asks the instance what its own console would suggest, so
registration names are true, and costs no more than a one-shot command.
"""

from __future__ import annotations

from pjreg_cli import remote
from pjreg_cli.errors import UsageError, excerpt
from pjreg_cli.options import PROGRAMS, SPELLINGS, Options, parse

_SHELLS = ("bash", "zsh", "fish")

_BASH = """\
# bash completion for pjreg-cli; load it with
#   source <(pjreg-cli completion bash)
_pjreg_cli() {
    local word
    local words=("${COMP_WORDS[@]:1:COMP_CWORD}")
    COMPREPLY=()
    while IFS=$'\\t' read -r word _; do
        [[ $word == *[\\"\\\\]* ]] || printf -v word '%q' "$word"
        COMPREPLY+=("$word")
    done < <("${COMP_WORDS[0]}" completion suggest -- "${words[@]//\\\\/}" 2>/dev/null)
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
    local line word
    local -a lines found shown
    lines=("${(@f)$("${words[1]}" completion suggest -- "${(@Q)words[2,CURRENT]}" 2>&-)}")
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
    set -l words (commandline -opc) (commandline -ct)
    command $words[1] completion suggest -- $words[2..-1] 2>/dev/null
end
complete -c pjreg-cli -f -a '(__pjreg_cli_suggest)'
complete -c pjreg-cli -s C -l config -r -F
complete -c pjreg-cli -s s -l socket -r -F
"""

_SCRIPTS = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH}


def run(options: Options) -> int:
    """Print the script of the shell that the words name, or suggestions; raises UsageError."""
    _, *arguments = options.words
    if arguments[:1] == ["suggest"]:
        return _suggest(options, arguments[1:])
    if len(arguments) != 1 or arguments[0] not in _SCRIPTS:
        given = f", not '{excerpt(' '.join(arguments))}'" if arguments else ""
        raise UsageError(f"completion takes one of {', '.join(_SHELLS)}{given}")
    remote.write(_SCRIPTS[arguments[0]].encode())
    return remote.DONE


def _suggest(options: Options, typed: list[str]) -> int:
    """What the last of `typed` may become, one a line with a tab before its explanation."""
    *before, partial = typed or [""]
    try:
        given = parse(before)
    except UsageError:
        return remote.DONE  # an option that waits for its value: the shell offers files
    path = given.socket or options.socket or remote.default_socket()
    found: list[str] = []
    if partial.startswith("-") and not given.words:
        found = [name for name in SPELLINGS if name.startswith(partial)]
    elif given.words[:1] == ["completion"]:
        found = [shell for shell in _SHELLS if shell.startswith(partial)]
    elif given.words[:1] != ["check"]:
        words = given.words[1:] if given.program == "demo" else given.words
        found = [*_console(path, " ".join([*words, partial]))]
        if not given.words and given.mode == "auto":
            found += [name for name in PROGRAMS if name.startswith(partial)]
    remote.write("".join(f"{line}\n" for line in found).encode("utf-8", "surrogateescape"))
    return remote.DONE


def _console(path: str, text: str) -> list[str]:
    """What the console of the instance suggests; nothing where none runs."""
    try:
        return remote.suggest(path, text)
    except (remote.NoInstance, remote.Broken):
        return []
