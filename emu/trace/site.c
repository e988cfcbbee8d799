/*
 * Where a driver called from: the innermost return address on the stack that lies in a driver's
 * code. All code of the emulator and of drivers keeps a frame pointer, so that a few loads tell.
 */
#include "base/stack.h"
#include "trace/trace.h"

#include <intrin.h>
#include <string.h>

#define DRIVERS_MAX 16
#define FRAMES_MAX 12

/* Where drivers' code lies; a place with end 0 is free. */
static struct {
    _Atomic ULONG_PTR begin;
    _Atomic ULONG_PTR end;
    const void *driver;
} drivers[DRIVERS_MAX];

/* Places that were ever taken. */
static atomic_int driver_count;

struct frame {
    const struct frame *caller;
    const void *return_address;
};

static bool is_driver_code(ULONG_PTR address)
{
    int count = atomic_load_explicit(&driver_count, memory_order_acquire);
    for (int i = 0; i < count; i++) {
        ULONG_PTR end = atomic_load_explicit(&drivers[i].end, memory_order_acquire);
        ULONG_PTR begin = atomic_load_explicit(&drivers[i].begin, memory_order_relaxed);
        if (address > begin && address <= end) {
            return true;
        }
    }
    return false;
}

const void *trace_driver_site(void)
{
    uintptr_t low, high;
    const struct frame *frame = __builtin_frame_address(0);
    base_stack_bounds(&low, &high);
    for (int i = 0; i < FRAMES_MAX && (uintptr_t)frame >= low; i++) {
        if (is_driver_code((ULONG_PTR)frame->return_address)) {
            return (const char *)frame->return_address - 1; /* in the call itself */
        }
        const struct frame *caller = frame->caller;
        if (caller <= frame || (uintptr_t)caller > high - sizeof(*caller)) {
            break;
        }
        frame = caller;
    }
    return NULL;
}

static void note_code(const void *driver, const void *begin, const void *end)
{
    for (int i = 0; i < DRIVERS_MAX; i++) {
        if (atomic_load(&drivers[i].end) == 0) {
            drivers[i].driver = driver;
            atomic_store(&drivers[i].begin, (ULONG_PTR)begin);
            atomic_store(&drivers[i].end, (ULONG_PTR)end);
            if (atomic_load(&driver_count) <= i) {
                atomic_store(&driver_count, i + 1);
            }
            return;
        }
    }
}

void trace_driver_load(const void *driver, const char *name, const void *begin, const void *end)
{
    note_code(driver, begin, end);
    if (trace_wants(TRACE_META)) {
        trace_tell(&(struct trace_event){.kind = TRACE_DRIVER_LOAD,
                                         .flags = TRACE_HAS_OBJECT | TRACE_HAS_FIRST,
                                         .object = driver,
                                         .first = (ULONG_PTR)begin,
                                         .text = name,
                                         .text_bytes = strlen(name)});
    }
}

void trace_driver_unload(const void *driver, const char *name)
{
    for (int i = 0; i < DRIVERS_MAX; i++) {
        if (drivers[i].driver == driver) {
            drivers[i].driver = NULL;
            atomic_store(&drivers[i].end, 0);
        }
    }
    if (trace_wants(TRACE_META)) {
        trace_tell(&(struct trace_event){.kind = TRACE_DRIVER_UNLOAD,
                                         .flags = TRACE_HAS_OBJECT,
                                         .object = driver,
                                         .text = name,
                                         .text_bytes = strlen(name)});
    }
}
