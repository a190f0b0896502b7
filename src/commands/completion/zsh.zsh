#compdef PROGRAM
# Completion of PROGRAM for zsh: a file _PROGRAM in a folder of fpath, or source <(PROGRAM completion zsh)

_FUNCTION() {
    local -a asked lines described plain
    local answer directive line name about last kept ending
    asked=("${(@Q)words[2,CURRENT]}")
    last=${asked[-1]}
    answer=$(PROGRAM __complete "${(@)asked}" 2>/dev/null) || return 1
    lines=("${(@f)answer}")
    directive=${lines[-1]#:}
    lines=("${(@)lines[1,-2]}")

    # A value behind = is completed by itself.
    if [[ $last == -*=* ]]; then
        compset -P '*='
    fi
    case $directive in
        8) local -a endings
           for ending in "${(@)lines}"; do [[ -n $ending ]] && endings+=("$ending"); done
           _files -g "*.(${(j:|:)endings})"
           return ;;
        16) _files -/
            return ;;
    esac
    for line in "${(@)lines}"; do
        [[ -n $line ]] || continue
        name=${line%%$'\t'*}
        about=${line#*$'\t'}
        if [[ $name == *= ]]; then
            plain+=("$name")
        elif [[ $line == *$'\t'* ]]; then
            described+=("${name//:/\\:}:$about")
        else
            described+=("${name//:/\\:}")
        fi
    done
    (( ${#plain} )) && compadd -S '' -- "${(@)plain}"
    (( ${#described} )) && _describe 'PROGRAM' described
    if (( ! ${#plain} && ! ${#described} )) && [[ $directive == 0 ]]; then
        _files
    fi
}

# As a file of fpath it is called at once; sourced, it is registered.
if [[ ${funcstack[1]} == _PROGRAM ]]; then
    _FUNCTION "$@"
else
    compdef _FUNCTION PROGRAM
fi
