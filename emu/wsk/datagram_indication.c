/*
 * WskReceiveFromEvent and WskRelease.
 *
 * Each datagram stands in a slot: indication, MDL, addresses, control data and room for 2 KiB of
 * data, so that nothing is allocated for a small one. 32 slots make a slab, which is filled from
 * front to back; it is used again when none of its slots lives, or freed if another has become the
 * current one. The rest of a longer datagram is received into the overflow, and both parts are
 * joined in memory of its own.
 *
 * A slot that lives is in exactly one of three places:
 * - held: taken from the host, and not accepted by the driver yet, in the order of arrival;
 * - indicated: a callback runs with it;
 * - kept: the driver returned STATUS_PENDING and has not released it.
 *
 * What the driver can write is never read back but for Next, and that only while a list is
 * released and only if the slot is known to live: the pointers that it gives are looked up. So an
 * indication can be released alone, with others, in any order, from any thread, and even inside
 * the callback before STATUS_PENDING was returned for it; then it ends when the callback returns.
 *
 * The last released pointers are remembered until slots are used again. Up to then, releasing one
 * of them is certain to be a second release.
 */
#include "trace/trace.h"
#include "wsk/control_data.h"
#include "wsk/wsk.h"

#include "base/log.h"
#include "ex/guarded.h"
#include "ke/bugcheck.h"
#include "ke/limit.h"
#include "ke/warning.h"
#include "mm/mm.h"
#include "trace/network.h"
#include "verifier/rule.h"

#include <stdlib.h>

/* Datagrams that a turn asks the host for: more while all of them come, fewer when few do. */
#define TURN_MIN 4

#define SLOT_DATA_BYTES 2048
#define OVERFLOW_BYTES (65536 - SLOT_DATA_BYTES)
#define CHAINS 256
#define RELEASED_MAX 64

/* So many datagrams that a statically enabled callback refused are buffered; later ones are lost.
 */
#define HELD_MAX 1024

struct slab;

struct slot {
    WSK_DATAGRAM_INDICATION public; /* first: what the driver gets; all of it may be overwritten */
    struct slab *slab;
    struct slot *next; /* in its list or chain */
    bool is_released;  /* inside the callback */
    bool is_first;     /* of the list that was indicated */
    unsigned flags;    /* enum net_datagram_flags */
    struct net_address address;
    SOCKADDR_INET remote;
    SIZE_T length;
    UCHAR *large; /* memory of a datagram that the slot cannot hold, or NULL */
    ULONG control_length;
    _Alignas(8) UCHAR control[WSK_CONTROL_BYTES_MAX];
    _Alignas(8) UCHAR mdl[sizeof(MDL) + 2 * sizeof(PFN_NUMBER)];
    _Alignas(8) UCHAR data[SLOT_DATA_BYTES];
};

struct slab {
    unsigned used; /* slots from here on were not given out */
    unsigned live;
    unsigned capacity;
    bool is_current;
    struct ex_guarded *guarded; /* its pages at level full, else NULL */
    const void *user;           /* an address in the code that had it last, or NULL */
    struct slot slots[];
};

struct slot_list {
    struct slot *first;
    struct slot **end;
    unsigned count;
};

/* Guarded by the socket's lock. */
struct wsk_indications {
    LIST_ENTRY link; /* in wsk_state.abandoned_datagrams, when the socket has gone */
    struct slab *current;
    unsigned turn;   /* datagrams to ask the host for */
    UCHAR *overflow; /* OVERFLOW_BYTES for each slot; touched only by long datagrams */
    struct slot_list held;
    bool is_refused; /* a callback that stays enabled refused: it waits for a new datagram */
    struct slot_list indicated;
    struct slot *kept[CHAINS];
    unsigned kept_count;
    const void *released[RELEASED_MAX];
    unsigned released_next;
    bool has_released;
    bool is_inner_told; /* a warning went out that a list was cut */
};

/* ---- lists ---- */

static void list_init(struct slot_list *list)
{
    list->first = NULL;
    list->end = &list->first;
    list->count = 0;
}

static void list_append(struct slot_list *list, struct slot *slot)
{
    slot->next = NULL;
    *list->end = slot;
    list->end = &slot->next;
    list->count++;
}

static struct slot *list_take(struct slot_list *list)
{
    struct slot *slot = list->first;
    if (slot != NULL) {
        list->first = slot->next;
        list->count--;
        if (list->first == NULL) {
            list->end = &list->first;
        }
    }
    return slot;
}

/* ---- slots and slabs ---- */

static struct wsk_indications *indications_of(struct wsk_socket *socket)
{
    struct wsk_indications *own = socket->datagram.indications;
    if (own != NULL) {
        return own;
    }
    own = calloc(1, sizeof(*own));
    if (own == NULL) {
        return NULL;
    }
    own->overflow = malloc((SIZE_T)OVERFLOW_BYTES * NET_DATAGRAMS_MAX);
    if (own->overflow == NULL) {
        free(own);
        return NULL;
    }
    own->turn = TURN_MIN;
    list_init(&own->held);
    list_init(&own->indicated);
    socket->datagram.indications = own;
    return own;
}

static void forget_released(struct wsk_indications *own)
{
    if (own->has_released) {
        RtlZeroMemory(own->released, sizeof(own->released));
        own->has_released = false;
    }
}

/* At level full each datagram has pages of its own, which are forbidden when it has ended. */
static struct slab *create_slab(void)
{
    struct ex_guarded *guarded = NULL;
    unsigned capacity = verifier_is_full() ? 1 : NET_DATAGRAMS_MAX;
    SIZE_T bytes = sizeof(struct slab) + capacity * sizeof(struct slot);
    if (verifier_is_full()) {
        guarded = ex_guarded_obtain(0, bytes, 16, "received datagram", NULL);
    }
    struct slab *slab = guarded != NULL ? (struct slab *)(PVOID)guarded->start : malloc(bytes);
    if (slab == NULL) {
        return NULL;
    }
    if (guarded != NULL) {
        guarded->freed_rule = "WSK-IND-06";
    }
    slab->used = 0;
    slab->live = 0;
    slab->capacity = capacity;
    slab->is_current = true;
    slab->guarded = guarded;
    slab->user = NULL;
    return slab;
}

static void free_slab(struct slab *slab)
{
    if (slab->guarded != NULL) {
        ex_guarded_retire(slab->guarded, slab->user);
    } else {
        free(slab);
    }
}

static void leave_slab(struct slab *slab)
{
    slab->is_current = false;
    if (slab->live == 0) {
        free_slab(slab);
    }
}

/* The slab that has slots left; NULL when the host is out of memory. */
static struct slab *slab_with_room(struct wsk_indications *own)
{
    struct slab *slab = own->current;
    if (slab != NULL && slab->live == 0) {
        slab->used = 0;
    }
    if (slab != NULL && slab->used < slab->capacity) {
        if (slab->used == 0) {
            forget_released(own);
        }
        return slab;
    }
    slab = create_slab();
    if (slab == NULL) {
        return NULL;
    }
    if (own->current != NULL) {
        leave_slab(own->current);
    }
    if (slab->guarded == NULL) {
        forget_released(own);
    }
    own->current = slab;
    return slab;
}

static void free_slot(struct slot *slot)
{
    struct slab *slab = slot->slab;
    free(slot->large);
    if (--slab->live == 0 && !slab->is_current) {
        free_slab(slab);
    }
}

/* ---- from the host ---- */

/* Joins what the slot could not hold; false when the host is out of memory. */
static bool join(struct slot *slot, const UCHAR *overflow)
{
    SIZE_T mdl_bytes = MmSizeOfMdl((PVOID)(ULONG_PTR)(PAGE_SIZE - 1), slot->length);
    slot->large = malloc(mdl_bytes + slot->length);
    if (slot->large == NULL) {
        return false;
    }
    UCHAR *data = slot->large + mdl_bytes;
    RtlCopyMemory(data, slot->data, SLOT_DATA_BYTES);
    RtlCopyMemory(data + SLOT_DATA_BYTES, overflow, slot->length - SLOT_DATA_BYTES);
    return true;
}

static UCHAR *data_of(struct slot *slot)
{
    return slot->large == NULL
               ? slot->data
               : slot->large + MmSizeOfMdl((PVOID)(ULONG_PTR)(PAGE_SIZE - 1), slot->length);
}

/* Makes a received datagram a held one, or throws it away. */
static void keep(struct wsk_socket *socket, struct slab *slab, struct slot *slot,
                 const struct net_datagram *datagram)
{
    struct wsk_indications *own = socket->datagram.indications;
    slot->slab = slab;
    slot->is_released = false;
    slot->flags = datagram->flags;
    slot->address = datagram->address;
    slot->length = datagram->length;
    slot->large = NULL;
    if (own->held.count >= HELD_MAX || !wsk_datagram_is_welcome(socket, &slot->address) ||
        (slot->length > SLOT_DATA_BYTES && !join(slot, datagram->buffers[1].base))) {
        return;
    }
    slot->control_length = wsk_control_compose(socket, &datagram->control, slot->control);
    slab->live++;
    list_append(&own->held, slot);
}

static void prepare(struct wsk_indications *own, struct slab *slab, unsigned count,
                    struct net_datagram *datagrams, struct net_buffer (*buffers)[2])
{
    for (unsigned i = 0; i < count; i++) {
        UCHAR *data = slab->slots[slab->used + i].data;
        UCHAR *overflow = own->overflow + (SIZE_T)i * OVERFLOW_BYTES;
        buffers[i][0] = (struct net_buffer){.base = data, .length = SLOT_DATA_BYTES};
        buffers[i][1] = (struct net_buffer){.base = overflow, .length = OVERFLOW_BYTES};
        datagrams[i].buffers = buffers[i];
        datagrams[i].count = 2;
    }
}

static void choose_turn(struct wsk_indications *own, unsigned done)
{
    if (done >= own->turn && own->turn < NET_DATAGRAMS_MAX) {
        own->turn *= 2;
    } else if (done * 4 <= own->turn && own->turn > TURN_MIN) {
        own->turn /= 2;
    }
}

/* Takes what one call gets from the host; returns whether there may be more. */
static bool fetch(struct wsk_socket *socket)
{
    struct wsk_indications *own = socket->datagram.indications;
    struct net_datagram datagrams[NET_DATAGRAMS_MAX];
    struct net_buffer buffers[NET_DATAGRAMS_MAX][2];
    struct slab *slab = slab_with_room(own);
    unsigned done = 0;
    if (slab == NULL) {
        return false;
    }
    unsigned room = slab->capacity - slab->used;
    unsigned count = own->turn < room ? own->turn : room;
    prepare(own, slab, count, datagrams, buffers);
    enum net_error error = net_receive_datagrams(socket->net, datagrams, count, &done);
    if (error != NET_OK) {
        return wsk_datagram_is_passing(error);
    }
    trace_datagrams(socket, &socket->local, datagrams, done, false);
    for (unsigned i = 0; i < done; i++) {
        keep(socket, slab, &slab->slots[slab->used++], &datagrams[i]);
    }
    if (slab->guarded != NULL && slab->used == slab->capacity) {
        own->current = NULL; /* its pages are forbidden as soon as its datagram ends */
        leave_slab(slab);
    }
    choose_turn(own, done);
    own->is_refused = false;
    return done == count;
}

/* Takes a turn; at level full that is one datagram a call. */
static bool fetch_turn(struct wsk_socket *socket)
{
    bool has_more = fetch(socket);
    for (unsigned i = 1; i < NET_DATAGRAMS_MAX && has_more && verifier_is_full(); i++) {
        has_more = fetch(socket);
    }
    return has_more;
}

/* ---- calling the driver ---- */

static PFN_WSK_RECEIVE_FROM_EVENT callback_of(const struct wsk_socket *socket)
{
    const WSK_CLIENT_DATAGRAM_DISPATCH *dispatch = socket->dispatch;
    return dispatch == NULL ? NULL : dispatch->WskReceiveFromEvent;
}

bool wsk_datagram_is_event_wanted(const struct wsk_socket *socket)
{
    return (socket->events.enabled & WSK_EVENT_RECEIVE_FROM) != 0 && !socket->is_closing &&
           !socket->is_dead && callback_of(socket) != NULL;
}

/* Fills what the driver sees, whatever it made of it before. (WSK-IND-02, -03, -04) */
static void write_public(struct slot *slot)
{
    WSK_DATAGRAM_INDICATION *public = &slot->public;
    PMDL mdl = (PMDL)(PVOID)(slot->large == NULL ? slot->mdl : slot->large);
    mm_mdl_fill(mdl, data_of(slot), slot->length);
    MmBuildMdlForNonPagedPool(mdl);
    wsk_address_to(&slot->address, (SOCKADDR *)&slot->remote);
    public->Next = slot->next == NULL ? NULL : &slot->next->public;
    public->Buffer = (WSK_BUF){.Mdl = mdl, .Offset = 0, .Length = slot->length};
    public->ControlInfoLength = slot->control_length;
    public->ControlInfo = slot->control_length == 0 ? NULL : (PCMSGHDR)(PVOID)slot->control;
    public->RemoteAddress = (PSOCKADDR)&slot->remote;
}

static unsigned class_of(const struct slot *slot)
{
    return slot->flags & (NET_WAS_BROADCAST | NET_WAS_MULTICAST);
}

/* Throws away those at the head that a fixed remote address, set since, refuses. */
static void drop_unwelcome(struct wsk_socket *socket)
{
    struct slot_list *held = &socket->datagram.indications->held;
    while (held->first != NULL && !wsk_datagram_is_welcome(socket, &held->first->address)) {
        free_slot(list_take(held));
    }
}

/* Moves those at the head that may be indicated together. (WSK-EVT-72) */
static void take_run(struct wsk_socket *socket)
{
    struct wsk_indications *own = socket->datagram.indications;
    unsigned class = class_of(own->held.first);
    while (own->held.first != NULL && class_of(own->held.first) == class) {
        list_append(&own->indicated, list_take(&own->held));
        drop_unwelcome(socket);
    }
    const char *user = (const char *)(ULONG_PTR)callback_of(socket) + 1;
    for (struct slot *slot = own->indicated.first; slot != NULL; slot = slot->next) {
        write_public(slot);
        slot->is_first = slot == own->indicated.first;
        slot->slab->user = user;
    }
}

/* The lock is held on entry and return. */
static NTSTATUS call(struct wsk_socket *socket, ULONG flags, PWSK_DATAGRAM_INDICATION list)
{
    PFN_WSK_RECEIVE_FROM_EVENT routine = callback_of(socket);
    struct ke_callback callback;
    wsk_socket_unlock(socket);
    ke_callback_enter(&callback, "WskReceiveFromEvent", (const void *)(ULONG_PTR)routine);
    NTSTATUS status = routine(socket->context, flags | wsk_event_flags(), list);
    ke_callback_leave_with(&callback, status);
    wsk_socket_lock(socket);
    return status;
}

static unsigned chain_of(const void *indication)
{
    return (unsigned)(((ULONG_PTR)indication >> 6) * 2654435761u >> 8) % CHAINS;
}

static void keep_all(struct wsk_indications *own)
{
    struct slot *slot;
    while ((slot = list_take(&own->indicated)) != NULL) {
        if (slot->is_released) {
            free_slot(slot);
            continue;
        }
        struct slot **chain = &own->kept[chain_of(slot)];
        slot->next = *chain;
        *chain = slot;
        own->kept_count++;
    }
}

/* Frees what a driver released inside the callback without keeping the list. */
static bool is_lost(struct slot *slot)
{
    if (!slot->is_released) {
        return false;
    }
    ke_warning("WSK-IND-10",
               "the datagram indication %p was released, by WskReceiveFromEvent or meanwhile by "
               "another thread, and WskReceiveFromEvent did not return STATUS_PENDING",
               (void *)slot);
    free_slot(slot);
    return true;
}

static void free_all(struct wsk_indications *own)
{
    struct slot *slot;
    while ((slot = list_take(&own->indicated)) != NULL) {
        if (!is_lost(slot)) {
            free_slot(slot);
        }
    }
}

/* Puts the list back in front of what has arrived since. (WSK-EVT-48, WSK-EVT-50) */
static void refuse_all(struct wsk_socket *socket)
{
    struct wsk_indications *own = socket->datagram.indications;
    struct slot_list later = own->held;
    struct slot *slot = later.first;
    list_init(&own->held);
    for (struct slot *back; (back = list_take(&own->indicated)) != NULL;) {
        if (!is_lost(back)) {
            list_append(&own->held, back);
        }
    }
    while (slot != NULL) {
        struct slot *next = slot->next;
        list_append(&own->held, slot);
        slot = next;
    }
    if ((socket->events.fixed & WSK_EVENT_RECEIVE_FROM) == 0) {
        socket->events.enabled &= ~(ULONG)WSK_EVENT_RECEIVE_FROM;
    } else {
        own->is_refused = true;
    }
}

static void settle(struct wsk_socket *socket, NTSTATUS verdict)
{
    switch (verdict) {
    case STATUS_SUCCESS:
        free_all(socket->datagram.indications);
        return;
    case STATUS_PENDING:
        keep_all(socket->datagram.indications);
        return;
    default:
        ke_callback_warn_of_status("WSK-EVT-52", "WskReceiveFromEvent",
                                   (const void *)(ULONG_PTR)callback_of(socket), verdict,
                                   "it counts as STATUS_DATA_NOT_ACCEPTED");
        refuse_all(socket);
        return;
    case STATUS_DATA_NOT_ACCEPTED:
        refuse_all(socket);
        return;
    }
}

/* The socket no longer works: says so once. (WSK-EVT-43) */
static bool indicate_death(struct wsk_socket *socket)
{
    if (socket->is_dead_reported || callback_of(socket) == NULL ||
        !wsk_event_begin(socket, WSK_EVENT_RECEIVE_FROM)) {
        return false;
    }
    socket->is_dead_reported = true;
    wsk_dead_tell(socket, "WSK-EVT-44");
    call(socket, 0, NULL);
    wsk_event_end(socket, &socket->receive, WSK_EVENT_RECEIVE_FROM);
    return true;
}

/* Has something to indicate; *has_more tells whether the host may have more. */
static bool find_datagrams(struct wsk_socket *socket, bool *has_more)
{
    struct wsk_indications *own = indications_of(socket);
    *has_more = false;
    if (own == NULL) {
        return false;
    }
    drop_unwelcome(socket);
    if (own->held.first == NULL || own->is_refused) {
        *has_more = fetch_turn(socket);
    }
    return own->held.first != NULL && !own->is_refused;
}

/* Returns whether there may be more to indicate, so that a turn does not end with a vain call. */
bool wsk_datagram_indicate(struct wsk_socket *socket)
{
    bool has_more;
    if (socket->is_dead) {
        return indicate_death(socket);
    }
    if (wsk_queue_first(&socket->receive) != NULL || !wsk_datagram_is_event_wanted(socket)) {
        return false;
    }
    if (!find_datagrams(socket, &has_more)) {
        return has_more;
    }
    struct wsk_indications *own = socket->datagram.indications;
    unsigned class = class_of(own->held.first);
    ULONG flags = ((class & NET_WAS_BROADCAST) != 0 ? MSG_BCAST : 0) |
                  ((class & NET_WAS_MULTICAST) != 0 ? MSG_MCAST : 0);
    wsk_event_begin(socket, WSK_EVENT_RECEIVE_FROM);
    take_run(socket);
    settle(socket, call(socket, flags, &own->indicated.first->public));
    wsk_event_end(socket, &socket->receive, WSK_EVENT_RECEIVE_FROM);
    return has_more || (own->held.first != NULL && !own->is_refused);
}

bool wsk_datagram_receive_held(struct wsk_socket *socket, PIRP irp)
{
    struct wsk_indications *own = socket->datagram.indications;
    if (own == NULL) {
        return false;
    }
    drop_unwelcome(socket);
    struct slot *slot = list_take(&own->held);
    if (slot == NULL) {
        return false;
    }
    struct wsk_received received = {.address = slot->address,
                                    .flags = slot->flags,
                                    .control = slot->control,
                                    .control_length = slot->control_length};
    received.length = wsk_request_copy_in(irp, data_of(slot), slot->length);
    if (received.length < slot->length) {
        received.flags |= NET_TRUNCATED;
    }
    wsk_datagram_finish_receive(socket, irp, &received);
    free_slot(slot);
    own->is_refused = own->is_refused && own->held.first != NULL;
    return true;
}

/* ---- releasing ---- */

static struct slot **find_kept(struct wsk_indications *own, const void *indication)
{
    struct slot **place = &own->kept[chain_of(indication)];
    while (*place != NULL && (const void *)*place != indication) {
        place = &(*place)->next;
    }
    return place;
}

static struct slot *find_indicated(const struct wsk_indications *own, const void *indication)
{
    struct slot *slot = own->indicated.first;
    while (slot != NULL && (const void *)slot != indication) {
        slot = slot->next;
    }
    return slot != NULL && !slot->is_released ? slot : NULL;
}

static void remember_released(struct wsk_indications *own, const void *indication)
{
    own->released[own->released_next++ % RELEASED_MAX] = indication;
    own->has_released = true;
}

/* Releases one, if the driver has it; *next is where its Next points. */
static bool release_one(struct wsk_indications *own, const void *indication,
                        PWSK_DATAGRAM_INDICATION *next)
{
    struct slot **place = find_kept(own, indication);
    struct slot *slot = *place;
    if (slot != NULL) {
        *next = slot->public.Next;
        *place = slot->next;
        own->kept_count--;
        free_slot(slot);
    } else if ((slot = find_indicated(own, indication)) != NULL) {
        *next = slot->public.Next;
        slot->is_released = true;
    } else {
        return false;
    }
    remember_released(own, indication);
    return true;
}

static bool was_released(const struct wsk_indications *own, const void *indication)
{
    for (unsigned i = 0; i < RELEASED_MAX; i++) {
        if (own->released[i] == indication) {
            return true;
        }
    }
    return false;
}

static NTSTATUS refuse_release(struct wsk_socket *socket, const void *indication)
{
    struct wsk_indications *own = socket->datagram.indications;
    if (own != NULL && was_released(own, indication)) {
        ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, WSK_VIOLATION, (ULONG_PTR)socket,
                    (ULONG_PTR)indication, 0, "WSK-IND-08",
                    "The driver called WskRelease for the datagram indication %p of the socket %p, "
                    "which it had released before.",
                    indication, (void *)socket);
    }
    ke_warning("WSK-IND-10",
               "WskRelease was called for %p, which is not a datagram indication that was kept on "
               "the socket %p",
               indication, (void *)socket);
    return STATUS_INVALID_PARAMETER;
}

/* Drivers in the field release element by element, which works; a list whose head they keep is not
 * meant to be cut. */
static void warn_of_inner(struct wsk_indications *own, const void *indication)
{
    const struct slot *slot = own == NULL ? NULL : *find_kept(own, indication);
    if (slot != NULL && !slot->is_first && verifier_is_on() && !own->is_inner_told) {
        own->is_inner_told = true;
        ke_warning("WSK-IND-09",
                   "WskRelease was called for the datagram indication %p, which is not the head of "
                   "the list that the driver got",
                   indication);
    }
}

/* The lock is held. */
static NTSTATUS release(struct wsk_socket *socket, PWSK_DATAGRAM_INDICATION indication)
{
    struct wsk_indications *own = socket->datagram.indications;
    warn_of_inner(own, indication);
    if (own == NULL || !release_one(own, indication, &indication)) {
        return refuse_release(socket, indication);
    }
    /* Next may have become anything: it counts as far as it leads to kept ones. */
    while (indication != NULL && release_one(own, indication, &indication)) {
    }
    return STATUS_SUCCESS;
}

/*
 * Gives back datagram indications that the driver keeps: one, or a list as its Next says. At once,
 * without an IRP. STATUS_INVALID_PARAMETER for what is not kept on this socket; a second release
 * and a release after WskCloseSocket are bug checks. IRQL <= DISPATCH. (WSK-IND-08 to -19)
 */
NTSTATUS WSKAPI wsk_release_datagrams(PWSK_SOCKET Socket,
                                      PWSK_DATAGRAM_INDICATION DatagramIndication)
{
    struct wsk_socket *socket = wsk_socket_of(Socket);
    WSK_CALL(socket, WSK_FLAG_DATAGRAM_SOCKET, "WskRelease");
    wsk_release_begin(socket);
    if (DatagramIndication == NULL) {
        return STATUS_INVALID_PARAMETER;
    }
    wsk_socket_lock(socket);
    NTSTATUS status = release(socket, DatagramIndication);
    wsk_socket_unlock(socket);
    return status;
}

/* ---- the end ---- */

static void free_indications(struct wsk_indications *own)
{
    for (unsigned i = 0; i < CHAINS; i++) {
        while (own->kept[i] != NULL) {
            struct slot *slot = own->kept[i];
            own->kept[i] = slot->next;
            free_slot(slot);
        }
    }
    free(own->overflow);
    free(own);
}

void wsk_datagram_end_indications(struct wsk_socket *socket)
{
    struct wsk_indications *own = socket->datagram.indications;
    struct slot *slot;
    if (own == NULL) {
        return;
    }
    while ((slot = list_take(&own->held)) != NULL) {
        free_slot(slot);
    }
    if (own->current != NULL) {
        leave_slab(own->current);
        own->current = NULL;
    }
    if (own->kept_count == 0) {
        free_indications(own);
        return;
    }
    /* What the driver keeps stays valid: closing does not release it. (WSK-IND-14) */
    ke_warning("WSK-IND-13", "the socket %p was closed with %u datagram indications not released",
               (void *)socket, own->kept_count);
    wsk_list_insert(&wsk_state()->abandoned_datagrams, &own->link);
}

void wsk_datagrams_start(struct wsk_state *wsk)
{
    InitializeListHead(&wsk->abandoned_datagrams);
}

unsigned wsk_datagrams_report(const struct wsk_state *wsk)
{
    unsigned left = 0;
    const LIST_ENTRY *list = &wsk->abandoned_datagrams;
    for (LIST_ENTRY *entry = list->Flink; entry != list; entry = entry->Flink) {
        struct wsk_indications *own = CONTAINING_RECORD(entry, struct wsk_indications, link);
        verifier_rule_speak("WSK-EVT-47");
        base_log("left: %u datagram indications, kept and not released (WSK-EVT-47)\n",
                 own->kept_count);
        left += own->kept_count;
    }
    return left;
}

void wsk_datagrams_stop(struct wsk_state *wsk)
{
    while (!IsListEmpty(&wsk->abandoned_datagrams)) {
        LIST_ENTRY *entry = RemoveHeadList(&wsk->abandoned_datagrams);
        free_indications(CONTAINING_RECORD(entry, struct wsk_indications, link));
    }
}
