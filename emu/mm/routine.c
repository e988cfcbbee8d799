#include "mm/routine.h"

#include "ke/limit.h"
#include "mm/hook_point.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <wdm.h>

/* Orders a wanted name against a known one, as strcmp does. */
static int compare(const UNICODE_STRING *wanted, const char *known)
{
    USHORT count = wanted->Length / sizeof(WCHAR);
    for (USHORT i = 0; i < count; i++) {
        if (wanted->Buffer[i] != (WCHAR)(UCHAR)known[i]) {
            return wanted->Buffer[i] < (WCHAR)(UCHAR)known[i] ? -1 : 1;
        }
    }
    return known[count] == '\0' ? 0 : -1;
}

/* What a driver is given: the routine, or while it is hooked its hook point. */
static PVOID address_of(const struct mm_routine *routine)
{
    const struct mm_hook_point *point = mm_hook_point_find(routine->name);
    bool is_hooked = point != NULL && point->function == routine->address &&
                     atomic_load(&mm_hook_slots[point - mm_hook_points]) != point->function;
    return is_hooked ? point->jump : routine->address;
}

/* The address of a routine or variable of the kernel by its name, or NULL. PASSIVE_LEVEL. */
PVOID MmGetSystemRoutineAddress(PUNICODE_STRING SystemRoutineName)
{
    size_t low = 0;
    size_t high = mm_routine_count;
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare(SystemRoutineName, mm_routines[middle].name);
        if (order == 0) {
            return address_of(&mm_routines[middle]);
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return NULL;
}
