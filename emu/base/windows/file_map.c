#include "base/file_map.h"

#include <stdlib.h>
#include <windows.h>

struct base_file_map {
    HANDLE file;
};

struct base_file_map *base_file_map_create(const char *path)
{
    struct base_file_map *map = malloc(sizeof(*map));
    if (map == NULL) {
        return NULL;
    }
    map->file = CreateFileA(path, GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ, NULL,
                            CREATE_ALWAYS, FILE_ATTRIBUTE_NORMAL, NULL);
    if (map->file == INVALID_HANDLE_VALUE) {
        free(map);
        return NULL;
    }
    return map;
}

/* A mapping longer than the file makes it longer. */
void *base_file_map_window(struct base_file_map *map, size_t index)
{
    uint64_t begin = (uint64_t)index * BASE_FILE_WINDOW_BYTES;
    uint64_t end = begin + BASE_FILE_WINDOW_BYTES;
    HANDLE mapping =
        CreateFileMappingA(map->file, NULL, PAGE_READWRITE, (DWORD)(end >> 32), (DWORD)end, NULL);
    if (mapping == NULL) {
        return NULL;
    }
    void *window = MapViewOfFile(mapping, FILE_MAP_WRITE, (DWORD)(begin >> 32), (DWORD)begin,
                                 BASE_FILE_WINDOW_BYTES);
    CloseHandle(mapping);
    return window;
}

void base_file_map_prepare(void *memory, size_t bytes)
{
    (void)memory;
    (void)bytes;
}

bool base_file_map_write(struct base_file_map *map, uint64_t begin, const void *bytes, size_t count)
{
    DWORD written = 0;
    OVERLAPPED place = {.Offset = (DWORD)begin, .OffsetHigh = (DWORD)(begin >> 32)};
    return WriteFile(map->file, bytes, (DWORD)count, &written, &place) && written == count;
}

void base_file_map_release(void *window)
{
    UnmapViewOfFile(window);
}

void base_file_map_close(struct base_file_map *map, uint64_t bytes)
{
    LARGE_INTEGER end = {.QuadPart = (LONGLONG)bytes};
    if (SetFilePointerEx(map->file, end, NULL, FILE_BEGIN)) {
        SetEndOfFile(map->file);
    }
    CloseHandle(map->file);
    free(map);
}
