#include "rtl/status_name.h"

#include <ntstatus.h>

struct status_name {
    ULONG value;
    const char *name;
};

/* In order of value. */
static const struct status_name names[] = {
#define X(value, name) {value, name},
#include "status_names.inc"
#undef X
};

const char *rtl_status_name(NTSTATUS status)
{
    size_t low = 0;
    size_t high = RTL_NUMBER_OF(names);
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (names[middle].value == (ULONG)status) {
            return names[middle].name;
        }
        if (names[middle].value < (ULONG)status) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}
