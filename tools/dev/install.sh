# What a task needs of the machine. Sourced by ./dev.

# need PROGRAM=PACKAGE... : installs the packages whose program (or file, with a slash) is missing.
need() {
    local pair missing=()
    for pair in "$@"; do
        case "${pair%%=*}" in
        */*) [ -e "${pair%%=*}" ] || missing+=("${pair#*=}") ;;
        *) command -v "${pair%%=*}" >/dev/null 2>&1 || missing+=("${pair#*=}") ;;
        esac
    done
    [ ${#missing[@]} -eq 0 ] || install_packages "${missing[@]}"
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null 2>&1; then
        sudo "$@"
    else
        printf 'dev: needs root or sudo for: %s\n' "$*" >&2
        return 1
    fi
}

install_packages() {
    command -v apt-get >/dev/null 2>&1 || {
        printf 'dev: missing, and no apt-get to install them: %s\n' "$*" >&2
        return 1
    }
    printf 'dev: installing %s\n' "$*"
    local quiet=(env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends)
    as_root "${quiet[@]}" "$@" >/dev/null 2>&1 && return 0
    as_root apt-get update -qq
    as_root "${quiet[@]}" "$@" >/dev/null
}

need_build() {
    need cmake=cmake ninja=ninja-build pkg-config=pkg-config gcc=gcc g++=g++ objcopy=binutils \
        python3=python3 /usr/include/uv.h=libuv1-dev /usr/include/cmocka.h=libcmocka-dev \
        /usr/include/elfutils/libdwfl.h=libdw-dev \
        /usr/include/systemd/sd-bus.h=libsystemd-dev dbus-daemon=dbus-daemon
}

# The clients of tests/clients.
need_clients() {
    need curl=curl socat=socat nc.openbsd=netcat-openbsd iperf3=iperf3 tshark=tshark
}

# A browser, for the one test that looks at a page of `wskemu trace`.
need_browser() {
    need chromium=chromium
}
