# Completion of PROGRAM for bash: source <(PROGRAM completion bash)

_FUNCTION_complete() {
    COMPREPLY=()
    # By the line itself: bash takes words apart at = and :, too.
    local line=${COMP_LINE:0:COMP_POINT} words answer directive
    read -ra words <<< "$line"
    [[ $line =~ [[:space:]]$ ]] && words+=("")
    local last=${words[${#words[@]}-1]}
    answer=$(PROGRAM __complete "${words[@]:1}" 2>/dev/null) || return
    directive=${answer##*:}
    answer=${answer%:*}

    # What bash replaces is only what stands behind the last = or :.
    local value=$last
    [[ $last == -*=* ]] && value=${last#*=}
    local kept=${value%"${value##*[=:]}"}
    case $directive in
        8) local ending
           while IFS= read -r ending; do
               [[ $ending ]] && COMPREPLY+=($(compgen -f -X "!*.$ending" -- "$value"))
           done <<< "$answer"
           COMPREPLY+=($(compgen -d -- "$value"))
           compopt -o filenames 2>/dev/null
           return ;;
        16) COMPREPLY=($(compgen -d -- "$value"))
            compopt -o filenames 2>/dev/null
            return ;;
    esac
    local candidate
    while IFS=$'\t' read -r candidate _; do
        [[ $candidate == "$value"* ]] && [[ $candidate ]] && COMPREPLY+=("${candidate#"$kept"}")
    done <<< "$answer"
    if [[ $directive == 0 && ${#COMPREPLY[@]} == 0 ]]; then
        COMPREPLY=($(compgen -f -- "$value"))
        compopt -o filenames 2>/dev/null
    elif [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *= ]]; then
        compopt -o nospace 2>/dev/null
    fi
}

complete -F _FUNCTION_complete PROGRAM
