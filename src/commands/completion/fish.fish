# Completion of PROGRAM for fish: PROGRAM completion fish | source

function __FUNCTION_complete
    set -l words (commandline -opc)
    set -l last (commandline -ct)
    set -e words[1]
    set -l lines (PROGRAM __complete $words "$last" 2>/dev/null)
    or return
    set -l directive (string replace : '' -- $lines[-1])
    set -e lines[-1]
    # fish wants the whole word: --flag=value.
    set -l kept (string match -r -- '^-.*=' $last)
    set -l value (string replace -r -- '^-.*=' '' $last)
    switch $directive
        case 8
            set -l endings (string join '|' -- $lines)
            __fish_complete_path $value \
                | string match -r -- ".*(?:/|\\.(?:$endings))(?:\\t.*)?\$" \
                | string replace -r -- '^' "$kept"
            return
        case 16
            __fish_complete_directories $value | string replace -r -- '^' "$kept"
            return
    end
    for line in $lines
        echo -- "$kept$line"
    end
    if test "$directive" = 0 -a (count $lines) -eq 0
        __fish_complete_path $value | string replace -r -- '^' "$kept"
    end
end

complete -c PROGRAM -f -a '(__FUNCTION_complete)'
