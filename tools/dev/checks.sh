# Everything that looks at the code or at what tests say. Sourced by ./dev.

# The C and C++ files whose form is ours; fixtures under tests/driver/ are odd on purpose.
own_sources() {
    find emu include tests examples tools bench -type f ! -path 'tests/driver/*/*' \
        \( -name '*.c' -o -name '*.h' -o -name '*.cpp' \) 2>/dev/null | sort
}

need_lint() {
    need_build
    need clang=clang clang-format=clang-format clang-tidy=clang-tidy cppcheck=cppcheck
}

task_lint() {
    need_lint
    local status=0
    python3 tools/dev/lint.py || status=1
    python3 tools/dev/demand.py || status=1
    python3 tools/dev/options.py --check || status=1
    python3 tools/dev/advice.py || status=1
    own_sources | xargs -P "$jobs" -n 40 clang-format --dry-run -Werror || status=1
    lint_tidy || status=1
    lint_cppcheck || status=1
    lint_msvc || status=1
    [ $status -eq 0 ] && echo "lint: clean"
    return $status
}

# clang-tidy reads how each file is compiled from the clang preset's build.
lint_tidy() {
    build clang wskemu_generated
    find emu -name '*.c' ! -path '*/windows/*' -print0 |
        xargs -0 -P "$jobs" -n 4 clang-tidy --quiet -p build/clang 2>&1 |
        { ! grep -E -A6 '(warning|error):'; }
}

# cppcheck cannot read the WDK headers, so it does not know which functions never return: its checks
# that rest on that are off. It takes mappings that are handed out, and -1 as no file, for mistakes.
lint_cppcheck() {
    cppcheck --quiet --error-exitcode=1 --enable=warning --inline-suppr -j "$jobs" --std=c11 \
        --library=posix -D__x86_64__=1 -D__linux__=1 -D__GNUC__=12 -D__LP64__=1 -D_KERNEL_MODE \
        --suppress=missingInclude --suppress=unknownMacro --suppress=preprocessorErrorDirective \
        --suppress=uninitvar --suppress=nullPointerRedundantCheck --suppress=ctunullpointer \
        --suppress=memleak:emu/base/linux/file_map.c --suppress=memleak:emu/base/linux/pages.c \
        --suppress=invalidFunctionArg:emu/base/linux/pages.c \
        --suppress=invalidFunctionArg:emu/base/linux/fault.c \
        -Iemu -Iinclude -i emu/base/windows -i emu/net/uv/windows emu
}

# Our C sources as Windows' compilers would see them. No code comes out and the headers are
# stand-ins, so this is no proof that it builds there.
lint_msvc() {
    local status=0 libuv cmocka
    need /usr/x86_64-w64-mingw32/include/winsock2.h=mingw-w64-x86-64-dev
    libuv=$(source_of libuv1)/include
    cmocka=$(source_of cmocka)/include
    build clang wskemu_generated
    msvc_driver_side "$cmocka" || status=1
    msvc_host_side "$libuv" || status=1
    return $status
}

# What all of it is asked for: no words or freedoms of gcc's but those that a header of ours spells.
msvc_options=(--target=x86_64-pc-windows-msvc19.39 -Wno-everything -ferror-limit=5
    -Werror=implicit-function-declaration -Werror=int-conversion
    -Werror=incompatible-pointer-types -Werror=gnu-case-range -Werror=gnu-empty-initializer
    -Werror=gnu-conditional-omitted-operand -Werror=gnu-designator -Werror=gnu-empty-struct
    -Werror=gnu-statement-expression -Werror=gnu-label-as-value -Werror=vla
    -Werror=gnu-pointer-arith -D_WIN32_WINNT=0x0A00)

# The driver side, the examples' drivers and what tests share, once as clang-cl and once as MSVC
# (clang that denies being itself), with declarations in place of Microsoft's C library.
msvc_driver_side() {
    local mode status=0 options=(--driver-mode=cl "${msvc_options[@]}" /Zs /std:c11
        /clang:-nostdlibinc -imsvc tools/dev/msvc -Iemu -Iinclude -Iinclude/wdk
        -Ibuild/clang/generated "-I$1" -D_AMD64_ -D_KERNEL_MODE -DNTDDI_VERSION=0x0A00000C)
    for mode in -D__clang__ -U__clang__; do
        {
            find emu -name '*.c' ! -path 'emu/base/*' ! -path 'emu/net/uv/*' -print0
            find tests/support -name '*.c' -print0
            find examples -name '*.c' ! -name '*_test.c' ! -name '*_run.c' ! -path '*/demo/*' \
                -print0
        } | xargs -0 -P "$jobs" -n 20 clang "${options[@]}" "$mode" || status=1
    done
    return $status
}

# The host side as clang-cl, with MinGW-w64's headers of Windows.
msvc_host_side() {
    find emu/base emu/net/uv -name '*.c' ! -path '*/linux/*' -print0 |
        xargs -0 -P "$jobs" -n 5 clang "${msvc_options[@]}" -fsyntax-only -std=c11 \
            -fms-compatibility -fms-extensions -nostdlibinc \
            -isystem /usr/x86_64-w64-mingw32/include -include tools/dev/msvc/host.h \
            -Iemu -Iinclude "-I$1"
}

# Rewrites our own files in the project's format.
task_format() {
    need clang-format=clang-format
    own_sources | xargs -P "$jobs" -n 40 clang-format -i
}

# Tests note the rules that they prove; a test that failed proves nothing.
task_rules() {
    need_build
    need_clients
    build gcc >&2
    python3 tools/dev/rules.py build/gcc --clear
    ctest --test-dir build/gcc -j "$jobs" -Q >&2 ||
        echo "dev: some tests failed; their rules do not count" >&2
    python3 tools/dev/rules.py build/gcc "$@"
}

task_options() {
    need python3=python3
    python3 tools/dev/options.py
}

# Each fuzz target in turn for its share of the time; a finding stays in build/fuzz and fails.
task_fuzz() {
    local seconds=${1:?"./dev fuzz SECONDS"} targets=() target
    need_build
    need clang=clang
    need "$(clang -print-file-name=libclang_rt.fuzzer-x86_64.a)=libclang-rt-dev"
    build fuzz
    mapfile -t targets < <(find build/fuzz/tests -type f -name 'fuzz_*' -perm -u+x ! -name '*.*')
    [ ${#targets[@]} -gt 0 ] || { echo "dev: no fuzz targets" >&2; return 1; }
    for target in "${targets[@]}"; do
        mkdir -p "build/fuzz/corpus/${target##*/}"
        "$target" -max_total_time=$((seconds / ${#targets[@]} + 1)) -artifact_prefix=build/fuzz/ \
            -max_len=4096 -print_final_stats=1 "build/fuzz/corpus/${target##*/}"
    done
}
