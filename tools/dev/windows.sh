# The cross build for Windows, and its tests under Wine. Sourced by ./dev.

need_mingw() {
    need_build
    need x86_64-w64-mingw32-gcc-posix=gcc-mingw-w64-x86-64-posix \
        x86_64-w64-mingw32-g++-posix=g++-mingw-w64-x86-64-posix
}

# The preset builds libuv and CMocka by itself; here it gets Debian's sources of them. What runs the
# tests has to be installed before: CMake looks for it.
build_mingw() {
    local uv cmocka
    uv=$(source_of libuv1)
    cmocka=$(source_of cmocka)
    configure mingw "-DFETCHCONTENT_SOURCE_DIR_LIBUV=$uv" "-DFETCHCONTENT_SOURCE_DIR_CMOCKA=$cmocka"
    build mingw
}

need_wine() {
    need /usr/lib/wine/wine64=wine64
    export WINEPREFIX=$root/build/wine WINEDEBUG=-all
    unset DISPLAY WAYLAND_DISPLAY
    if [ ! -d "$WINEPREFIX/drive_c" ]; then
        mkdir -p "$WINEPREFIX"
        quietly /usr/lib/wine/wine64 wineboot --init || return 1
    fi
}

# Right before the tests, for the server goes when it was not needed for a minute: one that a test
# has to start keeps that test's output open until the end of the run.
start_wine() {
    /usr/lib/wine/wineserver64 -p60 2>/dev/null || true
    # The first program starts Wine's services.
    /usr/lib/wine/wine64 cmd.exe /c exit </dev/null >/dev/null 2>&1 || true
}

task_mingw() {
    need_mingw
    build_mingw
}

task_windows() {
    need_mingw
    need_wine
    need_clients
    build_mingw
    start_wine
    local status=0
    run_tests mingw "$@" || status=1
    [ -n "${1:-}" ] || python3 tools/dev/wine.py build/mingw || status=1
    return $status
}
