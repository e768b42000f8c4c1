# Completion for zsh. The tables above are made from those that the command parses its options with; `specs` are the options and
# the operand of a subcommand, as _arguments takes them.

# Completes a value by its name: the words of a|b|c, the names of a table, files, folders. KIND,.. is a list.
_recurve_value()
{
    local kind=${1%,..}
    local table=_recurve_${kind//[^A-Z]/}
    local -a choices=(${=${(P)table}})
    [[ $kind != *'|'* ]] || choices=(${(s:|:)kind})
    [[ $1 != *,.. ]] || compset -P '*,'
    (($#choices == 0)) || compadd -a choices
    case $kind in
        MODEL) _files -g '*.rv' ;;
        FILE* | *.[a-z]*) _files ;;
        DIR*) _files -/ ;;
    esac
}

_recurve()
{
    local -a specs
    local commands=_recurve_commands
    [[ $service != recurve-mpi ]] || commands=_recurve_mpi_commands
    if ((CURRENT == 2)); then
        _describe command $commands
        compadd -- --help --version
        return
    fi
    ((${${(P)commands}[(I)$words[2]:*]})) || return 1
    shift words
    ((CURRENT--))
    _recurve_specs $words[1]
    _arguments -S $specs
}

_recurve "$@"
