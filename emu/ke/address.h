/*
 * Parking at an address: how locks of one word (spin locks, push locks, rundown references) block.
 *
 * The word's owner decides by compare-and-swap; a thread that has to wait says which value it saw
 * and sleeps only if the word still holds it, checked under the dispatcher lock; whoever changes
 * the word and knows of sleepers wakes them. No lock word owns anything of the host.
 */
#ifndef KE_ADDRESS_H
#define KE_ADDRESS_H

#include <wdm.h>

#include <stdbool.h>

#define KE_ADDRESS_BUCKETS 64

struct ke_addresses {
    LIST_ENTRY bucket[KE_ADDRESS_BUCKETS]; /* sleepers; guarded by the dispatcher lock */
};

/* Sleeps while *address (of size 4 or 8 bytes) equals seen, at most until somebody wakes it. May
 * return early: callers look again. may_lead: the sleeper may run the loop (never for spin locks).
 * */
void ke_address_wait(const volatile void *address, size_t size, ULONG64 seen, bool may_lead);

/* Wakes one sleeper, or all. The address is a name only and is not touched. */
void ke_address_wake(const volatile void *address, bool all);

#endif
