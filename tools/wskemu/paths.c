#include "paths.h"

#include "command.h"

#include <string.h>
#include <sys/stat.h>
#include <uv.h>

bool paths_exist(const char *path)
{
    struct stat information;
    return stat(path, &information) == 0;
}

/* Takes off so many steps at the end of a path. */
static void climb(char *path, int steps)
{
    for (int i = 0; i < steps; i++) {
        char *slash = strrchr(path, '/');
        char *other = strrchr(path, '\\');
        slash = other != NULL && (slash == NULL || other > slash) ? other : slash;
        if (slash != NULL) {
            *slash = '\0';
        }
    }
}

static bool join(char *to, const char *base, const char *rest)
{
    int length = snprintf(to, PATHS_BYTES, "%s/%s", base, rest);
    return length > 0 && length < PATHS_BYTES && paths_exist(to);
}

static bool find_installed(struct paths *paths)
{
    char prefix[PATHS_BYTES];
    size_t size = sizeof(prefix);
    if (uv_exepath(prefix, &size) != 0) {
        return false;
    }
    climb(prefix, 2);
    return join(paths->cmake, prefix, WSKEMU_INSTALLED_CMAKE "/wskemu_driver.cmake") &&
           join(paths->cmake, prefix, WSKEMU_INSTALLED_CMAKE) &&
           join(paths->include, prefix, WSKEMU_INSTALLED_INCLUDE) &&
           join(paths->wdk, prefix, WSKEMU_INSTALLED_WDK) &&
           join(paths->tmh, prefix, WSKEMU_INSTALLED_CMAKE "/tmh.py") &&
           join(paths->hooks, prefix, WSKEMU_INSTALLED_CMAKE "/hook_names.txt");
}

bool paths_find(struct paths *paths)
{
    if (find_installed(paths)) {
        return true;
    }
    if (join(paths->cmake, WSKEMU_SOURCE_FOLDER, "cmake") &&
        join(paths->include, WSKEMU_SOURCE_FOLDER, "include") &&
        join(paths->wdk, WSKEMU_SOURCE_FOLDER, "include/wdk") &&
        join(paths->tmh, WSKEMU_SOURCE_FOLDER, "tools/generate/tmh.py") &&
        join(paths->hooks, WSKEMU_BUILD_FOLDER, "hook_names.txt")) {
        return true;
    }
    command_complain("its headers are not where the installation put them; install it again with "
                     "`cmake --install`");
    return false;
}
