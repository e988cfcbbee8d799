#include "base/file_map.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct base_file_map {
    int file;
};

struct base_file_map *base_file_map_create(const char *path)
{
    struct base_file_map *map = malloc(sizeof(*map));
    if (map == NULL) {
        return NULL;
    }
    map->file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (map->file < 0) {
        free(map);
        return NULL;
    }
    return map;
}

/* A kernel that is older does not know it, and its pages come one by one. */
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

/* The room is taken from the disk now: a full one shall refuse here, and not fault at a store. */
void *base_file_map_window(struct base_file_map *map, size_t index)
{
    off_t begin = (off_t)(index * BASE_FILE_WINDOW_BYTES);
    if (posix_fallocate(map->file, begin, (off_t)BASE_FILE_WINDOW_BYTES) != 0) {
        return NULL;
    }
    void *window =
        mmap(NULL, BASE_FILE_WINDOW_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, map->file, begin);
    return window == MAP_FAILED ? NULL : window;
}

void base_file_map_prepare(void *memory, size_t bytes)
{
    madvise(memory, bytes, MADV_POPULATE_WRITE);
}

bool base_file_map_write(struct base_file_map *map, uint64_t begin, const void *bytes, size_t count)
{
    const char *from = bytes;
    while (count != 0) {
        ssize_t written = pwrite(map->file, from, count, (off_t)begin);
        if (written <= 0) {
            return false;
        }
        from += written;
        begin += (uint64_t)written;
        count -= (size_t)written;
    }
    return true;
}

void base_file_map_release(void *window)
{
    munmap(window, BASE_FILE_WINDOW_BYTES);
}

void base_file_map_close(struct base_file_map *map, uint64_t bytes)
{
    if (ftruncate(map->file, (off_t)bytes) != 0) {
        /* The file keeps its empty end, which readers skip. */
    }
    close(map->file);
    free(map);
}
