/*
 * Files that are written through memory: what was stored is in the file even if the process is
 * killed at the next instruction.
 */
#ifndef BASE_FILE_MAP_H
#define BASE_FILE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Windows begin at multiples of this many bytes. */
#define BASE_FILE_WINDOW_BYTES ((size_t)1 << 20)

struct base_file_map;

/* Makes the file, or empties it; NULL when the host refuses. */
struct base_file_map *base_file_map_create(const char *path);

/* Grows the file by its next window, zeroed memory of BASE_FILE_WINDOW_BYTES, number index from 0
 * on; NULL when the host refuses. Calls follow each other. */
void *base_file_map_window(struct base_file_map *map, size_t index);

/* Whole pages of a window that will be written soon: brings them in at once, for a fault each would
 * cost more than the writing. */
void base_file_map_prepare(void *memory, size_t bytes);

/* Writes into the file where no window is; it grows if it must. False when the host refuses. Calls
 * may run side by side. */
bool base_file_map_write(struct base_file_map *map, uint64_t begin, const void *bytes,
                         size_t count);

void base_file_map_release(void *window);

/* Cuts the file to that length and closes it; no window is left. */
void base_file_map_close(struct base_file_map *map, uint64_t bytes);

#endif
