/*
 * The table of bound local addresses, and who may share one.
 *
 * Every socket of TCP or UDP that binds enters the table before the host is asked, so that of two
 * binds to one address at one time only one is first. The table decides between sockets of this
 * kernel, by the matrix of the documentation; about other processes the host decides. A bind to
 * port 0 conflicts with nobody: it enters when its port is known. Accepted connections do not
 * enter. Raw sockets have no ports, and do not enter either.
 *
 * An address concerns IPv4, IPv6 or, for the wildcard of an IPv6 socket of both families, both; a
 * mapped address (::ffff:1.2.3.4) is one of IPv4. Two sockets meet where they concern the same
 * family on the same port, each with the wildcard or a specific address; two different specific
 * addresses do not meet. If a socket meets several others, the one that was bound first and refuses
 * says why.
 *
 * What a refusal needs of a socket (its options, its descriptor) cannot change after its bind; the
 * entry copies it. The socket holds the descriptor longer than the entry lives.
 */
#include "wsk/share.h"

#include "wsk/option.h"
#include "wsk/security.h"
#include "wsk/wsk.h"

#include <stdlib.h>

#define PORTS_MASK (WSK_SHARE_BUCKETS - 1)

/* What a socket asked for; an exclusive address goes before a shared one. */
enum wish { WISH_NONE, WISH_REUSE, WISH_EXCLUSIVE, WISH_COUNT };

enum kind { KIND_WILDCARD, KIND_SPECIFIC, KIND_COUNT, KIND_ABSENT = KIND_COUNT };

enum verdict { SUCCESS, INUSE, DENIED, CHECK };

/* What an address is in one family. */
struct part {
    enum kind kind;
    ULONG scope;
    UCHAR bytes[16];
};

enum family { FAMILY_IPV4, FAMILY_IPV6, FAMILY_COUNT };

struct wsk_share {
    LIST_ENTRY link; /* in its port's bucket, in the order of binds; or in none (port 0) */
    USHORT type;     /* SOCK_STREAM or SOCK_DGRAM */
    USHORT port;
    enum wish wish;
    PSECURITY_DESCRIPTOR security;
    struct part parts[FAMILY_COUNT];
};

/*
 * What becomes of the second bind: [second's wish][its kind][first's wish][its kind]. The kinds
 * are wildcard and specific, in this order. (WSK-SHR-10 to WSK-SHR-45)
 */
static const UCHAR matrix[WISH_COUNT][KIND_COUNT][WISH_COUNT][KIND_COUNT] = {
    /*                    first: no option       SO_REUSEADDR         SO_EXCLUSIVEADDRUSE */
    [WISH_NONE] =
        {
            [KIND_WILDCARD] = {{INUSE, SUCCESS}, {INUSE, SUCCESS}, {INUSE, SUCCESS}},
            [KIND_SPECIFIC] = {{CHECK, INUSE}, {CHECK, DENIED}, {DENIED, INUSE}},
        },
    [WISH_REUSE] =
        {
            [KIND_WILDCARD] = {{DENIED, SUCCESS}, {SUCCESS, SUCCESS}, {DENIED, SUCCESS}},
            [KIND_SPECIFIC] = {{CHECK, DENIED}, {SUCCESS, SUCCESS}, {DENIED, DENIED}},
        },
    [WISH_EXCLUSIVE] =
        {
            [KIND_WILDCARD] = {{INUSE, INUSE}, {INUSE, INUSE}, {INUSE, INUSE}},
            [KIND_SPECIFIC] = {{CHECK, INUSE}, {CHECK, INUSE}, {DENIED, INUSE}},
        },
};

/* ---- addresses ---- */

static bool is_mapped(const struct net_address *address)
{
    static const UCHAR prefix[12] = {[10] = 0xFF, [11] = 0xFF};
    return address->family == NET_IPV6 && RtlEqualMemory(address->bytes, prefix, sizeof(prefix));
}

static struct part part_of(const UCHAR *bytes, SIZE_T length, ULONG scope)
{
    static const UCHAR zero[16];
    struct part part = {.kind = KIND_WILDCARD};
    if (!RtlEqualMemory(bytes, zero, length)) {
        part.kind = KIND_SPECIFIC;
        part.scope = scope;
        RtlCopyMemory(part.bytes, bytes, length);
    }
    return part;
}

static void fill_parts(struct wsk_share *share, const struct net_address *address, bool is_dual)
{
    struct part *ipv4 = &share->parts[FAMILY_IPV4];
    struct part *ipv6 = &share->parts[FAMILY_IPV6];
    ipv4->kind = KIND_ABSENT;
    ipv6->kind = KIND_ABSENT;
    if (address->family == NET_IPV4) {
        *ipv4 = part_of(address->bytes, 4, 0);
        return;
    }
    if (is_mapped(address)) {
        *ipv4 = part_of(address->bytes + 12, 4, 0);
        return;
    }
    *ipv6 = part_of(address->bytes, 16, address->scope);
    if (is_dual && ipv6->kind == KIND_WILDCARD) {
        ipv4->kind = KIND_WILDCARD;
    }
}

/* Whether the two would share something in this family. */
static bool meet(const struct part *left, const struct part *right)
{
    if (left->kind == KIND_ABSENT || right->kind == KIND_ABSENT) {
        return false;
    }
    return left->kind == KIND_WILDCARD || right->kind == KIND_WILDCARD ||
           (left->scope == right->scope && RtlEqualMemory(left->bytes, right->bytes, 16));
}

/* ---- the decision ---- */

static NTSTATUS status_of(enum verdict verdict, const struct wsk_share *first, PEPROCESS subject)
{
    switch (verdict) {
    case SUCCESS:
        return STATUS_SUCCESS;
    case INUSE:
        return STATUS_ADDRESS_ALREADY_EXISTS;
    case DENIED:
        return STATUS_ACCESS_DENIED;
    case CHECK:
        break;
    }
    return wsk_security_allows(first->security, subject) ? STATUS_SUCCESS : STATUS_ACCESS_DENIED;
}

/* Whether second may bind beside first; *has_met says whether they met. */
static NTSTATUS decide(const struct wsk_share *second, const struct wsk_share *first,
                       PEPROCESS subject, bool *has_met)
{
    for (int family = 0; family < FAMILY_COUNT; family++) {
        const struct part *ours = &second->parts[family];
        const struct part *theirs = &first->parts[family];
        if (!meet(ours, theirs)) {
            continue;
        }
        enum verdict verdict = matrix[second->wish][ours->kind][first->wish][theirs->kind];
        NTSTATUS status = status_of(verdict, first, subject);
        if (!NT_SUCCESS(status)) {
            return status;
        }
        *has_met = true;
    }
    return STATUS_SUCCESS;
}

static LIST_ENTRY *bucket_of(struct wsk_shares *shares, USHORT port)
{
    return &shares->buckets[port & PORTS_MASK];
}

/* Enters the table, or is refused by one that is there. The lock is held. */
static NTSTATUS enter(struct wsk_shares *shares, struct wsk_share *share, PEPROCESS subject,
                      bool *has_met)
{
    LIST_ENTRY *bucket = bucket_of(shares, share->port);
    for (LIST_ENTRY *entry = bucket->Flink; entry != bucket; entry = entry->Flink) {
        const struct wsk_share *first = CONTAINING_RECORD(entry, struct wsk_share, link);
        if (first->port != share->port || first->type != share->type) {
            continue;
        }
        NTSTATUS status = decide(share, first, subject, has_met);
        if (!NT_SUCCESS(status)) {
            return status;
        }
    }
    InsertTailList(bucket, &share->link);
    return STATUS_SUCCESS;
}

static enum wish wish_of(const struct wsk_socket *socket)
{
    if ((socket->options & WSK_OPTION_EXCLUSIVE_ADDRESS) != 0) {
        return WISH_EXCLUSIVE;
    }
    return (socket->options & WSK_OPTION_REUSE_ADDRESS) != 0 ? WISH_REUSE : WISH_NONE;
}

static struct wsk_share *create(const struct wsk_socket *socket, const struct net_address *address)
{
    bool is_dual = (socket->options & WSK_OPTION_IPV6_ONLY) == 0;
    struct wsk_share *share = calloc(1, sizeof(*share));
    if (share == NULL) {
        return NULL;
    }
    InitializeListHead(&share->link);
    share->type = socket->type;
    share->port = address->port;
    share->wish = wish_of(socket);
    share->security = socket->security;
    fill_parts(share, address, is_dual);
    return share;
}

NTSTATUS wsk_share_enter(struct wsk_socket *socket, const struct net_address *address)
{
    struct wsk_shares *shares = &wsk_state()->shares;
    NTSTATUS status = STATUS_SUCCESS;
    bool has_met = false;
    if (socket->type == SOCK_RAW) {
        return STATUS_SUCCESS;
    }
    struct wsk_share *share = create(socket, address);
    if (share == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    if (share->port != 0) {
        base_mutex_lock(&shares->lock);
        status = enter(shares, share, socket->process, &has_met);
        base_mutex_unlock(&shares->lock);
    }
    if (!NT_SUCCESS(status)) {
        free(share);
        return status;
    }
    /* The host must not refuse what the matrix allows; and SO_REUSEADDR is meant for all. */
    bool is_shared = has_met || share->wish == WISH_REUSE;
    net_set_option(socket->net, NET_OPTION_ADDRESS_SHARED, is_shared ? 1 : 0);
    socket->share = share;
    return STATUS_SUCCESS;
}

void wsk_share_settle(struct wsk_socket *socket, const struct net_address *bound)
{
    struct wsk_shares *shares = &wsk_state()->shares;
    struct wsk_share *share = socket->share;
    if (share == NULL || share->port != 0 || bound->port == 0) {
        return;
    }
    base_mutex_lock(&shares->lock);
    share->port = bound->port;
    InsertTailList(bucket_of(shares, share->port), &share->link);
    base_mutex_unlock(&shares->lock);
}

void wsk_share_leave(struct wsk_socket *socket)
{
    struct wsk_shares *shares = &wsk_state()->shares;
    struct wsk_share *share = socket->share;
    if (share == NULL) {
        return;
    }
    socket->share = NULL;
    base_mutex_lock(&shares->lock);
    RemoveEntryList(&share->link);
    base_mutex_unlock(&shares->lock);
    free(share);
}

void wsk_shares_start(struct wsk_shares *shares)
{
    base_mutex_init(&shares->lock);
    for (ULONG i = 0; i < WSK_SHARE_BUCKETS; i++) {
        InitializeListHead(&shares->buckets[i]);
    }
}

void wsk_shares_stop(struct wsk_shares *shares)
{
    for (ULONG i = 0; i < WSK_SHARE_BUCKETS; i++) {
        while (!IsListEmpty(&shares->buckets[i])) {
            free(CONTAINING_RECORD(RemoveHeadList(&shares->buckets[i]), struct wsk_share, link));
        }
    }
    base_mutex_destroy(&shares->lock);
}
