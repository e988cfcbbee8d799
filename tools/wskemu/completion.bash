# Completion of wskemu's commands and options, for bash.

_wskemu()
{
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
    local command=${COMP_WORDS[1]-} words=""
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        mapfile -t COMPREPLY < <(compgen -W "build run status ioctl session trace --help --version" \
            -- "$word")
        return
    fi
    case $before in
    --trace-level | -l) words="network calls all" ;;
    --format) words="text chrome html pcapng" ;;
    --sessions) words="logind" ;;
    --compiler | -c) words="gcc clang" ;;
    esac
    if [ -z "$words" ]; then
        case $command in
        build) words="--output --compiler --define --include --release --help" ;;
        run)
            words="--param --for --trace --trace-level --trace-size --payload --sessions --verbose
                --quiet --help"
            ;;
        status) words="--json --process --help" ;;
        ioctl) words="--in --out --process --help" ;;
        session)
            words="create connect disconnect logon logoff terminate --remote --process --help"
            ;;
        trace) words="--format --output --help" ;;
        esac
        case $command:$word in
        build:-* | run:-* | trace:-*) ;;
        build:* | run:* | trace:*)
            compopt -o filenames
            mapfile -t COMPREPLY < <(compgen -f -- "$word")
            return
            ;;
        esac
    fi
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}

complete -F _wskemu wskemu
