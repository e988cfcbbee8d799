/* Spin locks, for the emulator's own use of the driver's locks. */
#ifndef KE_SPIN_LOCK_H
#define KE_SPIN_LOCK_H

#include <wdm.h>

#include <stdbool.h>

/* Takes and frees the lock at DISPATCH_LEVEL or above, leaving the level alone. */
void ke_spin_lock_acquire(PKSPIN_LOCK lock);
void ke_spin_lock_release(PKSPIN_LOCK lock);

/* Whether no lock that is held, in whatever way, has that in its word: what stands there is the
 * address of a thread or of a handle, with two bits beside it. */
static inline bool ke_spin_lock_is_garbage(ULONG_PTR word)
{
    return (word & 4) != 0 || word >> 47 != 0;
}

_Noreturn void ke_spin_lock_report_garbage(PKSPIN_LOCK lock);

#endif
