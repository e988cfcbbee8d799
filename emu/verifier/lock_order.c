/*
 * The graph of locks.
 *
 * A node is a lock, by its address; an edge from one to another says that some thread took the
 * other while it held the one, and keeps that thread's stack. What this keeps true:
 *
 *   - The graph has no cycle: the edge that would close one is the mistake, and is reported before
 *     its thread waits. The report shows its stack, and that of the edge that says the opposite.
 *   - A lock lives from its initialisation until its memory is freed. Both forget its node, so that
 *     an address that is used again says nothing of the lock that was there before.
 *   - A lock on the stack of the thread that takes it is left out, because nobody tells its end.
 *   - A lock that is only tried cannot make its thread wait, and sharers do not wait for each
 *     other; both count as held, and no edge leads to them.
 *   - Locks that are always held round both orders make the orders harmless: gates. An edge keeps
 *     those under which it was always seen.
 *   - A lock that another thread releases than took it is left out, because nobody knows then what
 *     the one that took it holds.
 *
 * What a thread holds is its own and stands beside it, with the number of the kernel: a thread that
 * left a halted kernel holds nothing.
 */
#include "verifier/lock_order.h"

#include "base/mutex.h"
#include "base/stack.h"
#include "ke/bugcheck.h"
#include "ke/callback.h"
#include "ke/thread.h"
#include "ke/warning.h"
#include "verifier/call_stack.h"
#include "verifier/stack_use.h"

#include <stdlib.h>

#define HELD_MAX 32
#define GATES_MAX 4
#define BUCKETS 512

const struct verifier_lock_kind verifier_spin_lock = {"spin lock", "SPIN-19", NULL, 0};
const struct verifier_lock_kind verifier_shared_spin_lock = {"reader and writer spin lock",
                                                             "SPIN-19", NULL, 0};
const struct verifier_lock_kind verifier_fast_mutex = {"fast mutex", "MUTEX-12", NULL, 0};
const struct verifier_lock_kind verifier_mutex = {"mutex", "MUTEX-12", NULL, 0};
const struct verifier_lock_kind verifier_push_lock = {"push lock", "MUTEX-12", "FAST-30", 0xEB};
const struct verifier_lock_kind verifier_resource = {"resource", "MUTEX-12", "FAST-18", 0x38};

struct node {
    struct node *next;       /* in its bucket */
    struct node *next_found; /* while a search runs */
    ULONG_PTR lock;
    struct edge *first;
    unsigned long search; /* the last one that came by */
    bool is_left_out;
};

struct edge {
    struct edge *next; /* from the same node */
    struct node *to;
    const struct verifier_lock_kind *from_kind;
    const struct verifier_lock_kind *to_kind;
    const void *from_site; /* who took the first lock */
    const void *gate[GATES_MAX];
    unsigned gates;
    struct verifier_stack stack;
};

/* The graph lives as long as its kernel; a new one begins without edges. */
static struct {
    struct base_mutex lock;
    bool is_made;
    uint64_t generation;
    struct node *bucket[BUCKETS]; /* by page, for memory is freed in pages */
    unsigned long search;
} graph;

struct held {
    const struct verifier_lock_kind *kind;
    const void *lock;
    const void *site;
    bool is_shared;
    const struct ke_callback *callback; /* in which routine of the driver */
    enum verifier_pairing pairing;
    KIRQL old;         /* the level that the release restores, if this lock raised it */
    const void *saved; /* where the driver keeps it, or NULL */
};

static _Thread_local struct {
    uint64_t generation;
    unsigned count;
    struct held entry[HELD_MAX];
} own;

/* ---- the graph; its lock is held ---- */

static struct node **bucket_of(ULONG_PTR lock)
{
    return &graph.bucket[lock / PAGE_SIZE % BUCKETS];
}

static void remove_edges_of(struct node *node)
{
    while (node->first != NULL) {
        struct edge *edge = node->first;
        node->first = edge->next;
        free(edge);
    }
}

static void free_node(struct node *node)
{
    remove_edges_of(node);
    free(node);
}

static void empty(void)
{
    for (unsigned i = 0; i < BUCKETS; i++) {
        while (graph.bucket[i] != NULL) {
            struct node *node = graph.bucket[i];
            graph.bucket[i] = node->next;
            free_node(node);
        }
    }
}

static struct node *find(const void *lock)
{
    struct node *node = *bucket_of((ULONG_PTR)lock);
    while (node != NULL && node->lock != (ULONG_PTR)lock) {
        node = node->next;
    }
    return node;
}

static struct node *find_or_add(const void *lock)
{
    struct node *node = find(lock);
    if (node != NULL) {
        return node;
    }
    node = calloc(1, sizeof(*node));
    if (node != NULL) {
        struct node **bucket = bucket_of((ULONG_PTR)lock);
        node->lock = (ULONG_PTR)lock;
        node->next = *bucket;
        *bucket = node;
    }
    return node;
}

static struct edge *edge_between(const struct node *from, const struct node *to)
{
    struct edge *edge = from->first;
    while (edge != NULL && edge->to != to) {
        edge = edge->next;
    }
    return edge;
}

/* The last edge of a way from one lock to another, breadth first; NULL if there is none. */
static struct edge *way(struct node *from, const struct node *to)
{
    struct node *first = from;
    struct node *last = from;
    from->search = ++graph.search;
    from->next_found = NULL;
    for (; first != NULL; first = first->next_found) {
        for (struct edge *edge = first->first; edge != NULL; edge = edge->next) {
            if (edge->to == to) {
                return edge;
            }
            if (edge->to->search != graph.search) {
                edge->to->search = graph.search;
                edge->to->next_found = NULL;
                last->next_found = edge->to;
                last = edge->to;
            }
        }
    }
    return NULL;
}

static void remove_edges_to(const struct node *gone)
{
    for (unsigned i = 0; i < BUCKETS; i++) {
        for (struct node *node = graph.bucket[i]; node != NULL; node = node->next) {
            struct edge **link = &node->first;
            while (*link != NULL) {
                struct edge *edge = *link;
                if (edge->to == gone) {
                    *link = edge->next;
                    free(edge);
                } else {
                    link = &edge->next;
                }
            }
        }
    }
}

static void remove_nodes(struct node **link, ULONG_PTR start, size_t bytes)
{
    while (*link != NULL) {
        struct node *node = *link;
        if (node->lock - start < bytes) {
            remove_edges_to(node);
            *link = node->next;
            free_node(node);
        } else {
            link = &node->next;
        }
    }
}

/* ---- taking part ---- */

void verifier_lock_order_start(void)
{
    if (!graph.is_made) {
        base_mutex_init(&graph.lock);
        graph.is_made = true;
    }
}

static void enter(void)
{
    base_mutex_lock(&graph.lock);
    if (graph.generation != ke_thread_slot.generation) {
        empty();
        graph.generation = ke_thread_slot.generation;
    }
}

static void leave(void)
{
    base_mutex_unlock(&graph.lock);
}

/* What the calling thread holds in this kernel. */
static void look_at_own(void)
{
    ke_current();
    if (own.generation != ke_thread_slot.generation) {
        own.generation = ke_thread_slot.generation;
        own.count = 0;
    }
}

static bool is_on_own_stack(const void *lock)
{
    uintptr_t low;
    uintptr_t high;
    base_stack_bounds(&low, &high);
    return (uintptr_t)lock >= low && (uintptr_t)lock < high;
}

static bool is_held(const void *lock)
{
    for (unsigned i = 0; i < own.count; i++) {
        if (own.entry[i].lock == lock) {
            return true;
        }
    }
    return false;
}

static void report_inversion(const struct held *held, const struct verifier_lock_kind *kind,
                             const void *lock, const struct edge *other)
{
    static struct verifier_stack stack; /* evidence outlives the graph's lock */
    const void *first = (const void *)other->to->lock;
    stack = other->stack;
    leave();
    verifier_evidence_add(&stack, "Stack that took the locks in the other order");
    ke_violation(DRIVER_VERIFIER_DETECTED_VIOLATION, 0x1001, (ULONG_PTR)lock, (ULONG_PTR)held->lock,
                 0, kind->rule,
                 "The driver wants the %s %p while it holds the %s %p (taken by %s). Elsewhere the "
                 "order is the opposite: the %s %p was held (taken by %s) when the %s %p was "
                 "wanted. Two threads that do so at once wait for each other for ever.",
                 kind->name, lock, held->kind->name, held->lock, base_stack_site(held->site).text,
                 other->from_kind->name, lock, base_stack_site(other->from_site).text,
                 other->to_kind->name, first);
    verifier_evidence_forget();
    enter();
}

/* Whether the calling thread holds that lock, and as another than the one held. */
static bool is_gate(const void *lock, const struct held *held)
{
    return lock != held->lock && is_held(lock);
}

/* The gates of an edge that is seen for the first time. */
static void keep_gates(struct edge *edge, const struct held *held)
{
    edge->gates = 0;
    for (unsigned i = 0; i < own.count && edge->gates < GATES_MAX; i++) {
        if (own.entry[i].lock != held->lock) {
            edge->gate[edge->gates++] = own.entry[i].lock;
        }
    }
}

/* The gates of an edge that is seen again: those that are held this time too. */
static void reduce_gates(struct edge *edge, const struct held *held)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < edge->gates; i++) {
        if (is_gate(edge->gate[i], held)) {
            edge->gate[kept++] = edge->gate[i];
        }
    }
    edge->gates = kept;
}

static bool shares_gate(const struct edge *edge, const struct held *held)
{
    for (unsigned i = 0; i < edge->gates; i++) {
        if (is_gate(edge->gate[i], held)) {
            return true;
        }
    }
    return false;
}

static void add_edge(struct node *from, struct node *to, const struct held *held,
                     const struct verifier_lock_kind *kind)
{
    struct edge *edge = malloc(sizeof(*edge));
    if (edge == NULL) {
        return;
    }
    edge->to = to;
    edge->from_kind = held->kind;
    edge->to_kind = kind;
    edge->from_site = held->site;
    keep_gates(edge, held);
    verifier_stack_capture(&edge->stack);
    edge->next = from->first;
    from->first = edge;
}

/* One lock is held, another wanted. The graph is entered. */
static void follow(const struct held *held, const struct verifier_lock_kind *kind, const void *lock)
{
    struct node *from = find_or_add(held->lock);
    struct node *to = find_or_add(lock);
    if (from == NULL || to == NULL || from->is_left_out || to->is_left_out) {
        return;
    }
    struct edge *known = edge_between(from, to);
    if (known != NULL) {
        reduce_gates(known, held);
        return;
    }
    const struct edge *opposite = way(to, from);
    if (opposite == NULL) {
        add_edge(from, to, held, kind);
    } else if (!shares_gate(opposite, held)) {
        report_inversion(held, kind, lock, opposite);
    }
}

void verifier_lock_order_want(const struct verifier_lock_kind *kind, const void *lock)
{
    look_at_own();
    if (own.count == 0 || is_held(lock) || is_on_own_stack(lock)) {
        return;
    }
    enter();
    for (unsigned i = 0; i < own.count; i++) {
        if (!is_on_own_stack(own.entry[i].lock)) {
            follow(&own.entry[i], kind, lock);
        }
    }
    leave();
}

void verifier_lock_order_take(const struct verifier_lock_kind *kind, const void *lock,
                              const void *site, bool is_shared)
{
    look_at_own();
    verifier_stack_use("acquired a lock");
    if (own.count < HELD_MAX) {
        own.entry[own.count++] = (struct held){.kind = kind,
                                               .lock = lock,
                                               .site = site,
                                               .is_shared = is_shared,
                                               .callback = ke_callback_innermost()};
    }
}

/* The last acquisition of the lock by the calling thread, or NULL. */
static struct held *held_of(const void *lock)
{
    look_at_own();
    for (unsigned i = own.count; i > 0; i--) {
        if (own.entry[i - 1].lock == lock) {
            return &own.entry[i - 1];
        }
    }
    return NULL;
}

/* Two acquisitions that keep their levels in one variable: the second overwrote the first. */
static void check_saved(const struct held *held)
{
    for (unsigned i = 0; i < own.count && held->saved != NULL; i++) {
        const struct held *other = &own.entry[i];
        if (other != held && other->saved == held->saved) {
            ke_violation(DRIVER_VERIFIER_DETECTED_VIOLATION, 0x4000A,
                         (ULONG_PTR) "each acquisition has its own variable for the old level",
                         (ULONG_PTR)held->lock, (ULONG_PTR)other->lock, "SPIN-07",
                         "The driver acquired the spin lock %p and had the old IRQL stored where "
                         "that of the spin lock %p is, which it still holds (taken by %s).",
                         held->lock, other->lock, base_stack_site(other->site).text);
        }
    }
}

void verifier_lock_order_pair(const void *lock, enum verifier_pairing pairing, unsigned char old,
                              const void *saved)
{
    struct held *held = held_of(lock);
    if (held != NULL) {
        held->pairing = pairing;
        held->old = old;
        held->saved = saved;
        check_saved(held);
    }
}

/* A lock that is held and has to restore that level. */
static struct held *held_from(const struct held *but, KIRQL level)
{
    for (unsigned i = 0; i < own.count; i++) {
        struct held *held = &own.entry[i];
        if (held != but && held->pairing == VERIFIER_PAIR_RAISED && held->old == level) {
            return held;
        }
    }
    return NULL;
}

/* Two locks may be released in the order of their acquisition: the first release keeps
 * DISPATCH_LEVEL with the level that the second lock saved, which then restores that of the
 * first. */
static bool swaps_levels(struct held *held, KIRQL to)
{
    struct held *other = to == DISPATCH_LEVEL ? held_from(held, to) : NULL;
    if (other != NULL) {
        other->old = held->old;
    }
    return other != NULL;
}

void verifier_lock_order_unpair(const void *lock, enum verifier_pairing pairing, unsigned char to)
{
    struct held *held = held_of(lock);
    if (held == NULL || held->pairing == VERIFIER_PAIR_ANY) {
        return;
    }
    if (held->pairing != pairing) {
        ke_violation(DRIVER_VERIFIER_DETECTED_VIOLATION, 0x4000A,
                     (ULONG_PTR) "a spin lock is released in the way in which it was acquired",
                     (ULONG_PTR)lock, 0, "SPIN-10",
                     "The driver acquired the spin lock %p (in %s) with a function that %s and "
                     "released it with one that %s.",
                     lock, base_stack_site(held->site).text,
                     pairing == VERIFIER_PAIR_KEPT ? "raises the IRQL" : "leaves the IRQL alone",
                     pairing == VERIFIER_PAIR_KEPT ? "leaves it alone" : "lowers it");
    } else if (pairing == VERIFIER_PAIR_RAISED && to != held->old && !swaps_levels(held, to)) {
        ke_violation(DRIVER_VERIFIER_DETECTED_VIOLATION, 0x31, ke_current()->irql, to, 0, "SPIN-06",
                     "The driver released the spin lock %p to IRQL %u; its acquisition, in %s, "
                     "saved IRQL %u.",
                     lock, to, base_stack_site(held->site).text, held->old);
    }
}

void verifier_lock_order_check_handle(const void *handle)
{
    if (!is_on_own_stack(handle)) {
        ke_warning("SPIN-29",
                   "the driver acquired a queued spin lock with the handle %p, which is not on the "
                   "stack of the thread",
                   handle);
    }
}

const void *verifier_lock_order_kept(const struct verifier_lock_kind *kind,
                                     const struct ke_callback *callback)
{
    look_at_own();
    for (unsigned i = 0; i < own.count; i++) {
        if (own.entry[i].kind == kind && own.entry[i].callback == callback) {
            return own.entry[i].lock;
        }
    }
    return NULL;
}

static void leave_out(const void *lock)
{
    enter();
    struct node *node = find_or_add(lock);
    if (node != NULL) {
        remove_edges_to(node);
        remove_edges_of(node);
        node->is_left_out = true;
    }
    leave();
}

void verifier_lock_order_drop(const void *lock)
{
    look_at_own();
    for (unsigned i = own.count; i > 0; i--) {
        if (own.entry[i - 1].lock == lock) {
            own.count--;
            for (unsigned j = i - 1; j < own.count; j++) {
                own.entry[j] = own.entry[j + 1];
            }
            return;
        }
    }
    leave_out(lock);
}

void verifier_lock_order_check_again(const struct verifier_lock_kind *kind, const void *lock,
                                     bool may_share, const char *rule)
{
    look_at_own();
    for (unsigned i = 0; i < own.count; i++) {
        const struct held *held = &own.entry[i];
        if (held->lock == lock && !(may_share && held->is_shared)) {
            ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, 0x1000, (ULONG_PTR)lock, 0, 0, rule,
                        "The driver asked for the %s %p, which the same thread holds already; it "
                        "was taken by %s. On Windows it would wait for ever.",
                        kind->name, lock, base_stack_site(held->site).text);
        }
    }
}

void verifier_lock_order_check_region(void)
{
    look_at_own();
    for (unsigned i = 0; i < own.count; i++) {
        const struct held *held = &own.entry[i];
        if (held->kind->region_rule != NULL && ke_current()->irql < APC_LEVEL) {
            ke_violation(DRIVER_VERIFIER_DETECTED_VIOLATION, held->kind->region_code,
                         ke_current()->irql, 0, (ULONG_PTR)held->lock, held->kind->region_rule,
                         "The driver left its critical region while it held the %s %p, taken by "
                         "%s.",
                         held->kind->name, held->lock, base_stack_site(held->site).text);
        }
    }
}

void verifier_lock_order_check_left(const struct ke_callback *callback)
{
    look_at_own();
    for (unsigned i = 0; i < own.count; i++) {
        const struct held *held = &own.entry[i];
        if (held->callback == callback && held->kind == &verifier_resource && !held->is_shared) {
            ke_violation(
                RESOURCE_NOT_OWNED, (ULONG_PTR)held->lock, (ULONG_PTR)ke_current(), 0, 0, "FAST-26",
                "The driver's routine %p, called as %s, returned without releasing the "
                "resource %p, which it acquired exclusively in %s.",
                callback->routine, callback->what, held->lock, base_stack_site(held->site).text);
        }
    }
}

static void report_held(const struct held *held, bool is_initialised)
{
    ke_violation(DRIVER_VERIFIER_DETECTED_VIOLATION, is_initialised ? 0x1005 : 0x100B,
                 (ULONG_PTR)held->lock, (ULONG_PTR)ke_current(), 0, "SPIN-16",
                 "The driver %s the %s %p while the same thread holds it; it was taken by %s.",
                 is_initialised ? "initialised" : "freed the memory of", held->kind->name,
                 held->lock, base_stack_site(held->site).text);
}

void verifier_lock_order_forget(const void *start, size_t bytes, enum verifier_lock_end end)
{
    if (atomic_load(&ke_generation) == 0 || ke_current() == NULL) {
        return;
    }
    look_at_own();
    for (unsigned i = 0; i < own.count && end != VERIFIER_LOCK_UNKNOWN; i++) {
        if ((ULONG_PTR)own.entry[i].lock - (ULONG_PTR)start < bytes) {
            report_held(&own.entry[i], end == VERIFIER_LOCK_INITIALISED);
        }
    }
    enter();
    ULONG_PTR page = (ULONG_PTR)start / PAGE_SIZE;
    ULONG_PTR last_page = ((ULONG_PTR)start + bytes) / PAGE_SIZE;
    for (; page <= last_page; page++) {
        remove_nodes(&graph.bucket[page % BUCKETS], (ULONG_PTR)start, bytes);
    }
    leave();
}
