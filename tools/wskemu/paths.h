/* Where the program's own files are: beside it where it is installed, in the source tree else. */
#ifndef PATHS_H
#define PATHS_H

#include <stdbool.h>

#define PATHS_BYTES 4096

struct paths {
    char cmake[PATHS_BYTES];   /* folder of wskemu_driver.cmake */
    char include[PATHS_BYTES]; /* folder of wskemu/ */
    char wdk[PATHS_BYTES];     /* folder of ntddk.h */
    char tmh[PATHS_BYTES];     /* tmh.py */
    char hooks[PATHS_BYTES];   /* hook_names.txt */
};

/* False after a complaint. */
bool paths_find(struct paths *paths);

/* Whether there is such a file. */
bool paths_exist(const char *path);

#endif
