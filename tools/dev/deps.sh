# Libraries that Debian has no package of in the form needed, built from Debian's source packages.
# Sourced by ./dev. Sources are kept in ~/.cache/wskemu, what is built in build/deps.

cache=${WSKEMU_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/wskemu}

# source_of PACKAGE : prints the folder of the unpacked source, fetching it the first time. Lists
# and settings of the machine's apt stay as they are; it works without root.
source_of() {
    local package=$1 apt=$cache/apt
    if [ ! -f "$cache/$package/CMakeLists.txt" ]; then
        need xz=xz-utils >&2
        mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$cache/$package"
        source_lists >"$apt/sources.list"
        (
            cd "$apt"
            options=(-qq -o Dir::Etc::sourcelist="$apt/sources.list"
                -o Dir::Etc::sourceparts=/dev/null
                -o Dir::State::lists="$apt/lists" -o Dir::Cache="$apt/cache"
                -o APT::Sandbox::User="$(id -un)" -o APT::Get::List-Cleanup=0)
            apt-get "${options[@]}" update &&
                apt-get "${options[@]}" source --download-only "$package"
        ) >&2 || {
            printf 'dev: cannot fetch the source package %s; the servers tried are in %s\n' \
                "$package" "$apt/sources.list" >&2
            return 1
        }
        tar -x -C "$cache/$package" --strip-components=1 -f "$apt/$package"_*.orig.tar.?z
    fi
    printf '%s\n' "$cache/$package"
}

# The deb-src line of the server from which the machine's apt takes Debian itself.
source_lists() {
    local keys=/usr/share/keyrings/debian-archive-keyring.gpg
    # shellcheck disable=SC2016
    apt-get indextargets --format '$(REPO_URI) $(CODENAME) $(COMPONENT) $(ORIGIN)' \
        'Created-By: Packages' |
        awk -v keys="$keys" '$3 == "main" && $4 == "Debian" && $2 !~ /-/ {
            print "deb-src [signed-by=" keys "] " $1 " " $2 " main" }' |
        sort -u | grep . || {
        printf 'dev: apt knows no server of Debian; run apt-get update first\n' >&2
        return 1
    }
}

# build_library PACKAGE TARGET PREFIX CMAKE-ARGUMENT... : a library of Debian's source package
build_library() {
    local package=$1 target=$2 prefix=$3 source arguments
    shift 3
    source=$(source_of "$package")
    arguments=$(printf '%s;' "$@")
    quietly cmake "-DSOURCE=$source" "-DTARGET=$target" "-DPREFIX=$prefix" \
        "-DARGUMENTS=${arguments%;}" -P cmake/build_source.cmake
}

# A static libuv that can become part of a shared wskemu, for the test that links it so.
deps_pic() {
    local prefix=$root/build/deps/pic
    [ -f "$prefix/lib/libuv_a.a" ] ||
        build_library libuv1 uv_a "$prefix" -DCMAKE_C_COMPILER=gcc \
            -DCMAKE_POSITION_INDEPENDENT_CODE=ON
}

# A libuv in which ThreadSanitizer sees every access.
deps_tsan() {
    local prefix=$root/build/deps/tsan
    [ -f "$prefix/lib/libuv_a.a" ] ||
        build_library libuv1 uv_a "$prefix" -DCMAKE_C_COMPILER=gcc \
            -DCMAKE_POSITION_INDEPENDENT_CODE=ON \
            "-DCMAKE_C_FLAGS=-fsanitize=thread -fno-omit-frame-pointer"
}
