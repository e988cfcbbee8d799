/* The state of the I/O manager. Each part belongs to the file of its name. */
#ifndef IO_IO_H
#define IO_IO_H

#include <wdm.h>

#include "base/mutex.h"
#include "io/call.h"
#include "io/container.h"
#include "io/driver.h"
#include "io/irp.h"
#include "io/remove_lock.h"
#include "io/shutdown.h"
#include "io/unload.h"
#include "io/work_item.h"
#include "ke/kernel.h"

#include <stdatomic.h>

struct io_cancel {
    KSPIN_LOCK lock;                   /* the cancel spin lock; the driver's to take */
    _Atomic(struct _KTHREAD *) holder; /* who took it by IoAcquireCancelSpinLock */
};

struct io_state {
    struct io_irps irps;
    struct io_cancel cancel;
    struct io_calls calls;
    struct io_drivers drivers;
    struct io_work_items work_items;
    struct io_shutdowns shutdowns;
    struct io_containers containers;
    struct io_remove_locks remove_locks;
    atomic_bool has_warned_of_copy; /* see call_check.c */
    io_unload_hook *unload_hook[IO_UNLOAD_HOOKS_MAX];
    unsigned unload_hook_count;
};

extern const struct ke_module io_module;

/* NULL once the area has stopped. */
static inline struct io_state *io_state(void)
{
    return ke_state(KE_MODULE_IO);
}

static inline void io_drivers_lock(void)
{
    base_mutex_lock(&io_state()->drivers.lock);
}

static inline void io_drivers_unlock(void)
{
    base_mutex_unlock(&io_state()->drivers.lock);
}

#endif
