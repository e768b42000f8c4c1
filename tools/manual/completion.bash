# Completion for bash. The tables above are made from those that the command parses its options with; `rows` are the operand and
# the options of a subcommand: MODEL --task=TASK --sequence ..

# Completes a value by its name: the words of a|b|c, the names of a table, files, folders. KIND,.. is a list.
_recurve_value()
{
    local kind=$1 current=$2 before='' table words=''
    if [[ $kind == *,.. && $current == *,* ]]; then
        before=${current%,*},
        current=${current##*,}
    fi
    kind=${kind%,..}
    table=_recurve_${kind//[^A-Z]}
    [[ $kind == *'|'* ]] && words=${kind//|/ } || words=${!table-}
    case $kind in
        MODEL) mapfile -t COMPREPLY < <(compgen -f -X '!*.rv' -- "$current"; compgen -d -- "$current") ;;
        FILE* | *.[a-z]*) mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
        DIR*) mapfile -t COMPREPLY < <(compgen -d -- "$current") ;;
    esac
    ((${#COMPREPLY[@]} == 0)) || compopt -o filenames 2>/dev/null
    [[ -z $words ]] || mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -W "$words" -P "$before" -- "$current")
}

_recurve()
{
    local current=${COMP_WORDS[COMP_CWORD]} option=${COMP_WORDS[COMP_CWORD - 1]} rows row commands=$_recurve_commands
    COMPREPLY=()
    [[ ${COMP_WORDS[0]##*/} != recurve-mpi ]] || commands=$_recurve_mpi_commands
    # Bash splits --task=adding into three words.
    if [[ $current == = ]]; then
        current=
    elif [[ $option == = ]]; then
        option=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    if ((COMP_CWORD == 1)); then
        mapfile -t COMPREPLY < <(compgen -W "$commands --help --version" -- "$current")
        return
    fi
    [[ " $commands " == *" ${COMP_WORDS[1]} "* ]] || return
    _recurve_rows "${COMP_WORDS[1]}"
    read -ra rows <<<"$rows"
    for row in "${rows[@]}"; do
        [[ $row != "$option="* ]] || { _recurve_value "${row#*=}" "$current" && return; }
    done
    if [[ $current == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "${rows[*]%%=*}" -- "$current")
    elif [[ ${rows[0]} != -* ]]; then
        _recurve_value "${rows[0]}" "$current"
    fi
}

complete -F _recurve recurve recurve-mpi
