#include "ke/address.h"

#include "ke/kernel.h"
#include "ke/wait.h"

/* A thread parked at an address. Lives on its stack. */
struct sleeper {
    LIST_ENTRY link;
    const volatile void *address;
    struct ke_wait wait;
};

static LIST_ENTRY *bucket_of(const volatile void *address)
{
    ULONG_PTR key = (ULONG_PTR)address >> 2;
    return &ke_kernel()->addresses.bucket[(key ^ (key >> 7)) % KE_ADDRESS_BUCKETS];
}

static ULONG64 load(const volatile void *address, size_t size)
{
    if (size == sizeof(ULONG)) {
        return __atomic_load_n((const volatile ULONG *)address, __ATOMIC_SEQ_CST);
    }
    return __atomic_load_n((const volatile ULONG64 *)address, __ATOMIC_SEQ_CST);
}

void ke_address_wait(const volatile void *address, size_t size, ULONG64 seen, bool may_lead)
{
    struct sleeper sleeper = {
        .address = address,
        .wait = {.thread = ke_current(), .may_lead = may_lead, .what = (const void *)address}};
    ke_lock();
    if (load(address, size) == seen) {
        InsertTailList(bucket_of(address), &sleeper.link);
        ke_block(&sleeper.wait, BASE_FOREVER);
    }
    ke_unlock();
}

void ke_address_wake(const volatile void *address, bool all)
{
    ke_lock();
    LIST_ENTRY *head = bucket_of(address);
    LIST_ENTRY *entry = head->Flink;
    while (entry != head) {
        struct sleeper *sleeper = CONTAINING_RECORD(entry, struct sleeper, link);
        entry = entry->Flink;
        if (sleeper->address != address) {
            continue;
        }
        RemoveEntryList(&sleeper->link);
        ke_wait_finish(&sleeper->wait, STATUS_SUCCESS);
        if (!all) {
            break;
        }
    }
    ke_unlock();
}
