/*
 * What pending sends were to send.
 *
 * WSK does not copy the data of a send, and the network takes it when it has room. A driver that
 * writes to its buffer before the send has completed sends something else than it thinks. At level
 * full a sum of the data that is left when the send begins to wait is compared when it completes.
 */
#include "wsk/watch.h"

#include "ke/bugcheck.h"
#include "wsk/memory.h"
#include "wsk/wsk.h"

#include <stdlib.h>

struct wsk_watch {
    LIST_ENTRY link; /* in wsk_state.watches; guarded by its lock */
    PIRP irp;
    PMDL mdl;
    SIZE_T offset;
    SIZE_T length;
    ULONG64 sum;
};

static bool is_send(const struct wsk_request *request)
{
    switch (request->operation) {
    case WSK_OPERATION_CONNECT:
    case WSK_OPERATION_SEND:
    case WSK_OPERATION_DISCONNECT:
        return true;
    default:
        return false;
    }
}

static ULONG64 add(ULONG64 sum, const UCHAR *bytes, SIZE_T length)
{
    for (SIZE_T i = 0; i < length; i++) {
        sum = (sum ^ bytes[i]) * 0x100000001B3ULL;
    }
    return sum;
}

static ULONG64 sum_of(const struct wsk_watch *watch)
{
    ULONG64 sum = 0xCBF29CE484222325ULL;
    SIZE_T offset = watch->offset;
    SIZE_T left = watch->length;
    for (PMDL mdl = watch->mdl; mdl != NULL && left != 0; mdl = mdl->Next) {
        SIZE_T here = MmGetMdlByteCount(mdl);
        SIZE_T skipped = offset < here ? offset : here;
        SIZE_T length = here - skipped < left ? here - skipped : left;
        const UCHAR *base = MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority);
        wsk_memory_check_there(base, "buffer of a pending send", "WSK-BUF-09");
        sum = add(sum, base + skipped, length);
        offset -= skipped;
        left -= length;
    }
    return sum;
}

void wsk_watch_begin(PIRP irp)
{
    const struct wsk_request *request = wsk_request_of(irp);
    struct wsk_watch *watch = is_send(request) ? malloc(sizeof(*watch)) : NULL;
    if (watch == NULL) {
        return;
    }
    watch->irp = irp;
    watch->mdl = request->mdl;
    watch->offset = request->offset;
    watch->length = request->left;
    watch->sum = sum_of(watch);
    wsk_list_insert(&wsk_state()->watches, &watch->link);
}

static struct wsk_watch *take(PIRP irp)
{
    struct wsk_state *wsk = wsk_state();
    struct wsk_watch *found = NULL;
    base_mutex_lock(&wsk->lock);
    for (LIST_ENTRY *entry = wsk->watches.Flink; entry != &wsk->watches; entry = entry->Flink) {
        struct wsk_watch *watch = CONTAINING_RECORD(entry, struct wsk_watch, link);
        if (watch->irp == irp) {
            found = watch;
            RemoveEntryList(&watch->link);
            break;
        }
    }
    base_mutex_unlock(&wsk->lock);
    return found;
}

void wsk_watch_end(PIRP irp)
{
    struct wsk_watch *watch = take(irp);
    if (watch == NULL) {
        return;
    }
    bool is_changed = sum_of(watch) != watch->sum;
    free(watch);
    if (is_changed) {
        ke_violation(DRIVER_VERIFIER_DETECTED_VIOLATION, WSK_VIOLATION, (ULONG_PTR)irp, 0, 0,
                     "WSK-SEND-12",
                     "The driver wrote to the data that it sent with the IRP %p before the IRP had "
                     "completed.",
                     (void *)irp);
    }
}

void wsk_watches_start(struct wsk_state *wsk)
{
    InitializeListHead(&wsk->watches);
}

void wsk_watches_stop(struct wsk_state *wsk)
{
    while (!IsListEmpty(&wsk->watches)) {
        free(CONTAINING_RECORD(RemoveHeadList(&wsk->watches), struct wsk_watch, link));
    }
}
