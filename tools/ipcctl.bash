# shellcheck shell=bash
# bash completion for ipcctl(1). What can complete a line is asked of ipcctl itself, which has it from
# its command table and, for names, from the running daemon; without a daemon there are none.

# Files behind the "@" of a value, which may be a break of words, or stand behind an option's name.
_ipcctl_values()
{
    local candidate head=''
    [[ $1 == *@* ]] && head=${1%%@*}@
    while IFS= read -r candidate; do
        [[ -d $candidate ]] && candidate+=/
        COMPREPLY+=("$head$candidate")
    done < <(compgen -f -- "${1#"$head"}")
    if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == */ ]]; then
        compopt -o nospace 2>/dev/null # a folder's files come next
    fi
}

_ipcctl()
{
    local candidate action
    COMPREPLY=()
    while IFS= read -r candidate; do
        case $candidate in
        '<files>') action=-f ;;
        '<commands>') action=-c ;;
        '<users>') action=-u ;;
        '<groups>') action=-g ;;
        '<values>')
            _ipcctl_values "$2"
            return
            ;;
        *)
            COMPREPLY+=("$candidate")
            continue
            ;;
        esac
        [[ $action == -f ]] && compopt -o filenames 2>/dev/null
        while IFS= read -r candidate; do
            COMPREPLY+=("$candidate")
        done < <(compgen "$action" -- "$2")
        return
    done < <("$1" complete -- "${COMP_LINE:0:COMP_POINT}" "$COMP_WORDBREAKS" 2>/dev/null)
    if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]]; then
        compopt -o nospace 2>/dev/null # its value comes next
    fi
}
complete -F _ipcctl ipcctl
