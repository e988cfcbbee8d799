# Building and testing a preset. Sourced by ./dev.

# build PRESET [TARGET...]
build() {
    local preset=$1 target=()
    shift
    [ $# -eq 0 ] || target=(--target "$@")
    configure "$preset"
    quietly cmake --build "build/$preset" -j "$jobs" "${target[@]}"
}

# configure PRESET [CMAKE-ARGUMENT...] : only where the presets are newer; ninja sees all other
# changes by itself.
configure() {
    local made=build/$1/build.ninja
    [ -f "$made" ] && [ ! CMakePresets.json -nt "$made" ] || quietly cmake --preset "$@"
}

# Runs a command; its output is shown only if it fails, save for compiler warnings.
quietly() {
    local log status=0
    log=$(mktemp)
    "$@" >"$log" 2>&1 || status=$?
    if [ $status -ne 0 ]; then
        grep -vE '^\[[0-9]+/[0-9]+\] (Building|Linking|Driver object|Table)' "$log" >&2 || true
    else
        grep -E -A4 'warning:|CMake Warning' "$log" || true
    fi
    rm -f "$log"
    return $status
}

# run_tests PRESET [REGEX] : the results go to build/PRESET/junit.xml as well.
run_tests() {
    local preset=$1 filter=()
    [ -z "${2:-}" ] || filter=(-R "$2")
    ctest --test-dir "build/$preset" -j "$jobs" --output-on-failure \
        --output-junit "$root/build/$preset/junit.xml" "${filter[@]}"
}

task_gcc() {
    need_build
    need_clients
    deps_pic
    build gcc
    run_tests gcc "$@"
}

task_clang() {
    need_build
    need_clients
    deps_pic
    need clang=clang
    build clang
    run_tests clang "$@"
}

task_asan() {
    need_build
    need_clients
    deps_pic
    build asan
    run_tests asan "$@"
}

task_tsan() {
    need_build
    need_clients
    deps_tsan
    build tsan
    run_tests tsan "$@"
}

task_demo() {
    need_build
    build gcc demo
    build/gcc/examples/demo/demo build/gcc/examples/demo/demo_client
}

# The program wskemu as a newcomer uses it; keeps a picture of the page that a trace becomes.
task_workshop() {
    need_build
    need_clients
    need_browser
    build gcc
    run_tests gcc '^tool\.' || return
    printf 'the timeline: %s\n' \
        "$root/build/gcc/tests/tool/trace.page_in_a_browser/page.png"
}

# Each repeat of a test draws other policies from its own seed.
task_matrix() {
    need_build
    need_clients
    deps_pic
    build matrix
    for loops in 1 2; do
        for completion in inline deferred random; do
            printf '==== loops: %s, completion: %s\n' "$loops" "$completion"
            WSKEMU_LOOPS=$loops WSKEMU_COMPLETION=$completion WSKEMU_SEED=random \
                ctest --test-dir build/matrix -j "$jobs" --output-on-failure --progress \
                --repeat "until-fail:${1:-20}" -E '^(abi|rtl|link|install)\.'
        done
    done
    printf '==== the long tests in full\n'
    WSKEMU_LONG=1 ctest --test-dir build/matrix -L long --output-on-failure
}
