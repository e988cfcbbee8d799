/*
 * Names: WskGetAddressInfo, WskFreeAddressInfo and WskGetNameInfo.
 *
 * address_info.c WskGetAddressInfo, WskFreeAddressInfo
 * name_info.c    WskGetNameInfo
 * name.c         what both share
 * name_lookup.c  a lookup while it runs
 * name_table.c   the names and services that a test gave
 * name_result.c  the lists that WskGetAddressInfo gave to drivers
 */
#ifndef WSK_NAME_H
#define WSK_NAME_H

#include <ntddk.h>
#include <wsk.h>

#include "base/mutex.h"
#include "ke/code.h"
#include "net/net.h"

#include <stdbool.h>

struct wsk_client;

/* Part of wsk_state. */
struct wsk_names {
    struct base_mutex lock; /* guards all below; taken before the network's */
    LIST_ENTRY table;       /* of struct name: name_table.c */
    LIST_ENTRY services;    /* of struct service: name_table.c */
    LIST_ENTRY lookups;     /* of struct wsk_lookup: those that are pending */
    LIST_ENTRY results;     /* of struct wsk_result: name_result.c */
};

/* Takes the lock of the names, and lets it go. */
struct wsk_names *wsk_names_lock(void);
void wsk_names_unlock(struct wsk_names *names);

void wsk_names_start(struct wsk_names *names);
unsigned wsk_names_report(struct wsk_names *names);
void wsk_names_stop(struct wsk_names *names);

/* ---- a lookup ---- */

struct wsk_lookup {
    /* What is asked. Whatever is wanted is not known yet. */
    bool is_of_address; /* WskGetNameInfo */
    bool wants_node;    /* addresses of the name, or the name of the address */
    bool wants_service; /* port of the service, or the service of the port */
    enum net_type type; /* whose services count */
    unsigned family;    /* of enum net_family, or 0 for any: what the host is asked for */
    WCHAR node[NET_NAME_MAX];
    WCHAR service[NET_NAME_MAX];
    struct net_address address;

    /* What is known. */
    NTSTATUS status;
    USHORT port;
    ULONG count;
    struct net_address addresses[NET_RESOLVED_MAX];
    bool has_name;                  /* of an address: found_node is more than its digits */
    WCHAR found_node[NET_NAME_MAX]; /* canonical name of the node, or name of the address */
    WCHAR found_service[NET_NAME_MAX];

    /* Gives the answer to the driver: with no lock held, at IRQL <= DISPATCH_LEVEL. Returns the
     * status that the IRP gets. Not called if status is an error. */
    NTSTATUS (*answer)(struct wsk_lookup *lookup);

    /* For answer. */
    const void *creator; /* the driver's call site */
    INT flags;
    ADDRINFOEXW hints;
    PADDRINFOEXW *result;
    PUNICODE_STRING node_out;
    PUNICODE_STRING service_out;

    /* While it runs; guarded by wsk_names.lock. */
    LIST_ENTRY link;
    struct wsk_client *client;
    PIRP irp;                /* NULL: cancelled, and only the host still knows the lookup */
    struct net_lookup *host; /* the host's request, or NULL */
    bool is_held;            /* a name that the test holds back has to be released first */
};

/*
 * Runs a lookup, which it frees, with the IRP, which it takes; or refuses the IRP, if status is an
 * error, and the lookup may be NULL then. The caller holds a request of the client; a pending IRP
 * has one of its own. PASSIVE_LEVEL. Returns STATUS_PENDING, or the error.
 */
NTSTATUS wsk_lookup_run(NTSTATUS status, struct wsk_lookup *lookup, struct wsk_client *client,
                        PIRP irp);

/* Whether a request may have that owner: STATUS_SUCCESS, STATUS_INVALID_PARAMETER. */
NTSTATUS wsk_name_check_owner(PEPROCESS process, PETHREAD thread);

/* Writes an address in digits. PASSIVE_LEVEL. */
void wsk_name_write_address(const struct net_address *address, WCHAR text[NET_NAME_MAX]);

/* Whether the text is an IPv4 or IPv6 address in digits, and which. Any IRQL. */
bool wsk_name_is_address(PCWSTR text, struct net_address *address);

/* ---- the table; the lock is held ---- */

enum wsk_verdict { WSK_NAME_UNKNOWN, WSK_NAME_KNOWN, WSK_NAME_HELD };

/* Fills the addresses and found_node; a name known to have no address sets the status to
 * STATUS_NOT_FOUND. PASSIVE_LEVEL. */
enum wsk_verdict wsk_table_find(struct wsk_names *names, struct wsk_lookup *lookup);

/* Fills found_node of the lookup of an address. */
enum wsk_verdict wsk_table_find_address(struct wsk_names *names, struct wsk_lookup *lookup);

/* Fills port or found_service. PASSIVE_LEVEL. */
enum wsk_verdict wsk_table_find_service(struct wsk_names *names, struct wsk_lookup *lookup);

/* Empties the table. */
void wsk_table_clear(struct wsk_names *names);

/* ---- for tests, see include/wskemu/network.h; PASSIVE_LEVEL ---- */

NTSTATUS wsk_name_add(const char *name, const SOCKADDR *address);
NTSTATUS wsk_name_hold(const char *name, bool is_held);
void wsk_name_release_all(void);
NTSTATUS wsk_service_add(const char *name, USHORT port, bool is_datagram);
void wsk_name_clear(void);

/* Takes up the lookups that waited for a name which is no longer held. */
void wsk_lookups_resume(void);

/* ---- results ---- */

/* A list of the addresses, with that canonical name unless it is empty; NULL when the host is out
 * of memory. */
PADDRINFOEXW wsk_result_create(const struct wsk_lookup *lookup, const struct net_address *addresses,
                               ULONG count, PCWSTR canonical);

/* Whether it was such a list: it is freed. */
bool wsk_result_free(PADDRINFOEXW info);

/* How many the driver of that code asked for and has not freed; who asked for one of them. */
unsigned wsk_results_of(const struct ke_code *code, const void **creator);

unsigned wsk_results_report(struct wsk_names *names);
void wsk_results_stop(struct wsk_names *names);

#endif
