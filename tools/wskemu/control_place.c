#include "control_place.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <uv.h>

#define ENDING ".wskemu"

static bool make(const char *folder)
{
    uv_fs_t request;
    int error = uv_fs_mkdir(NULL, &request, folder, 0700, NULL);
    uv_fs_req_cleanup(&request);
    return error == 0 || error == UV_EEXIST;
}

#ifdef _WIN32

static bool is_own(const char *folder)
{
    (void)folder; /* it lies in the user's profile */
    return true;
}

#else

static bool is_own(const char *folder)
{
    uv_fs_t request;
    uv_passwd_t user;
    int error = uv_fs_lstat(NULL, &request, folder, NULL);
    uv_stat_t found = request.statbuf;
    uv_fs_req_cleanup(&request);
    if (error != 0 || uv_os_get_passwd(&user) != 0) {
        return false;
    }
    bool is_users = found.st_uid == (uint64_t)user.uid && (found.st_mode & 077) == 0;
    uv_os_free_passwd(&user);
    return is_users && (found.st_mode & S_IFMT) == S_IFDIR;
}

#endif

/* Makes the folder if it is not there; it must be the user's own and nobody else's. */
static bool make_folder(const char *folder)
{
    return make(folder) && is_own(folder);
}

static bool find_folder(char folder[CONTROL_PLACE_BYTES])
{
    char base[CONTROL_PLACE_BYTES - 32];
    size_t size = sizeof(base);
    if (uv_os_getenv("XDG_RUNTIME_DIR", base, &size) == 0) {
        snprintf(folder, CONTROL_PLACE_BYTES, "%s/wskemu", base);
        return make_folder(folder);
    }
    uv_passwd_t user;
    size = sizeof(base);
    if (uv_os_tmpdir(base, &size) != 0 || uv_os_get_passwd(&user) != 0) {
        return false;
    }
    snprintf(folder, CONTROL_PLACE_BYTES, "%s/wskemu-%s", base, user.username);
    uv_os_free_passwd(&user);
    return make_folder(folder);
}

bool control_place_of(unsigned process, char place[CONTROL_PLACE_BYTES])
{
    char folder[CONTROL_PLACE_BYTES];
    return find_folder(folder) && snprintf(place, CONTROL_PLACE_BYTES, "%s/%u" ENDING, folder,
                                           process) < CONTROL_PLACE_BYTES;
}

bool control_place_choose(char place[CONTROL_PLACE_BYTES])
{
    if (!control_place_of((unsigned)uv_os_getpid(), place)) {
        return false;
    }
    control_place_remove(place);
#ifdef _WIN32
    FILE *mark = fopen(place, "w");
    if (mark == NULL) {
        return false;
    }
    fclose(mark);
#endif
    return true;
}

int control_place_list(unsigned *processes, int count)
{
    char folder[CONTROL_PLACE_BYTES];
    uv_fs_t request;
    uv_dirent_t entry;
    int found = 0;
    if (!find_folder(folder) || uv_fs_scandir(NULL, &request, folder, 0, NULL) < 0) {
        return 0;
    }
    while (found < count && uv_fs_scandir_next(&request, &entry) == 0) {
        char *end;
        unsigned long number = strtoul(entry.name, &end, 10);
        if (end != entry.name && strcmp(end, ENDING) == 0) {
            processes[found++] = (unsigned)number;
        }
    }
    uv_fs_req_cleanup(&request);
    return found;
}

const char *control_place_pipe(const char *place)
{
#ifdef _WIN32
    static char pipe[64];
    const char *name = strrchr(place, '/');
    snprintf(pipe, sizeof(pipe), "\\\\.\\pipe\\wskemu-%s", name + 1);
    return pipe;
#else
    return place;
#endif
}

void control_place_remove(const char *place)
{
    remove(place);
}
