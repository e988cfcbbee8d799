# The cross build for Windows, and its tests under Wine. Sourced by ./dev.

need_mingw() {
    need_build
    need x86_64-w64-mingw32-gcc-posix=gcc-mingw-w64-x86-64-posix \
        x86_64-w64-mingw32-g++-posix=g++-mingw-w64-x86-64-posix
    deps_mingw
}

need_wine() {
    need /usr/lib/wine/wine64=wine64
    export WINEPREFIX=$root/build/wine WINEDEBUG=-all
    unset DISPLAY WAYLAND_DISPLAY
    if [ ! -d "$WINEPREFIX/drive_c" ]; then
        mkdir -p "$WINEPREFIX"
        quietly /usr/lib/wine/wine64 wineboot --init || return 1
    fi
    # One server for all tests of a run, instead of one start each.
    /usr/lib/wine/wineserver64 -p60 2>/dev/null || true
    # The first program starts Wine's services, which would keep a test's output open.
    /usr/lib/wine/wine64 cmd.exe /c exit </dev/null >/dev/null 2>&1 || true
}

task_mingw() {
    need_mingw
    build mingw
}

task_windows() {
    need_mingw
    need_wine
    build mingw
    run_tests mingw "$@"
}
