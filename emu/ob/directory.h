/* Directories of the namespace. See directory.c. */
#ifndef OB_DIRECTORY_H
#define OB_DIRECTORY_H

#include <wdm.h>

#include <stdbool.h>

/* Makes the directories and links that a kernel starts with. */
NTSTATUS ob_directories_create(void);

bool ob_is_directory(const void *object);

#endif
