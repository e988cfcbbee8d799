/* Memory that a driver gives back. */
#ifndef KE_FREED_H
#define KE_FREED_H

#include "ke/kernel.h"

#include <stddef.h>

void ke_look_into_freed(const void *start, size_t bytes);

/* Bug checks if a timer that is set or a queued DPC begins in the memory. No lock is held, and the
 * calling thread has entered the kernel. */
static inline void ke_check_freed(const void *start, size_t bytes)
{
    const struct ke_kernel *kernel = ke_entered();
    if (atomic_load_explicit(&kernel->timers.count, memory_order_relaxed) != 0 ||
        atomic_load_explicit(&kernel->processors.dpc_count, memory_order_relaxed) != 0) {
        ke_look_into_freed(start, bytes);
    }
}

#endif
