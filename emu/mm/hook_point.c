#include "mm/hook_point.h"

#include <string.h>

const struct mm_hook_point *mm_hook_point_find(const char *name)
{
    size_t low = 0;
    size_t high = mm_hook_point_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(name, mm_hook_points[middle].name);
        if (order == 0) {
            return &mm_hook_points[middle];
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return NULL;
}
