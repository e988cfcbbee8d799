/*
 * Which pending request holds an MDL that a driver frees or unlocks: the rule of its function is
 * the one that the driver broke.
 *
 * It is looked for when that has happened, so that requests need not note it. The sockets are
 * found under WSK's lock, which comes after theirs, so theirs are only tried; what another thread
 * holds is tried again for a while. A request that is not found is somebody's all the same: the
 * rule for all of them holds.
 */
#include "mm/mm.h"
#include "wsk/wsk.h"

#define TRIES_MAX 10000

static const char *rule_of(const struct wsk_request *request)
{
    if ((request->flags & WSK_REQUEST_CONNECTS) != 0) {
        return "WSK-CONN-24";
    }
    switch (request->operation) {
    case WSK_OPERATION_SEND:
        return "WSK-SEND-12";
    case WSK_OPERATION_RECEIVE:
        return "WSK-RECV-21";
    case WSK_OPERATION_SEND_TO:
        return "WSK-DGRM-15";
    case WSK_OPERATION_RECEIVE_FROM:
        return "WSK-DGRM-47";
    default:
        return "WSK-BUF-09";
    }
}

static bool holds(const struct wsk_request *request, const MDL *wanted)
{
    const MDL *mdl = (request->flags & WSK_REQUEST_HOLDS) != 0 ? request->mdl : NULL;
    while (mdl != NULL && mdl != wanted) {
        mdl = mdl->Next;
    }
    return mdl != NULL;
}

static const char *find_in(const LIST_ENTRY *irps, const MDL *mdl)
{
    for (LIST_ENTRY *entry = irps->Flink; entry != irps; entry = entry->Flink) {
        PIRP irp = CONTAINING_RECORD(entry, IRP, Tail.Overlay.ListEntry);
        if (holds(wsk_request_of(irp), mdl)) {
            return rule_of(wsk_request_of(irp));
        }
    }
    return NULL;
}

/* Sets *is_busy if the socket's lock is not free. */
static const char *find_at(struct wsk_socket *socket, const MDL *mdl, bool *is_busy)
{
    const struct wsk_queue *queues[] = {&socket->receive, &socket->send};
    const char *rule = NULL;
    if (!base_mutex_try_lock(&socket->lock)) {
        *is_busy = true;
        return NULL;
    }
    for (unsigned i = 0; i < RTL_NUMBER_OF(queues) && rule == NULL; i++) {
        rule = find_in(&queues[i]->pending, mdl);
        rule = rule == NULL ? find_in(&queues[i]->done, mdl) : rule;
    }
    wsk_socket_unlock(socket);
    return rule;
}

static const char *find(const MDL *mdl, bool *is_busy)
{
    struct wsk_state *wsk = wsk_state();
    const char *rule = NULL;
    base_mutex_lock(&wsk->lock);
    for (LIST_ENTRY *entry = wsk->sockets.Flink; entry != &wsk->sockets && rule == NULL;
         entry = entry->Flink) {
        rule = find_at(CONTAINING_RECORD(entry, struct wsk_socket, link), mdl, is_busy);
    }
    base_mutex_unlock(&wsk->lock);
    return rule;
}

static const char *rule_for(const MDL *mdl)
{
    for (unsigned i = 0; i < TRIES_MAX; i++) {
        bool is_busy = false;
        const char *rule = find(mdl, &is_busy);
        if (rule != NULL || !is_busy) {
            return rule;
        }
        YieldProcessor();
    }
    return NULL;
}

void wsk_holders_start(void)
{
    mm_mdl_ask_for_rule(WSK_VIOLATION, rule_for);
}
