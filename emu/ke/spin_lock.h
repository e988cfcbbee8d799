/* Spin locks, for the emulator's own use of the driver's locks. */
#ifndef KE_SPIN_LOCK_H
#define KE_SPIN_LOCK_H

#include <wdm.h>

/* Takes and frees the lock at DISPATCH_LEVEL or above, leaving the level alone. */
void ke_spin_lock_acquire(PKSPIN_LOCK lock);
void ke_spin_lock_release(PKSPIN_LOCK lock);

#endif
