/* Memory that a driver gives back. */
#ifndef KE_FREED_H
#define KE_FREED_H

#include <stddef.h>

/* Bug checks if a timer that is set or a queued DPC begins in the memory. No lock is held. */
void ke_check_freed(const void *start, size_t bytes);

#endif
