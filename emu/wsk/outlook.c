/* What sockets and lookups expect of the network, for who looks whether the kernel hangs. */
#include "verifier/hang.h"
#include "wsk/wsk.h"

static bool ends_by_itself(const struct wsk_socket *socket)
{
    const LIST_ENTRY *head = &socket->send.pending;
    for (LIST_ENTRY *entry = head->Flink; entry != head; entry = entry->Flink) {
        PIRP irp = CONTAINING_RECORD(entry, IRP, Tail.Overlay.ListEntry);
        UCHAR operation = wsk_request_of(irp)->operation;
        if (operation == WSK_OPERATION_CONNECT || operation == WSK_OPERATION_SOCKET_CONNECT ||
            operation == WSK_OPERATION_DISCONNECT) {
            return true;
        }
    }
    return false;
}

/* What a socket waits for of the network. One that somebody is at work on will see to it. */
static enum verifier_outlook outlook_of(struct wsk_socket *socket)
{
    if (!base_mutex_try_lock(&socket->lock)) {
        return VERIFIER_SURELY;
    }
    bool is_sure = ends_by_itself(socket);
    bool is_wanted = socket->net != NULL && socket->wanted != 0;
    wsk_socket_unlock(socket);
    return is_sure ? VERIFIER_SURELY : is_wanted ? VERIFIER_TRAFFIC : VERIFIER_NOTHING;
}

static enum verifier_outlook outlook(void *context)
{
    struct wsk_state *wsk = context;
    struct wsk_names *names = wsk_names_lock();
    enum verifier_outlook most = IsListEmpty(&names->lookups) ? VERIFIER_NOTHING : VERIFIER_SURELY;
    wsk_names_unlock(names);
    base_mutex_lock(&wsk->lock);
    for (LIST_ENTRY *entry = wsk->sockets.Flink; entry != &wsk->sockets && most != VERIFIER_SURELY;
         entry = entry->Flink) {
        enum verifier_outlook one = outlook_of(CONTAINING_RECORD(entry, struct wsk_socket, link));
        most = one > most ? one : most;
    }
    base_mutex_unlock(&wsk->lock);
    return most;
}

void wsk_outlook_start(struct wsk_state *wsk)
{
    verifier_asker_add(outlook, NULL, wsk);
}
