# The bench: building it, running it, comparing instruction counts. Sourced by ./dev.

# ./dev bench [--json] [--pin] [--check] [--record] [--picture] [--list] [--rounds N] [NAME...]
#   --check    fails if a target is missed, or if a hot path takes more instructions than recorded
#   --record   writes the instruction counts to bench/instructions.csv
#   --picture  makes docs/performance.svg of a whole run
task_bench() {
    local arguments=() check=0 record=() picture=0 status=0
    for argument in "$@"; do
        case $argument in
        --check) check=1 arguments+=("$argument") ;;
        --record) record=(--record) ;;
        --picture) picture=1 ;;
        *) arguments+=("$argument") ;;
        esac
    done
    need_build >&2
    build bench bench >&2
    if [ ${#record[@]} -ne 0 ]; then
        bench_instructions "${record[@]}"
        return
    fi
    if [ $picture -eq 1 ]; then
        build/bench/bench/bench --json "${arguments[@]}" >build/bench/bench.json
        python3 -B tools/dev/bench.py picture build/bench/bench.json docs/performance.svg
        return
    fi
    build/bench/bench/bench "${arguments[@]}" || status=1
    if [ $check -eq 1 ]; then
        bench_instructions >&2 || status=1
    fi
    return $status
}

bench_instructions() {
    need valgrind=valgrind
    python3 -B tools/dev/bench.py instructions build/bench/bench/bench "$@"
}
